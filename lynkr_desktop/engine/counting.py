"""How many tokens a request is: exact where the provider counts in the client's own wire, else counted here, off the loop."""

import asyncio
import logging
from typing import Final

import msgspec

from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.prepare import passed_on
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.engine.providers.catalogue import way
from lynkr_desktop.engine.routing.route import Route
from lynkr_desktop.engine.sign_in import signed_in
from lynkr_desktop.engine.tokenizer import counted_tokens
from lynkr_desktop.engine.upstream import Call, Timeouts, Upstream
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.json_reader import Fields, ShapeError

_log: Final = logging.getLogger(__name__)
_TIMEOUTS: Final = Timeouts(connect=5, first_byte=15, idle=15)


class TokenCounter:
    """Asks the provider that would serve; falls back to the estimate without telling the client of the failure."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def count(self, request: ChatRequest, route: Route, plan: Plan, inbound: Inbound) -> tuple[int, bool]:
        """Tokens of the input, and whether that is exact."""
        try:
            exact = await self._exact(request, route, plan, inbound)
        except (LynkrError, ShapeError) as error:
            _log.info("no exact token count: %s", error)
            exact = None
        if exact is not None:
            return exact, True
        return await asyncio.to_thread(counted_tokens, request), False

    async def _exact(self, request: ChatRequest, route: Route, plan: Plan, inbound: Inbound) -> int | None:
        target, _ = route.targets[0]
        access = plan.access(target.account)
        provider = way(access.provider.id, access.base_url, target.model, request.wire)
        access = msgspec.structs.replace(access, provider=provider)
        if provider.wire != request.wire or not (url := auth.count_url(provider, access.base_url)):
            return None
        auth.require_safe(url, has_key=access.key is not None)
        own = auth.headers_for(provider, access.key) | {"content-type": "application/json"}
        headers = own | passed_on(inbound, provider.id, target.model)
        body = WIRES[provider.wire].renamed(request, target.model, asks_usage=False)
        call = await signed_in(self._upstream, access, Call(provider.title, url, headers, body, _TIMEOUTS))
        reply = await self._upstream.send(call)
        try:
            if reply.status != 200:
                return None
            return Fields.parse(await reply.read()).optional("input_tokens", int)
        finally:
            reply.close()
