"""What routing would do with a request, how it is set up, and what it did, as JSON. Calls no model and changes nothing."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, unquote

import msgspec
from msgspec import Raw

from lynkr_desktop.config.settings import TIERS, Target
from lynkr_desktop.engine.admin.observation import window_ms
from lynkr_desktop.engine.admin.replaying import Replay, replayed
from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.events import Alternative, Exchange
from lynkr_desktop.engine.exchange import Inbound, kept_facts
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.providers.models import ModelFacts, prices_as_of
from lynkr_desktop.engine.routing.facts import facts_of as facts_of_request
from lynkr_desktop.engine.routing.learned import LEARNED, told_words
from lynkr_desktop.engine.routing.reading import read
from lynkr_desktop.engine.routing.replay import Past
from lynkr_desktop.engine.routing.route import Facts, Route
from lynkr_desktop.engine.store.queries import Queries
from lynkr_desktop.engine.tokens import rough_tokens
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import UNREADABLE, encode

_MOST_ROWS: Final = 1000
_LEFT_OUT: Final = frozenset(("dimensions", "losses", "attempts", "error_detail", "fingerprint"))
# A key of the body that only one wire has.
_SIGNS: Final = (
    ("contents", "gemini"),
    ("input", "openai_responses"),
    ("keep_alive", "ollama"),
    ("prompt", "ollama"),
    ("options", "ollama"),
    ("system", "anthropic"),
)


class Router(Protocol):
    """Knows where a request goes, and what it would mean elsewhere."""

    def route(self, plan: Plan, request: ChatRequest, facts: Facts) -> Route:
        """Where it goes. Raises `ConfigError`."""
        ...

    def estimates(self, plan: Plan, tokens: int) -> tuple[Alternative, ...]:
        """What each tier would cost, and how long it would take."""
        ...


class RoutingPages:
    """Answers by path.

    `plan` is the plan in force, `router` what it would do with a request, `replay` what the past would have been.
    """

    def __init__(self, plan: Callable[[], Plan], router: Router, queries: Queries, replay: Replay) -> None:
        self._plan = plan
        self._router = router
        self._queries = queries
        self._replay = replay

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        """The answer of a path; None if there is no such page. Raises `ClientError`, `ConfigError`."""
        query = {name: values[-1] for name, values in parse_qs(inbound.query).items()}
        match ("GET" if method == "HEAD" else method, path):
            case ("POST", "/routing/analyze"):
                return _json(self._analysis(inbound, query))
            case ("POST", "/routing/what-if"):
                now_ms = time.time_ns() // 1_000_000
                return _json(await replayed(inbound.body, self._plan().settings.routing, now_ms, self._replay))
            case ("GET", "/routing/tiers"):
                return _json(self._tiers())
            case ("GET", "/routing/models"):
                return _json({"prices_as_of": prices_as_of(), "models": [self._model(target) for target in self._targets()]})
            case ("GET", "/routing/stats" | "/v1/routing/stats"):
                return _json(await self._stats(query, ""))
            case ("GET", "/v1/routing/accuracy"):
                return _json(await self._accuracy())
            case ("GET", "/v1/routing/telemetry"):
                return _json(await self._telemetry(query))
            case ("GET", _) if path.startswith("/routing/models/"):
                return _json(self._model(self._target_named(unquote(path.removeprefix("/routing/models/")))))
            case ("GET", _) if path.startswith("/v1/routing/stats/"):
                return _json(await self._stats(query, path.removeprefix("/v1/routing/stats/")))
        return None

    def _analysis(self, inbound: Inbound, query: Mapping[str, str]) -> dict[str, Any]:
        """What would happen to this body: its score, tier, reason, route, and what each tier would cost. Nothing is sent."""
        plan = self._plan()
        request = WIRES[_wire_of(inbound, query)].parse_request(inbound.body)
        facts = facts_of_request(request, inbound.headers)
        chosen, tokens = self._router.route(plan, request, facts), rough_tokens(request)
        score = chosen.score
        harder, easier = told_words(read(facts.plan or facts.text).words)
        return {
            "tier": chosen.tier,
            "score": score.value if score else None,
            "floor": score.floor if score else None,
            "method": chosen.method,
            "reason": chosen.reason,
            "shadow_tier": chosen.shadow_tier,
            "work": score.work if score else None,
            "risk": (score.risk or None) if score else None,
            "is_side_request": facts.is_side_request,
            "facts": msgspec.to_builtins(kept_facts(facts, score)),
            "learned": {"made": LEARNED.date, "harder_words": harder, "easier_words": easier},
            "client": facts.client,
            "input_tokens": tokens,
            "dimensions": [msgspec.structs.asdict(each) for each in score.dimensions] if score else [],
            "route": [{"target": str(target), "tier": tier} for target, tier in chosen.targets],
            "alternatives": [
                {
                    "tier": each.tier,
                    "target": each.target,
                    "estimated_cost_usd": each.cost_usd,
                    "estimated_ms": each.time_ms,
                    "switch_usd": each.switch_usd,
                }
                for each in self._router.estimates(plan, tokens)
            ],
        }

    def _tiers(self) -> dict[str, Any]:
        routing = self._plan().settings.routing
        return {
            "mode": routing.mode.kind,
            "pinned_tier": routing.mode.tier,
            "are_complete": routing.tiers.are_complete,
            "is_sticky": routing.is_sticky,
            "tiers": [
                {
                    "tier": tier,
                    "range": routing.boundaries.range_of(tier),
                    "targets": [self._model(target) for target in routing.tiers.of(tier)],
                }
                for tier in TIERS
            ],
            "direct": str(routing.direct) if routing.direct else None,
            "fallback": str(routing.fallback) if routing.fallback and routing.is_fallback_enabled else None,
        }

    def _targets(self) -> tuple[Target, ...]:
        """Every model that the settings name, once."""
        settings = self._plan().settings
        routing = settings.routing
        ends = [target for target in (routing.direct, routing.fallback) if target is not None]
        usual = [Target(account.id, account.model) for account in settings.accounts if account.model]
        return tuple(dict.fromkeys([*(target for tier in TIERS for target in routing.tiers.of(tier)), *ends, *usual]))

    def _target_named(self, name: str) -> Target:
        """`account:model`, or a model by its name alone. Raises `ClientError(404)` if nothing is known of it."""
        account, _, model = name.partition(":")
        plan = self._plan()
        if account in plan.accesses and model:
            return Target(account, model)
        for target in (*self._targets(), *(Target(account_id, name) for account_id in plan.accesses)):
            if target.model == name and (target in self._targets() or _is_known(plan.facts_of(target))):
                return target
        raise ClientError(f"Nothing is known of a model named {name[:100]!r}.", "GET /routing/models lists models.", status=404)

    def _model(self, target: Target) -> dict[str, Any]:
        plan = self._plan()
        access = plan.accesses.get(target.account)
        provider = access.provider.id if access else ""
        facts = msgspec.structs.asdict(plan.facts_of(target))
        prices = {"steps": [msgspec.structs.asdict(step) for step in facts.pop("steps")]}
        return {
            "target": str(target),
            "provider": provider,
            "is_local": bool(access and access.provider.is_local),
            **facts,
            **prices,
        }

    async def _stats(self, query: Mapping[str, str], account: str) -> dict[str, Any]:
        """Sums of what was served since a moment, of one account or of all."""
        since_ms = _since_ms(query)
        rows = [each for each in await self._queries.past(since_ms) if account in ("", each.target.account)]
        local = sum(self._is_local(each) for each in rows)
        scores = [each.score for each in rows if each.score is not None]
        return {
            "since_ms": since_ms,
            "total": len(rows),
            "local": local,
            "cloud": len(rows) - local,
            "local_percent": round(100 * local / len(rows), 1) if rows else None,
            "average_score": round(sum(scores) / len(scores), 1) if scores else None,
            "by_tier": dict(Counter(each.tier or "DIRECT" for each in rows)),
            "by_method": dict(Counter(each.method for each in rows)),
            "by_account": dict(Counter(each.target.account for each in rows)),
        }

    async def _accuracy(self) -> dict[str, Any]:
        """How often the user found a tier too low or too high. Nobody else knows: no answer is graded behind their back."""
        verdicts = await self._queries.verdicts()
        higher = sum(each.is_higher for each in verdicts)
        count = len(verdicts)
        told = Counter((each.tier, each.is_higher) for each in verdicts)
        return {
            "judged": count,
            "under_provisioned_percent": round(100 * higher / count, 1) if count else None,
            "over_provisioned_percent": round(100 * (count - higher) / count, 1) if count else None,
            "by_tier": {tier: {"should_be_higher": told[tier, True], "should_be_lower": told[tier, False]} for tier in TIERS},
        }

    def _is_local(self, past: Past) -> bool:
        access = self._plan().accesses.get(past.target.account)
        return access is not None and access.provider.is_local

    async def _telemetry(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Rows of the ledger, newest first, by `provider` (an account), `tier`, `since` and `limit`."""
        limit = query.get("limit", "100")
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= _MOST_ROWS):
            raise ClientError(f"The limit {limit[:40]!r} cannot be used.", f"Use a number from 1 to {_MOST_ROWS}.")
        tiers = (query["tier"].upper(),) if query.get("tier") else ()
        accounts = (query["provider"],) if query.get("provider") else ()
        wanted = ActivityQuery(tiers=tiers, accounts=accounts, since_ms=_since_ms(query), limit=int(limit))
        return {"rows": [_row(each) for each in await self._queries.activity(wanted)]}


