"""The story of one request, from the open door to the closed exchange. Knows no vendor JSON and no socket."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import msgspec

from lynkr_desktop.engine.answer import Answer
from lynkr_desktop.engine.attempts import UNVERIFIED, Attempts
from lynkr_desktop.engine.bus import Bus
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.choosing import Chooser
from lynkr_desktop.engine.delivery import Delivery
from lynkr_desktop.engine.events import Alternative, RequestFinished, RequestStarted, RouteChosen
from lynkr_desktop.engine.exchange import CLIENT_LEFT, Inbound, OpenExchange, kept_facts
from lynkr_desktop.engine.learning import Learners
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.resilience.guard import BudgetGuard
from lynkr_desktop.engine.resilience.ladder import Needs
from lynkr_desktop.engine.resilience.loops import LoopWatch
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.route import Facts, Route
from lynkr_desktop.engine.store.responses import ResponsesStore
from lynkr_desktop.engine.tokens import rough_tokens
from lynkr_desktop.engine.upstream import TURN_BYTES
from lynkr_desktop.engine.wire.framing import CONTENT_TYPES
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import BudgetError, BusyError, ClientError, LynkrError, UpstreamError
from lynkr_desktop.json_reader import ShapeError

_log: Final = logging.getLogger(__name__)
_RELAYED: Final = ("anthropic-ratelimit-", "x-ratelimit-", "request-id", "x-request-id", "openai-processing-ms")
_CONTROLS: Final = dict.fromkeys(range(32), " ")


class Reply(msgspec.Struct, frozen=True):
    """What the door sends back: a body, or chunks of a stream, which must be closed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    chunks: AsyncGenerator[bytes] | None = None


class Pipeline:
    """Takes requests through the rooms. `plan` is replaced as a whole when settings change."""

    def __init__(
        self,
        plan: Plan,
        attempts: Attempts,
        bus: Bus,
        responses: ResponsesStore,
        *,
        budgets: BudgetGuard,
        learners: Learners,
    ) -> None:
        self.plan = plan
        self._attempts = attempts
        self._bus = bus
        self._responses = responses
        self._budgets = budgets
        self._chooser = Chooser(attempts.breakers, attempts.targets, learners)
        self.loops = LoopWatch(time.monotonic, bus.publish)

    async def answer(self, inbound: Inbound) -> Reply:
        """Serve one conversation request. Never raises but when the client has left."""
        plan, wire = self.plan, WIRES[inbound.wire]
        exchange = OpenExchange(inbound, plan.settings.routing.mode.kind)
        try:
            request = self._responses.written_out(inbound.parsed())
            await self._let_others(request)
            facts = self._opened(exchange, request)
            exchange.warning = self.loops.look(request, facts.client, facts.session, plan.settings.limits)
            exchange.route = chosen = self._chooser.choose(exchange, plan, request, facts)
            exchange.facts = kept_facts(facts, chosen.score)
            if self._budgets.is_shared:
                await self._budgets.claim(exchange, request.max_tokens, plan.facts_of(chosen.targets[0][0]))
            exchange.route = chosen = self._budgets.narrowed(chosen, exchange, plan.facts_of)
            self._tell_route(exchange, chosen)
            await self._let_others(request)
            needs = Needs(exchange.rough_input_tokens, has_images=facts.has_images, has_tools=bool(request.tools))
            answer = await self._attempts.first_answer(request, needs, exchange, plan)
            return await self._reply(answer, request, exchange, plan)
        except LynkrError as error:
            self._close(exchange, wire.render_error(error, exchange.id)[0], error)
            return self.refusal(error, inbound, _route_headers(exchange))
        except ShapeError as error:  # in a part that is only read when it is put into another's words
            refusal = unreadable(error)
            self._close(exchange, refusal.status, refusal)
            return self.refusal(refusal, inbound, _route_headers(exchange))
        except asyncio.CancelledError:
            self._close(exchange, CLIENT_LEFT, None)
            raise
        except Exception:
            _log.exception("request %s failed by a bug of ours", exchange.id)
            bug = LynkrError("Lynkr itself failed.", f"This is a bug; the log has more under {exchange.id}.")
            self._close(exchange, 500, bug)
            return self.refusal(bug, inbound, _route_headers(exchange))

    @staticmethod
    async def _let_others(request: ChatRequest) -> None:
        """A large request gives the loop back between two rooms: each of them takes some ms for it."""
        if len(request.body) > TURN_BYTES:
            await asyncio.sleep(0)

    def _opened(self, exchange: OpenExchange, request: ChatRequest) -> Facts:
        facts = facts_of(request, exchange.inbound.headers)
        if exchange.inbound.program:
            facts = msgspec.structs.replace(facts, client=exchange.inbound.program)
        exchange.client, exchange.session, exchange.project = facts.client, facts.session, facts.project
        exchange.requested_model, exchange.is_streamed = request.model, request.is_streamed
        exchange.rough_input_tokens = rough_tokens(request)
        self._bus.publish(RequestStarted(exchange.id, exchange.inbound.surface, exchange.client))
        return facts

    def route(self, plan: Plan, request: ChatRequest, facts: Facts) -> Route:
        """Where a request goes under a plan, its conversation left aside. Raises `ConfigError`."""
        return self._chooser.fresh(plan, request, facts)

    def estimates(self, plan: Plan, tokens: int) -> tuple[Alternative, ...]:
        """What each tier's first target would cost and how long it would take."""
        return self._chooser.estimates_of(plan, tokens)

    def _tell_route(self, exchange: OpenExchange, chosen: Route) -> None:
        if not self._bus.is_heard(RouteChosen):
            return
        target, _ = chosen.targets[0]
        value = chosen.score.value if chosen.score else None
        self._bus.publish(RouteChosen(exchange.id, chosen.tier or "", value, target.account, target.model, chosen.reason))

    async def _reply(self, answer: Answer, request: ChatRequest, exchange: OpenExchange, plan: Plan) -> Reply:
        prepared = answer.prepared
        exchange.served, exchange.served_tier = prepared.target, prepared.tier
        exchange.provider = prepared.access.provider.id
        exchange.fidelity, exchange.losses = prepared.fidelity, prepared.losses
        headers = _route_headers(exchange) | _relayed_headers(answer)
        facts = plan.facts_of(prepared.target)
        keeper = self._responses.listener(request, is_relayed=prepared.is_relayed)
        delivery = Delivery(answer, request, exchange, facts, self._delivered, also_heard_by=keeper)
        kind = CONTENT_TYPES[request.framing] if request.is_streamed else "application/json"
        if request.is_streamed and answer.body is None:
            return Reply(200, {"content-type": kind, "cache-control": "no-cache", **headers}, chunks=delivery.stream())
        return Reply(200, {"content-type": kind, **headers}, await delivery.whole())

    def _delivered(self, delivery: Delivery, outcome: BaseException | None) -> None:
        """The provider's part is over, however it ended."""
        error = outcome if isinstance(outcome, LynkrError) else None
        self._attempts.note_served(delivery, error)
        if error is None:
            self._chooser.note_served(delivery.exchange)
        if error is not None and not delivery.has_begun:
            return  # whoever asked for the answer gets the failure, and knows its status
        if outcome is None or error is not None:
            self._close(delivery.exchange, 200, error)
        else:
            self._close(delivery.exchange, CLIENT_LEFT, None)

    def _close(self, exchange: OpenExchange, status: int, error: LynkrError | None) -> None:
        if exchange.is_closed:
            return
        self._bus.publish(RequestFinished(exchange.closed(status, error_kind(error), str(error) if error else "")))

    def refusal(self, error: LynkrError, inbound: Inbound, headers: Mapping[str, str] = {}) -> Reply:
        """An error in the client's own wire."""
        status, extra, body = WIRES[inbound.wire].render_error(error, inbound.request_id)
        return Reply(status, {"content-type": "application/json", **extra, **headers}, body)


