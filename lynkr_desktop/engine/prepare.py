"""From a request and a target to a call that can be sent, and what is lost on the way. Pure: nothing is sent here."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Limits, Target, Tier
from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.request import ChatRequest
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import way
from lynkr_desktop.engine.providers.codex_words import losses_of
from lynkr_desktop.engine.providers.rules import passing_betas, rules_for
from lynkr_desktop.engine.resilience.ladder import Rung
from lynkr_desktop.engine.upstream import PROGRAM, Call, Timeouts
from lynkr_desktop.engine.wire.anthropic.hosted import hosted
from lynkr_desktop.engine.wire.contract import ProviderWire, Rendered, StreamParser
from lynkr_desktop.engine.wire.hidden import Hidden, UnhidingParser, hidden_in
from lynkr_desktop.engine.wire.table import PROVIDER_WIRES, WIRES

_BETAS: Final = "anthropic-beta"
_PASSED_ON: Final = ("anthropic-version", _BETAS, "openai-beta", "user-agent", "x-app")
# A client that wants one JSON may wait minutes for a long answer: the provider then streams it to us, so silence shows.
_SHORT_ANSWER_TOKENS: Final = 4096
_PROBABILITIES: Final = ("logprobs", "top_logprobs")
_NOTHING: Final = frozenset({b"null", b"false", b"0"})
_QUERIES: Final = frozenset({"beta=true"})


class Prepared(msgspec.Struct, frozen=True):
    """A call and how its answer must be read.

    An answer in which something may be hidden is rendered even for a client of the same wire: its bytes cannot be passed on.
    """

    target: Target
    tier: Tier | None
    access: Access
    wire: ProviderWire
    call: Call
    fidelity: str
    is_streamed: bool
    is_usage_added: bool = False
    losses: tuple[str, ...] = ()
    tool_names: Mapping[str, str] = {}
    hidden: Hidden | None = None

    @property
    def is_relayed(self) -> bool:
        """May the provider's own words go to the client?"""
        return self.fidelity != "translated" and self.hidden is None

    @property
    def framing(self) -> str:
        """How the provider frames a stream where that is not its wire's own way; else empty."""
        return self.access.provider.framing

    def stream_parser(self) -> StreamParser:
        """A parser for one answer."""
        parser = self.wire.stream_parser(self.tool_names)
        return UnhidingParser(parser, self.hidden) if self.hidden else parser

    def parse_response(self, body: bytes) -> Sequence[StreamEvent]:
        """A whole answer as events. Raises `UpstreamError` if it is not one."""
        events = self.wire.parse_response(body, self.tool_names)
        return self.hidden.rewriter()(events) if self.hidden else events


def prepare(
    request: ChatRequest, rung: Rung, access: Access, inbound: Inbound, limits: Limits, *, is_edited: bool = False
) -> Prepared:
    """The call for one target. `is_edited`: the client's own JSON says something else by now.

    Raises `CannotCarryError` if its wire cannot say what matters, `ConfigError` without a key.
    """
    target, tier = rung
    if access.provider.doors:
        provider = way(access.provider.id, access.base_url, target.model, request.wire)
        access = msgspec.structs.replace(access, provider=provider)
    provider = access.provider
    wire, client_wire = PROVIDER_WIRES[provider.wire], WIRES[request.wire]
    quirks = access.quirks(target.model)
    is_same_wire = request.wire == wire.NAME
    is_streamed = request.is_streamed or not (is_same_wire or 0 < (request.max_tokens or 0) <= _SHORT_ANSWER_TOKENS)
    is_usage_added = is_same_wire and is_streamed and quirks.takes_stream_options and not request.wants_stream_usage
    if is_same_wire and not is_edited and client_wire.suits(request, quirks):
        fidelity, rendered = "verbatim", Rendered(client_wire.renamed(request, target.model, asks_usage=is_usage_added))
    else:
        fidelity = "native" if is_same_wire else "translated"
        rendered = wire.render_request(request, target.model, quirks, is_streamed=is_streamed)
    hidden = hidden_in(request, quirks, rendered.tool_names)
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if is_streamed else "application/json",
        "accept-encoding": "identity",
        "user-agent": "lynkr-desktop",
        **auth.headers_for(provider, access.key),
    }
    if is_same_wire:
        headers |= passed_on(inbound, provider.id, target.model)
    if quirks.hosted_version:
        rendered = hosted(rendered, quirks.hosted_version, headers, is_streamed=is_streamed)
    if provider.is_program:
        fidelity, rendered = "translated", msgspec.structs.replace(rendered, losses=(*rendered.losses, *losses_of(request)))
    if fidelity == "verbatim" and (hidden or quirks.hosted_version):
        fidelity = "native"  # the answer may not come back as it is, or something in the request is at another place
    losses = rendered.losses + (_untold(request) if hidden and is_same_wire else ())
    if 0 < provider.reads_bytes < len(request.body):
        losses = (*losses, "all but the newest part of a long request")
    timeouts = Timeouts(limits.connect_seconds, limits.first_byte_seconds, limits.idle_seconds)
    url = _url(request, target, access, inbound, is_streamed=is_streamed)
    return Prepared(
        target=target,
        tier=tier,
        access=access,
        wire=wire,
        call=Call(access.account.title or access.account.id, url, headers, rendered.body, timeouts),
        fidelity=fidelity,
        is_streamed=is_streamed,
        is_usage_added=is_usage_added,
        losses=losses,
        tool_names=rendered.tool_names,
        hidden=hidden,
    )


def _untold(request: ChatRequest) -> tuple[str, ...]:
    """What the client asked to be told beside the words, and what an answer that is rendered anew does not tell."""
    asked = (bytes(request.fields.get(name, b"null")) for name in _PROBABILITIES)
    return ("log probabilities",) if any(value not in _NOTHING for value in asked) else ()


def _url(request: ChatRequest, target: Target, access: Access, inbound: Inbound, *, is_streamed: bool) -> str:
    provider = access.provider
    if provider.is_program:
        return PROGRAM + access.base_url
    has_ways, has_key = bool(provider.other_paths), access.key is not None
    model = target.model if has_ways or "{model}" in provider.chat_path else ""
    client_wire = request.wire if has_ways else ""
    url = _chat_url(provider.id, access.base_url, model, client_wire, is_streamed=is_streamed, has_key=has_key)
    is_asked = inbound.query in _QUERIES and request.wire == provider.wire and not provider.quirks.hosted_version
    return f"{url}?{inbound.query}" if is_asked else url


@lru_cache(maxsize=256)
def _chat_url(provider_id: str, base_url: str, model: str, client_wire: str, *, is_streamed: bool, has_key: bool) -> str:
    url = auth.chat_url(way(provider_id, base_url, model, client_wire), base_url, model, is_streamed=is_streamed)
    auth.require_safe(url, has_key=has_key)
    return url


def passed_on(inbound: Inbound, provider: str, model: str) -> dict[str, str]:
    """The client's headers that mean something to a provider of the same wire; all others stay here."""
    kept: dict[str, str] = {name: inbound.headers[name] for name in _PASSED_ON if name in inbound.headers}
    if betas := kept.pop(_BETAS, ""):
        betas = passing_betas(betas, rules_for(provider, model))
    return kept | ({_BETAS: betas} if betas else {})