def _since_ms(query: Mapping[str, str]) -> int:
    """`since` in milliseconds from 1970, else `window` or `days` back from now. Raises `ClientError`."""
    since = query.get("since", "")
    if not since:
        return max(0, time.time_ns() // 1_000_000 - window_ms(query))
    if not (since.isascii() and since.isdigit() and len(since) <= 15):
        raise ClientError(f"The moment {since[:40]!r} cannot be used.", "Give milliseconds since 1970, or window=24h.")
    return int(since)


def _row(exchange: Exchange) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(exchange)
    return {name: value for name, value in row.items() if name not in _LEFT_OUT}


def _is_known(facts: ModelFacts) -> bool:
    return facts.input_price is not None or facts.context_tokens is not None


def _wire_of(inbound: Inbound, query: Mapping[str, str]) -> str:
    """The wire of a body: as `wire` says, else by what only one wire has. Raises `ClientError`."""
    named = query.get("wire", "")
    if named:
        if named not in WIRES:
            raise ClientError(f"There is no wire named {named[:40]!r}.", f"Use one of: {', '.join(WIRES)}.")
        return named
    try:
        body = msgspec.json.decode(inbound.body, type=dict[str, Raw])
    except UNREADABLE:
        return inbound.wire  # whose reader says what is wrong
    if "anthropic-version" in inbound.headers:
        return "anthropic"
    if b'"tool_result"' in inbound.body or b'"tool_use"' in inbound.body:
        return "anthropic"
    return next((wire for sign, wire in _SIGNS if sign in body), "openai_chat")


def _json(value: Mapping[str, Any]) -> Reply:
    return Reply(200, {"content-type": "application/json"}, encode(dict(value)))
