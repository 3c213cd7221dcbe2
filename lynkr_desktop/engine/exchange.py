"""One request's life while it lasts. Gathers what the ledger will keep; holds no prompt text and decides nothing."""

import time
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from lynkr_desktop.config.settings import Target, Tier
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.events import Alternative, Attempt, Exchange, KeptFacts, ScoredDimension, Sent
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.routing.gate import Rates
from lynkr_desktop.engine.routing.learners.cascade import Trial
from lynkr_desktop.engine.routing.route import Facts, Route, Score
from lynkr_desktop.engine.routing.sessions import Turn
from lynkr_desktop.engine.surfaces import PLAIN, Address
from lynkr_desktop.engine.wire.table import WIRES

CLIENT_LEFT = 499
_MAX_DETAIL = 500
_NO_FACTS = KeptFacts()


class Inbound(msgspec.Struct, frozen=True):
    """A request as it came through the door. Header names are lower case; the token is no longer among them.

    `request_id` is also the id of the exchange in the ledger; it rises with time. `program` is the name of the program whose own
    token opened the door; empty for the token that all may use.
    """

    surface: str
    wire: str
    headers: dict[str, str]
    body: bytes
    query: str
    request_id: str
    address: Address = PLAIN
    program: str = ""

    def parsed(self) -> ChatRequest:
        """What the body asks, and the address where that says more. Raises `ClientError`."""
        request, address = WIRES[self.wire].parse_request(self.body), self.address
        if address is PLAIN:
            return request
        return msgspec.structs.replace(
            request,
            model=request.model if address.model is None else address.model,
            is_streamed=request.is_streamed if address.is_streamed is None else address.is_streamed,
            framing=address.framing or request.framing,
        )


class Offer(msgspec.Struct, frozen=True):
    """A tier's first target, as text too, and what is known of its model. `rates` are those of a short request."""

    tier: Tier
    target: Target
    name: str
    facts: ModelFacts
    rates: Rates | None


class OpenExchange:
    """Written to by the pipeline, closed once."""

    def __init__(self, inbound: Inbound, mode: str) -> None:
        self.id = inbound.request_id
        self.inbound = inbound
        self.mode = mode
        self.client = ""
        self.session = ""
        self.project = ""
        self.fingerprint = ""
        self.requested_model = ""
        self.is_streamed = False
        self.rough_input_tokens = 0
        self.facts = _NO_FACTS
        self.route: Route | None = None
        self.turn: Turn | None = None
        self.trial: Trial | None = None  # of a cheaper model, until it is decided
        self.trial_usd: Decimal | None = None  # what one that did not pass has cost
        self.served: Target | None = None
        self.served_tier: Tier | None = None
        self.provider = ""
        self.fidelity = ""
        self.losses: tuple[str, ...] = ()
        self.warning = ""  # for the client, in a header
        self.usage = Usage()
        self.cost_usd: str | None = None
        self.cost_basis = "unpriced"
        self.lost_usd = Decimal(0)  # for attempts that failed after the provider had counted
        self.attempts: list[Attempt] = []
        self.offers: tuple[Offer, ...] = ()
        self.alternatives: tuple[Alternative, ...] = ()
        self.first_token_ms: float | None = None
        self.is_closed = False
        self._started_at_ms = time.time_ns() // 1_000_000
        self._started = time.perf_counter()

    def elapsed_ms(self) -> float:
        """Milliseconds since the request came."""
        return (time.perf_counter() - self._started) * 1000

    @property
    def targets(self) -> Sequence[tuple[Target, Tier | None]]:
        """The route's targets; none before it is chosen."""
        return self.route.targets if self.route else ()

    def _all_usd(self) -> str | None:
        """With what was paid for nothing; None where the answer itself has no price."""
        if self.cost_usd is None and self.served is not None:
            return None
        return format((Decimal(self.cost_usd or 0) + self.lost_usd).normalize(), "f")

    def sent_to(self, target: Target, tier: Tier | None, provider: str) -> Sent:
        """What is known when the request goes out to a target."""
        route = self.route
        return Sent(
            id=self.id,
            started_at_ms=self._started_at_ms,
            client=self.client,
            surface=self.inbound.surface,
            session=self.session,
            project=self.project,
            mode=self.mode,
            requested_model=self.requested_model,
            tier=tier or "",
            score=route.score.value if route and route.score else None,
            method=route.method if route else "",
            reason=route.reason if route else "",
            account=target.account,
            provider=provider,
            model=target.model,
            input_tokens=self.rough_input_tokens,
            is_streamed=self.is_streamed,
        )

    def closed(self, status: int, error: str, detail: str) -> Exchange:
        """The row. `status` is what the client got."""
        self.is_closed = True
        route = self.route
        score = route.score if route else None
        return Exchange(
            id=self.id,
            started_at_ms=self._started_at_ms,
            client=self.client,
            surface=self.inbound.surface,
            session=self.session,
            mode=self.mode,
            requested_model=self.requested_model,
            tier=(self.served_tier or (route.tier if route else None) or ""),
            score=score.value if score else None,
            method=route.method if route else "",
            reason=route.reason if route else "",
            dimensions=_kept(score),
            account=self.served.account if self.served else "",
            provider=self.provider,
            model=self.served.model if self.served else "",
            fidelity=self.fidelity,
            losses=self.losses,
            input_tokens=self.usage.input_tokens,
            output_tokens=self.usage.output_tokens,
            cache_read_tokens=self.usage.cache_read_tokens,
            cache_write_tokens=self.usage.cache_write_tokens,
            cost_usd=self._all_usd() if self.lost_usd else self.cost_usd,
            cost_basis=self.cost_basis if self.served else "priced" if self.lost_usd else "",
            first_token_ms=self.first_token_ms,
            total_ms=self.elapsed_ms(),
            status=status,
            error=error,
            error_detail=detail[:_MAX_DETAIL],
            is_streamed=self.is_streamed,
            attempts=tuple(self.attempts),
            shadow_tier=(route.shadow_tier or "") if route else "",
            shadow_target=str(route.shadow_target) if route and route.shadow_target else "",
            alternatives=self.alternatives,
            floor=(score.floor or "") if score else "",
            facts=self.facts,
            project=self.project,
            fingerprint=self.fingerprint,
        )


def _kept(score: Score | None) -> tuple[ScoredDimension, ...]:
    return tuple([ScoredDimension(each.name, each.points, each.reason, each.value) for each in score.dimensions]) if score else ()


def kept_facts(facts: Facts, score: Score | None) -> KeptFacts:
    """What the ledger keeps of the facts: no words."""
    return KeptFacts(
        work=score.work if score else "",
        risk=score.risk if score else "",
        ask_chars=facts.text_chars,
        messages=facts.message_count,
        tools=facts.all_tool_count,
        extra_tools=len(facts.tool_names),
        tool_results=facts.tool_result_count,
        has_images=facts.has_images,
        is_tool_turn=facts.is_tool_turn,
        is_side_request=facts.is_side_request,
        is_go_ahead=bool(facts.plan),
    )
