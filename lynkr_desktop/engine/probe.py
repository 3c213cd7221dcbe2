"""Real calls that are nobody's request: does an account answer, which models has it, which servers run on this machine."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from lynkr_desktop.config.settings import Account, Limits, Target
from lynkr_desktop.engine.answer import fetch
from lynkr_desktop.engine.api import LocalServer, ProbeResult
from lynkr_desktop.engine.chat.request import TextPart
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import prepare
from lynkr_desktop.engine.providers import auth, listing
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.providers.provider import Provider
from lynkr_desktop.engine.sign_in import signed_in
from lynkr_desktop.engine.upstream import Call, Timeouts, Upstream
from lynkr_desktop.engine.wire.contract import CannotCarryError
from lynkr_desktop.engine.wire.table import PROVIDER_WIRES, WIRES
from lynkr_desktop.errors import FailureKind, LynkrError, UpstreamError
from lynkr_desktop.json_reader import encode

_QUESTION: Final = "Reply with the single word OK."
_MAX_TOKENS: Final = 256  # models that think and do not show it (Gemini) need room before the first word
_DISCOVERY: Final = Timeouts(connect=0.5, first_byte=1.5, idle=1.5)
_PROBE_LIMITS: Final = Limits(connect_seconds=10, first_byte_seconds=60, idle_seconds=60)
_LISTING: Final = Timeouts(connect=10, first_byte=20, idle=20)


async def probe(upstream: Upstream, access: Access, model: str) -> ProbeResult:
    """The cheapest real call: one short question, at most 256 tokens. Never raises for what the provider does."""
    started = time.perf_counter()
    name = model or access.account.model or access.provider.default_model
    try:
        text = await _ask(upstream, access, name)
    except (LynkrError, CannotCarryError) as error:
        kind = error.kind if isinstance(error, UpstreamError) else FailureKind.BAD_REQUEST
        return ProbeResult(False, str(error), _since(started), name, kind)
    return ProbeResult(True, text, _since(started), name)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


async def _ask(upstream: Upstream, access: Access, model: str) -> str:
    body = encode(
        {"model": model, "max_tokens": _MAX_TOKENS, "messages": [{"role": "user", "content": _QUESTION}], "stream": True}
    )
    request = WIRES["openai_chat"].parse_request(body)
    inbound = Inbound("probe", "", {}, b"", "", "")
    prepared = prepare(request, (Target(access.account.id, model), None), access, inbound, _PROBE_LIMITS)
    answer = await fetch(upstream, prepared)
    try:
        response = await answer.response(lambda _: None)
    finally:
        answer.close()
    words = "".join(part.text for part in response.parts if isinstance(part, TextPart)).strip()
    return words[:200] or f"{access.provider.wire}: it answered with reasoning only"


async def list_models(upstream: Upstream, access: Access) -> Mapping[str, ModelFacts]:
    """The models that an account offers, with what its server tells of them. Raises `UpstreamError` or `ConfigError`."""
    if access.provider.is_program:
        return dict.fromkeys(await upstream.program_models(access.base_url), ModelFacts())
    return await _listed(upstream, access, _LISTING)


async def _listed(upstream: Upstream, access: Access, timeouts: Timeouts) -> Mapping[str, ModelFacts]:
    provider, key = access.provider, access.key
    url = auth.models_url(provider, access.base_url)
    if not url:
        return {}
    auth.require_safe(url, has_key=key is not None)
    headers = {"accept": "application/json", "user-agent": "lynkr-desktop", **auth.headers_for(provider, key)}
    reply = await upstream.send(await signed_in(upstream, access, Call(provider.title, url, headers, None, timeouts)))
    try:
        if reply.status != 200:
            error = PROVIDER_WIRES[provider.wire].parse_error(reply.status, reply.headers, await reply.error_body())
            error.mask(key.reveal() if key else "")
            raise error
        return listing.listed(await reply.read(), provider.title)
    finally:
        reply.close()


async def reachable(upstream: Upstream, access: Access) -> str:
    """`ok`, or why an account cannot be used, by its list of models: costs nothing. No program is started only to ask it."""
    if access.provider.is_program:
        return "ok"
    try:
        await list_models(upstream, access)
    except LynkrError as error:
        return str(error)
    return "ok"


async def discover(upstream: Upstream) -> tuple[LocalServer, ...]:
    """Model servers on their usual ports of this machine. Those that speak no list of models are none."""
    candidates = [(provider, port) for provider in PROVIDERS.values() for port in provider.usual_ports]
    found = await asyncio.gather(*(_look(upstream, provider, port) for provider, port in candidates))
    return tuple(server for server in found if server is not None)


async def _look(upstream: Upstream, provider: Provider, port: int) -> LocalServer | None:
    base_url = f"http://127.0.0.1:{port}"
    try:
        models = await _listed(upstream, Access(Account("", provider.id), provider, base_url), _DISCOVERY)
    except LynkrError:
        return None
    return LocalServer(provider.id, provider.title, base_url, tuple(models))
