"""What the engine did and how it is set up, as JSON: usage, accounts, health, settings. Reads only; holds no secret.

Keys and tokens are not among the settings, and of an address only what names the server is shown.
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from lynkr_desktop.config.settings import TIERS, Account, Settings, Target
from lynkr_desktop.engine.admin.metrics import Metrics
from lynkr_desktop.engine.api import AccountState, BudgetState
from lynkr_desktop.engine.metering import decimal_text
from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.resilience.admission import Crowd
from lynkr_desktop.engine.resilience.breaker import Breakers
from lynkr_desktop.engine.store.queries import Queries
from lynkr_desktop.engine.store.savings import Filter, Saved, baseline_of
from lynkr_desktop.errors import ClientError
from lynkr_desktop.json_reader import encode

_WINDOW: Final = re.compile(r"([1-9]\d{0,4})([hd])")
_DAYS: Final = re.compile(r"[1-9]\d{0,3}")
_HOUR_MS: Final = 3_600_000
_USUAL_WINDOW: Final = "24h"
_SUMMED: Final = ("requests", "failed", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "unpriced")


class Sources(msgspec.Struct, frozen=True):
    """Where the pages get what they show, each asked anew."""

    settings: Callable[[], Settings]
    accounts: Callable[[], tuple[AccountState, ...]]
    budgets: Callable[[], tuple[BudgetState, ...]]
    queries: Queries
    breakers: Breakers
    metrics: Metrics
    crowd: Callable[[], Crowd]


class Observation:
    """Answers by path."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._pages: Mapping[str, Callable[[Mapping[str, str]], Awaitable[Reply]]] = {
            "/v1/usage": self._usage,
            "/v1/providers": self._providers,
            "/v1/health/providers": self._health,
            "/v1/config": self._config,
        }

    async def page(self, path: str, query: str) -> Reply | None:
        """The answer to a GET; None if there is no such page. Raises `ClientError`, `ConfigError`."""
        if (page := self._pages.get(path)) is not None:
            return await page({name: values[-1] for name, values in parse_qs(query).items()})
        if path.startswith("/v1/providers/"):
            return self._one(self._provider_rows(), path.removeprefix("/v1/providers/"))
        if path.startswith("/v1/health/providers/"):
            return self._one(self._health_rows(), path.removeprefix("/v1/health/providers/"))
        return None

    async def _usage(self, query: Mapping[str, str]) -> Reply:
        """Tokens, cost and savings since a moment, by model; `model` and `provider` leave the others out."""
        now_ms = time.time_ns() // 1_000_000
        since_ms = max(0, now_ms - window_ms(query))
        of = Filter(query.get("provider", ""), query.get("model", ""))
        used = await self._sources.queries.usage(since_ms)
        rows = [each for each in used if of.provider in ("", each.provider, each.account) and of.model in ("", each.model)]
        baseline = baseline_of(self._sources.settings())
        saved = Saved() if baseline is None else await self._sources.queries.saved(since_ms, baseline, of)
        spent = sum((Decimal(each.cost_usd) for each in rows), Decimal(0))
        totals = {name: sum(getattr(each, name) for each in rows) for name in _SUMMED}
        savings = {
            "baseline": baseline.name if baseline is not None else None,
            "saved_usd": saved.usd if baseline is not None else None,
            "label": saved.label,
            "measured": saved.measured,
            "estimated": saved.estimated,
            "not_measurable": saved.unmeasurable,
        }
        span = {"since_ms": since_ms, "until_ms": now_ms}
        models = [msgspec.structs.asdict(each) for each in rows]
        return _json({**span, **totals, "cost_usd": decimal_text(spent), "savings": savings, "models": models})

    async def _providers(self, _query: Mapping[str, str]) -> Reply:
        routing = self._sources.settings().routing
        return _json(
            {
                "object": "list",
                "data": self._provider_rows(),
                "primary": routing.direct.account if routing.direct else None,
                "fallback": routing.fallback.account if routing.fallback else None,
                "fallback_enabled": routing.is_fallback_enabled,
            }
        )

    def _provider_rows(self) -> list[dict[str, Any]]:
        settings = self._sources.settings()
        routing = settings.routing
        targets = targets_of(settings)
        return [
            {
                "name": account.id,
                "type": account.provider,
                "title": account.title,
                "base_url": _server(account.base_url),
                "models": list(dict.fromkeys(each.model for each in targets if each.account == account.id)),
                "active": account.is_enabled,
                "is_primary": routing.direct is not None and routing.direct.account == account.id,
                "is_fallback": routing.fallback is not None and routing.fallback.account == account.id,
            }
            for account in settings.accounts
        ]

    async def _health(self, _query: Mapping[str, str]) -> Reply:
        return _json({"providers": self._health_rows()})

    def _health_rows(self) -> list[dict[str, Any]]:
        return [{"name": each.id, **msgspec.structs.asdict(each)} for each in self._sources.accounts()]

    def _one(self, rows: list[dict[str, Any]], name: str) -> Reply:
        found = next((each for each in rows if each["name"] == name), None)
        if found is None:
            raise ClientError(f"There is no account named {name[:80]!r}.", "GET /v1/providers lists them.", status=404)
        return _json(found)

    async def _config(self, _query: Mapping[str, str]) -> Reply:
        """The settings in force. Of an account's addresses only the server is shown."""
        settings = self._sources.settings()
        body: dict[str, Any] = msgspec.to_builtins(settings)
        body["accounts"] = [_account(account) for account in settings.accounts]
        body["client_tokens"] = [{"name": each.name, "made_on": each.made_on} for each in settings.client_tokens]
        return _json(body)


def window_ms(query: Mapping[str, str]) -> int:
    """How far back `window` (`24h`, `7d`) or `days` reaches. Raises `ClientError`."""
    days = query.get("days", "")
    wanted = query.get("window", f"{days}d" if _DAYS.fullmatch(days) else days or _USUAL_WINDOW)
    found = _WINDOW.fullmatch(wanted)
    if found is None:
        raise ClientError(f"The window {wanted[:40]!r} cannot be used.", "Use window=24h, window=7d or days=30.")
    return int(found[1]) * _HOUR_MS * (24 if found[2] == "d" else 1)


def targets_of(settings: Settings) -> list[Target]:
    """Every target that the tiers and the ends of the route name; one may come twice."""
    routing = settings.routing
    ends = [target for target in (routing.direct, routing.fallback) if target is not None]
    return [*(target for tier in TIERS for target in routing.tiers.of(tier)), *ends]


def _account(account: Account) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(account)
    keys = [{**each, "origin": _server(each["origin"])} for each in row["keys"]]
    return row | {"base_url": _server(account.base_url), "keys": keys}


def _server(address: str) -> str:
    """Scheme, host, port and path of an address: people put keys before the host and behind the question mark."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}" if host else ""


def _json(value: Mapping[str, Any]) -> Reply:
    return Reply(200, {"content-type": "application/json"}, encode(dict(value)))
