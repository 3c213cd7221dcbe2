"""Gets to know the models in use on servers of this machine, and has them loaded where the user wants that. Knows no request.

Asked are servers that can tell of one model (Ollama), about the models of tiers and Direct mode, until they have answered: a
server that is down now may be up in a minute. What lists of models tell is kept here too.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from lynkr_desktop.config.settings import TIERS, Target
from lynkr_desktop.engine.plan import Plan
from lynkr_desktop.engine.providers import auth, listing
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.upstream import Call, Timeouts, Upstream
from lynkr_desktop.engine.wire import ollama
from lynkr_desktop.engine.wire.table import PROVIDER_WIRES
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.json_reader import encode

_log: Final = logging.getLogger(__name__)
_ASKING: Final = Timeouts(connect=1, first_byte=5, idle=5)
_LOADING: Final = Timeouts(connect=1, first_byte=300, idle=300)


class ModelWatch:
    """What servers told, by account and model. `changed` is called after each answer that told something; it makes a new plan."""

    def __init__(self, upstream: Upstream, plan: Callable[[], Plan], changed: Callable[[], None]) -> None:
        self._upstream = upstream
        self._plan = plan
        self._changed = changed
        self._told: dict[str, dict[str, ModelFacts]] = {}
        self._loaded: set[Target] = set()

    @property
    def told(self) -> Mapping[str, Mapping[str, ModelFacts]]:
        """All of it."""
        return self._told

    def hear(self, account: str, told: Mapping[str, ModelFacts]) -> None:
        """What a list of models told. What is known from elsewhere stays."""
        known = self._told.setdefault(account, {})
        before = len(known)
        known |= {model: facts for model, facts in told.items() if model not in known and facts != ModelFacts()}
        if len(known) != before:
            self._changed()

    def forget(self) -> None:
        """Accounts are others now: ask again."""
        self._told.clear()
        self._loaded.clear()

    async def look(self) -> None:
        """Ask about each model in use that is not known yet, and load what is to be loaded. Never raises for a server's sake."""
        for target in _in_use(self._plan()):
            try:
                await self._meet(target)
                await self._load(target)
            except LynkrError as error:
                _log.info("%s told nothing of %s: %s", target.account, target.model, error)

    async def _meet(self, target: Target) -> None:
        access, known = self._plan().accesses.get(target.account), self._told.setdefault(target.account, {})
        if access is None or not access.provider.show_path or target.model in known:
            return
        answer = await self._ask(access, access.provider.show_path, {"model": target.model}, _ASKING)
        known[target.model] = listing.shown(answer, access.provider.title)
        self._changed()

    async def _load(self, target: Target) -> None:
        """Take a model into memory as requests will ask for it: with another window it would be loaded anew."""
        access = self._plan().accesses.get(target.account)
        if access is None or not (access.account.is_preloaded and access.provider.load_path) or target in self._loaded:
            return
        self._loaded.add(target)
        quirks = access.quirks(target.model)
        wanted: dict[str, Any] = {"model": target.model, "stream": False}
        if quirks.context_tokens:
            wanted["options"] = {"num_ctx": quirks.context_tokens}
        if quirks.keep_alive:
            wanted["keep_alive"] = ollama.keep_alive(quirks.keep_alive)
        await self._ask(access, access.provider.load_path, wanted, _LOADING)

    async def _ask(self, access: Access, path: str, body: dict[str, Any], timeouts: Timeouts) -> bytes:
        provider, key = access.provider, access.key
        url = auth.joined(provider, access.base_url, path)
        auth.require_safe(url, has_key=key is not None)
        headers = {"content-type": "application/json", "user-agent": "lynkr-desktop", **auth.headers_for(provider, key)}
        reply = await self._upstream.send(Call(provider.title, url, headers, encode(body), timeouts))
        try:
            if reply.status != 200:
                error = PROVIDER_WIRES[provider.wire].parse_error(reply.status, reply.headers, await reply.error_body())
                error.mask(key.reveal() if key else "")
                raise error
            return await reply.read()
        finally:
            reply.close()


def _in_use(plan: Plan) -> list[Target]:
    """The targets of tiers, Direct mode and fallback, each once."""
    routing = plan.settings.routing
    ends = [target for target in (routing.direct, routing.fallback) if target is not None]
    return list(dict.fromkeys([*(target for tier in TIERS for target in routing.tiers.of(tier)), *ends]))