def unreadable(error: ShapeError) -> ClientError:
    """A part of the request that is no JSON, or not what it must be there."""
    return ClientError("A part of the request cannot be read.", f"{error}.")


def error_kind(error: LynkrError | None) -> str:
    """What the ledger calls a failure; empty if there was none."""
    match error:
        case None:
            return ""
        case UpstreamError(kind=kind):
            return kind
        case ClientError():
            return "client"
        case BusyError():
            return "busy"
        case BudgetError():
            return "budget"
        case _:
            return "config"


def _route_headers(exchange: OpenExchange) -> dict[str, str]:
    route = exchange.route
    if route is None:
        return {}
    headers = {
        "x-lynkr-warning": exchange.warning,
        "x-lynkr-tier": route.tier or "",
        "x-lynkr-complexity-score": str(route.score.value) if route.score else "",
        "x-lynkr-routing-reason": route.reason,
        "x-lynkr-routing-method": route.method,
    }
    if exchange.served is not None:
        headers |= {"x-lynkr-provider": exchange.provider, "x-lynkr-model": exchange.served.model}
        if route.method == "cascade":
            headers["x-lynkr-cascade"] = "passed"
        elif exchange.attempts and exchange.attempts[0].error == UNVERIFIED:
            first = exchange.attempts[0]
            headers["x-lynkr-cascade"] = f"{first.account}:{first.model}: {first.detail}"
        elif exchange.attempts:
            first = exchange.attempts[0]
            headers |= {
                "x-lynkr-fallback": f"{first.account}:{first.model}{first.key and f', {first.key},'} failed ({first.error})",
                "x-lynkr-served-tier": exchange.served_tier or "",
            }
        if exchange.losses:
            headers["x-lynkr-losses"] = "; ".join(exchange.losses)
    return {name: _header_text(value) for name, value in headers.items() if value}


def _relayed_headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.reply.headers.items() if name.startswith(_RELAYED)}


def _header_text(value: str) -> str:
    """Text that is safe in a header: one line of ASCII, at most 400 characters."""
    if not (value.isascii() and value.isprintable()):
        value = value.encode("ascii", "replace").decode().translate(_CONTROLS)
    return value[:400]
