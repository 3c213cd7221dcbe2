"""The short way in: a plain POST to a model's path is served on the raw connection; anything else goes to aiohttp as it came.

aiohttp's layers cost several times what the proxy itself does. Plain means: HTTP/1.1, one of the given paths, a length, and
nothing that asks for more (chunks, Expect, Upgrade, packed bodies, Connection: close). All others are handed over with
their bytes and connection, so there is one meaning of every request and two speeds.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final

import httptools
import msgspec

from lynkr_desktop.engine.pipeline import Reply
from lynkr_desktop.engine.surfaces import PROJECT_START, parted

_MAX_HEAD_BYTES: Final = 64 * 1024
_MAX_AHEAD_BYTES: Final = 256 * 1024  # what a client may send beyond the request in progress
_NOT_PLAIN: Final = frozenset({"transfer-encoding", "expect", "upgrade", "content-encoding", "connection", "te"})
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class PlainRequest(msgspec.Struct, frozen=True):
    """A whole request. `target` is the path with its query; header names are lower case."""

    target: str
    headers: dict[str, str]
    body: bytes


Serve = Callable[[PlainRequest], Awaitable[Reply]]
Spawn = Callable[[Any, str], "asyncio.Task[Any]"]


class FastDoor(asyncio.Protocol):
    """One connection. Requests are served one after the other; a client that leaves cancels the one in progress."""

    def __init__(
        self, paths: tuple[bytes, ...], max_body: int, serve: Serve, spawn: Spawn, fallback: Callable[[], asyncio.Protocol]
    ) -> None:
        self._paths = frozenset(paths)
        self._starts = tuple(b"POST " + path for path in (*paths, PROJECT_START.encode()))
        self._max_body = max_body
        self._serve = serve
        self._spawn = spawn
        self._fallback = fallback
        self._transport: Any = None
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._task: asyncio.Task[Any] | None = None
        self._drained: asyncio.Future[None] | None = None
        self.is_idle = True
        self.has_waited = False  # for whoever looks for connections that nobody uses

    @property
    def is_gone(self) -> bool:
        """Is this connection closed, or no longer ours?"""
        return self._transport is None

    @property
    def is_busy(self) -> bool:
        """Is a request being answered?"""
        return self._task is not None

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        self._buffer += data
        if self._task is not None:
            if len(self._buffer) > _MAX_AHEAD_BYTES:
                self._transport.pause_reading()
            return
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left."""
        self._transport = None
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The client reads slower than the model writes."""
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def close(self) -> None:
        """End a connection that waits for a request."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End a connection whatever it does."""
        if self._transport is not None:
            self._transport.abort()

    # --- requests ---

    def _advance(self) -> None:
        """Serve the next request if it is whole; hand over what is not plain."""
        if self._head is None:
            self.is_idle = not self._buffer
            end = self._buffer.find(b"\r\n\r\n") + 4
            if end < 4:
                if len(self._buffer) > _MAX_HEAD_BYTES or not self._may_become_plain():
                    self._hand_over()
                return
            self._head = self._plain_head(bytes(self._buffer[:end]))
            if self._head is None:
                self._hand_over()
                return
        head = self._head
        if len(self._buffer) >= head.end + head.length:
            self._begin(head)

    def _begin(self, head: "_Head") -> None:
        whole = head.end + head.length
        request = PlainRequest(head.target, head.headers, bytes(memoryview(self._buffer)[head.end : whole]))
        del self._buffer[:whole]
        self._head = None
        self._task = self._spawn(self._answer(request), "a request")

    def _may_become_plain(self) -> bool:
        line = bytes(self._buffer[:64])
        return any(line.startswith(start) or start.startswith(line) for start in self._starts)

    def _plain_head(self, raw: bytes) -> "_Head | None":
        if not raw.startswith(self._starts):
            return None
        head = _Head()
        try:
            httptools.HttpRequestParser(head).feed_data(raw)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, UnicodeDecodeError):
            return None
        head.end = len(raw)
        path = parted(head.target.partition("?")[0])[1].encode()
        is_known = path in self._paths and raw.partition(b"\r\n")[0].endswith(b" HTTP/1.1")
        return head if is_known and head.is_plain(self._max_body) else None

    def _hand_over(self) -> None:
        """From now on the connection is aiohttp's."""
        transport, self._transport = self._transport, None
        protocol = self._fallback()
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        protocol.data_received(bytes(self._buffer))
        self._buffer.clear()

    # --- answers ---

    async def _answer(self, request: PlainRequest) -> None:
        self.is_idle = self.has_waited = False
        try:
            reply = await self._serve(request)
            if reply.chunks is None:
                self._write(_head_of(reply, b"content-length: %d\r\n\r\n" % len(reply.body)) + reply.body)
            else:
                await self._stream(reply, reply.chunks)
        except BaseException:
            self.abort()
            raise
        finally:
            self._task = None
        if self._transport is not None:
            self._transport.resume_reading()
            self._advance()

    async def _stream(self, reply: Reply, source: AsyncGenerator[bytes]) -> None:
        async with aclosing(source) as chunks:
            first = await anext(chunks, b"")
            self._write(_head_of(reply, b"transfer-encoding: chunked\r\n\r\n") + _chunk(first))
            async for chunk in chunks:
                self._write(_chunk(chunk))
                if self._drained is not None:
                    await self._drained
            self._write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


class _Head:
    """Takes what the parser finds in one request's head."""

    def __init__(self) -> None:
        self.target = ""
        self.headers: dict[str, str] = {}
        self.end = 0
        self.length = 0
        self._has_twice = False

    def on_url(self, url: bytes) -> None:
        self.target += url.decode("ascii")

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("ascii").lower()
        self._has_twice = self._has_twice or key in self.headers
        self.headers[key] = value.decode("latin-1")

    def is_plain(self, max_body: int) -> bool:
        """Is there nothing in it that needs more than a length?"""
        length = self.headers.get("content-length", "")
        if self._has_twice or not length.isdigit() or len(length) > 12:
            return False
        self.length = int(length)
        asks = _NOT_PLAIN.intersection(self.headers)
        is_kept = self.headers.get("connection", "keep-alive").lower() == "keep-alive"
        return self.length <= max_body and is_kept and asks <= {"connection"}


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _head_of(reply: Reply, end: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    return f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}\r\n{lines}".encode("latin-1", "replace") + end
