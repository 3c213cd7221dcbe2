"""One provider's answer, read as bytes and as events at once. Never commits a client to anything: that is the relay's part."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from lynkr_desktop.engine.chat.events import (
    Delta,
    Finished,
    Opened,
    Signed,
    Started,
    StopReason,
    StreamEvent,
    Usage,
)
from lynkr_desktop.engine.chat.response import ChatResponse, ResponseBuilder, fold
from lynkr_desktop.engine.prepare import Prepared
from lynkr_desktop.engine.providers.codex import Turn
from lynkr_desktop.engine.sign_in import secret_of, signed_in
from lynkr_desktop.engine.upstream import TURN_BYTES, Upstream, UpstreamReply
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.engine.wire.table import splitter_of
from lynkr_desktop.errors import FailureKind, UpstreamError


class Piece(msgspec.Struct, frozen=True):
    """One read of the socket: the bytes, the frames that became whole with them, and their events.

    `is_cut` says that a frame failed; then `frames` and `events` are those before it.
    """

    chunk: bytes
    frames: list[Frame]
    events: Sequence[StreamEvent]
    is_cut: bool = False


_GRACE_SECONDS: Final = 2.0  # after the last event, for the connection to end properly and be used again
_NOT_EMPTY: Final = frozenset({StopReason.REFUSAL, StopReason.PAUSE, StopReason.CONTEXT})


def is_content(event: StreamEvent) -> bool:
    """Does this event carry something that a client can use, or say properly why there is nothing?"""
    if isinstance(event, Delta):
        return not event.text.isspace()
    if isinstance(event, Opened):
        return not event.is_shell
    if isinstance(event, Finished):
        return event.reason in _NOT_EMPTY
    return isinstance(event, Signed)


class Answer:
    """An answer whose first content has come: from here on it is known to be one. Must be closed."""

    def __init__(self, prepared: Prepared, reply: UpstreamReply | Turn, leave: Callable[[], None] | None = None) -> None:
        self.prepared = prepared
        self.reply = reply
        self.started_ms = 0.0  # since the exchange began
        self.body: bytes | None = None  # of an answer in one piece
        self.held: list[Piece] = []  # what was read before the first content, and with it
        self._leave = leave
        self._splitter = splitter_of(prepared.wire.NAME, prepared.framing)
        self._chunks = reply.chunks()
        self._parser = prepared.stream_parser()
        self._is_ended = False
        self._is_finished = False
        self._failure: UpstreamError | None = None

    @property
    def is_whole(self) -> bool:
        """Has all been read already?"""
        return self._is_ended

    async def open(self) -> None:
        """Read until content has come. Raises `UpstreamError` if it is a refusal, empty, or nothing of the provider's wire."""
        reply, wire = self.reply, self.prepared.wire
        if reply.status != 200:
            error = wire.parse_error(reply.status, reply.headers, await reply.error_body())
            error.provider = error.provider or self.prepared.access.account.id
            self._mask(error)
            raise error
        if not self.prepared.is_streamed or reply.content_type == "application/json":
            self.body = await reply.read()
            events = self.prepared.parse_response(self.body)
            self.held, self._is_ended = [Piece(self.body, [], events)], True
            if len(self.body) > TURN_BYTES:
                await asyncio.sleep(0)
        elif reply.content_type == "text/html":
            raise self._foreign()
        while not any(is_content(event) for piece in self.held for event in piece.events):
            if self._is_ended:
                raise self._empty()
            self.held.append(await self._next_piece())

    async def pieces(self) -> AsyncIterator[Piece]:
        """What was held, then the rest as it comes. Raises `UpstreamError` if it breaks off."""
        for piece in self.held:
            yield piece
        self.held = []
        while not self._is_ended:
            yield await self._next_piece()

    async def read_whole(self) -> ChatResponse:
        """The whole answer, held for whoever relays it later. Raises `UpstreamError` if it breaks off."""
        while not self._is_ended:
            self.held.append(await self._next_piece())
        return fold(event for piece in self.held for event in piece.events)

    async def response(self, heard: Callable[[Piece], None]) -> ChatResponse:
        """The whole answer; `heard` listens meanwhile."""
        builder = ResponseBuilder()
        async for piece in self.pieces():
            heard(piece)
            for event in piece.events:
                builder.add(event)
        return builder.response()

    async def _next_piece(self) -> Piece:
        if self._failure is not None:
            raise self._failure
        chunk = await (self._rest() if self._is_finished else anext(self._chunks, b""))
        if not chunk:
            self._is_ended = True
            frames = self._splitter.close()
            piece = self._heard(b"", frames)
            return piece if piece.is_cut else msgspec.structs.replace(piece, events=[*piece.events, *self._parser.close()])
        return self._heard(chunk, self._splitter.feed(chunk))

    async def _rest(self) -> bytes:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                return await anext(self._chunks, b"")
        return b""

    def _heard(self, chunk: bytes, frames: list[Frame]) -> Piece:
        """The frames' events. If one of them fails, what came before it is given first; the failure comes with the next piece."""
        events: list[StreamEvent] = []
        for index, frame in enumerate(frames):
            try:
                events += self._parser.feed(frame)
            except UpstreamError as error:
                self._mask(error)
                self._failure, self._is_ended = error, False
                return Piece(chunk, frames[:index], events, is_cut=True)
        self._is_finished = self._is_finished or (bool(events) and isinstance(events[-1], Finished))
        return Piece(chunk, frames, events)

    def told(self) -> Usage:
        """The usage that the provider told before it failed: that much it charges."""
        usage = Usage()
        for piece in self.held:
            for event in piece.events:
                if isinstance(event, Started | Finished):
                    usage = usage.merged(event.usage)
        return usage

    def close(self) -> None:
        """Hang up if anything is left to read, and make place for the next one."""
        self.reply.close()
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()

    def _mask(self, error: UpstreamError) -> None:
        key = self.prepared.access.key
        if key is not None:
            error.mask(key.reveal())
        error.mask(secret_of(self.prepared.call))

    def _empty(self) -> UpstreamError:
        account = self.prepared.access.account
        return UpstreamError(
            FailureKind.EMPTY, f"{account.title or account.id} answered without any content.", provider=account.id, status=200
        )

    def _foreign(self) -> UpstreamError:
        account = self.prepared.access.account
        return UpstreamError(
            FailureKind.PROTOCOL,
            f"{account.title or account.id} answered with a web page instead of its API.",
            "Is the account's base URL right?",
            provider=account.id,
            status=200,
        )


async def fetch(upstream: Upstream, prepared: Prepared, when_lost: Callable[[Usage], None] = lambda _: None) -> Answer:
    """Send a prepared call and wait for the first content. Raises `UpstreamError`; nothing is left open then.

    `when_lost` hears what a provider told of usage before it failed.
    """
    if prepared.access.provider.must_sign_in:
        prepared = msgspec.structs.replace(prepared, call=await signed_in(upstream, prepared.access, prepared.call))
    account, provider = prepared.access.account, prepared.access.provider
    most, leave = account.most_at_once or provider.most_at_once, None
    if most:
        leave = await upstream.place(f"{account.id}:{prepared.access.key_id}", most, prepared.call)
    try:
        reply = await upstream.send(prepared.call)
    except BaseException:
        if leave is not None:
            leave()
        raise
    answer = Answer(prepared, reply, leave)
    try:
        await answer.open()
    except BaseException:
        answer.close()
        when_lost(answer.told())
        raise
    return answer
