"""HTTP/1.1 as a client, for one job: send a whole request, read the answer as it comes. No policy, no errors of ours.

Written on httptools (the parser of Node and uvicorn) because a general client's layers cost ten times what the rest of a request
costs. Takes no redirect, no cookie, no environment proxy. Raises `OSError`, `TimeoutError` and `HttpError`.
"""

import asyncio
import ssl
import zlib
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httptools
import msgspec

_HIGH_WATER: Final = 1024 * 1024  # bytes held for a slow reader before the socket is paused
_MAX_HEAD_BYTES: Final = 256 * 1024
_IDLE_SECONDS: Final = 25.0  # a kept connection older than this is not used again: most servers hang up after 30 or more
_TICK_SECONDS: Final = 0.1
_MAX_IDLE: Final = 32  # kept connections for one origin
_MAX_EXPANSION: Final = 256 * 1024 * 1024
_FREE_EXPANSION: Final = 4 * 1024 * 1024  # beyond it a body may unpack to so many times its size only
_MAX_RATIO: Final = 200
_WBITS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class HttpError(Exception):
    """The other side does not speak HTTP/1.1 as it should, or broke off in the middle."""


class StaleConnectionError(HttpError):
    """The other side closed the connection without any answer."""


class Origin(msgspec.Struct, frozen=True):
    """Where a connection goes."""

    scheme: str
    host: str
    port: int


@lru_cache(maxsize=256)
def split_url(url: str) -> tuple[Origin, str, str]:
    """Origin, the `Host` header's value and the path with query. Raises `ValueError` for what is no http(s) address."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http address")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(parts.scheme, parts.hostname, port), parts.netloc.rpartition("@")[2], path


def head_of(method: str, host: str, path: str, headers: Mapping[str, str], length: int | None) -> bytes:
    """The request's head. Raises `ValueError` if a header would break out of its line."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    text = "\r\n".join(lines)
    if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1 or "\0" in text:
        raise ValueError("a header holds a line break")
    return text.encode("latin-1") + b"\r\n\r\n"


class _Home(Protocol):
    def keep(self, connection: "Connection") -> None: ...
    def forget(self, connection: "Connection") -> None: ...
    def deadline(self, seconds: float) -> float: ...


class Connection(asyncio.Protocol):
    """One connection, one answer at a time: `send`, `head`, then `read` until it gives no bytes."""

    def __init__(self, origin: Origin, home: _Home, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.is_reused = False
        self.idle_since = 0.0
        self.status = 0
        self.headers: dict[str, str] = {}
        self._home = home
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._deadline = 0.0
        self._begin()

    def _begin(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._has_head = self._is_whole = self._is_paused = self._has_bytes = False
        self._until_close = False
        self._failure: BaseException | None = None
        self._expander: Any = None
        self._packed = self._expanded = 0

    # --- the caller's side ---

    def send(self, head: bytes, body: bytes | None) -> None:
        """Write a request."""
        if self._transport is None or self._transport.is_closing():
            raise StaleConnectionError("the connection is closed")
        self._begin()
        self.headers = {}
        self._parser = httptools.HttpResponseParser(self)
        if body is None or len(body) > _HIGH_WATER:
            self._transport.write(head)
            if body:
                self._transport.write(body)
        else:
            self._transport.write(head + body)

    async def head(self, seconds: float) -> None:
        """Wait for status and headers. Raises `TimeoutError` if they do not come in time."""
        while not self._has_head:
            await self._wait(seconds)

    def ready(self) -> bytes:
        """What has arrived and was not read yet; may be empty."""
        if not self._chunks:
            return b""
        chunk = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return chunk

    async def read(self, seconds: float) -> bytes:
        """The next bytes of the body; empty at its end. Raises `TimeoutError` after so much silence."""
        while not self._chunks and not self._is_whole:
            await self._wait(seconds)
        return self.ready()

    def release(self) -> None:
        """Done: keep the connection if the answer is whole and both sides may, else hang up at once."""
        if self._transport is None:
            return
        if self._is_whole and not self._until_close and self._parser is not None and not self._transport.is_closing():
            self._chunks.clear()
            self._home.keep(self)
        else:
            self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        self._home.forget(self)
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def cut(self, error: Exception) -> None:
        """Break off an answer in progress: whoever reads it gets this error, after what has arrived."""
        if not self._is_whole:
            self._fail(error)
            self.abort()

    async def _wait(self, seconds: float) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        self._deadline = self._home.deadline(seconds)
        try:
            await self._waiter
        finally:
            self._waiter = None

    def expire(self, now: float) -> None:
        """End a wait that has lasted too long."""
        if self._waiter is not None and now >= self._deadline and not self._waiter.done():
            self._waiter.set_exception(TimeoutError())

    @property
    def is_waiting(self) -> bool:
        """Does somebody wait for bytes?"""
        return self._waiter is not None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        self._wake()

    # --- asyncio's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer. Bytes that nobody asked for end the connection."""
        if not self._is_asked():
            self.abort()
            return
        self._has_bytes = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, HttpError, zlib.error) as error:
            if self._is_whole:  # the answer itself is good; what follows it is dropped with the connection
                self._wake()
                self.abort()
                return
            self._fail(HttpError(f"the answer is not proper HTTP: {error.__context__ or error}"))
            self.abort()
            return
        if self._held > _HIGH_WATER and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        if self._has_head:
            self._wake()

    def _is_asked(self) -> bool:
        return self._parser is not None and not self._is_whole

    def eof_received(self) -> bool:
        """The other side sends no more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone. An answer without a length ends so; any other has broken off."""
        self._transport = None
        self._home.forget(self)
        if self._has_head and self._until_close and exc is None:
            self._is_whole = True
            self._wake()
        elif not self._is_whole:
            self._fail(
                HttpError("the connection was closed in the middle") if self._has_bytes else StaleConnectionError("no answer")
            )

    # --- httptools' side ---

    def on_message_begin(self) -> None:
        """An answer begins; a second one nobody has asked for."""
        if self._is_whole:
            raise HttpError("it goes on after its end")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        self._held += len(name) + len(value)
        if self._held > _MAX_HEAD_BYTES:
            raise HttpError("its headers are too large")
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is whole. 1xx answers are passed over."""
        self._held = 0
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers = {}
            return
        has_end = "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "").lower()
        self._until_close = not has_end and self.status not in (204, 304)
        coding = self.headers.get("content-encoding", "identity").strip().lower()
        if coding in _WBITS:
            self._expander = zlib.decompressobj(_WBITS[coding])
        elif coding not in ("identity", ""):
            raise HttpError(f"it is packed as {coding[:20]!r}, which was not asked for")
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        """More of the body."""
        if self._expander is not None:
            body = self._unpacked(body)
        if body:
            self._chunks.append(body)
            self._held += len(body)

    def _unpacked(self, packed: bytes) -> bytes:
        """What a piece unpacks to. Never unpacks more than may be kept."""
        self._packed += len(packed)
        most = min(_MAX_EXPANSION, max(_FREE_EXPANSION, self._packed * _MAX_RATIO)) - self._expanded
        body: bytes = self._expander.decompress(packed, most + 1)
        self._expanded += len(body)
        if len(body) > most:
            raise HttpError("it unpacks to too much")
        return body

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._has_head:
            self._is_whole = True
            if not self._parser.should_keep_alive():
                self._until_close = True


class Pool:
    """Kept connections by origin, newest first. One clock for all waits: a timer for each would cost more than the wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle: dict[Origin, list[Connection]] = {}
        self._all: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def connect(self, origin: Origin) -> Connection:
        """A new connection. Raises `OSError`; `ssl.SSLError` is one."""
        context = await self._context() if origin.scheme == "https" else None
        _, connection = await self._loop.create_connection(
            lambda: Connection(origin, self, self._loop), origin.host, origin.port, ssl=context
        )
        self._all.add(connection)
        return connection

    def kept(self, origin: Origin) -> Connection | None:
        """A kept connection, if there is one."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        connection = idle.pop()
        if self._loop.time() - connection.idle_since < _IDLE_SECONDS:
            connection.is_reused = True
            return connection
        for old in (connection, *idle):
            old.abort()
        return None

    def keep(self, connection: Connection) -> None:
        """Take a connection back."""
        idle = self._idle.setdefault(connection.origin, [])
        if self._is_closed or len(idle) >= _MAX_IDLE:
            connection.abort()
            return
        connection.idle_since = self._loop.time()
        idle.append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_IDLE_SECONDS, self._drop_old)

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        self._all.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle and connection in idle:
            idle.remove(connection)

    def deadline(self, seconds: float) -> float:
        """The loop's time in so many seconds; whoever waits until then is woken at most a tick later."""
        if self._tick is None and not self._is_closed:
            self._tick = self._loop.call_later(_TICK_SECONDS, self._expire)
        return self._loop.time() + seconds

    def _expire(self) -> None:
        now, self._tick = self._loop.time(), None
        for connection in list(self._all):
            connection.expire(now)
        if any(connection.is_waiting for connection in self._all):
            self._tick = self._loop.call_later(_TICK_SECONDS, self._expire)

    def _drop_old(self) -> None:
        self._sweep = None
        limit = self._loop.time() - _IDLE_SECONDS
        for idle in list(self._idle.values()):
            for connection in [each for each in idle if each.idle_since <= limit]:
                connection.abort()
        self._idle = {origin: idle for origin, idle in self._idle.items() if idle}
        if self._idle:
            self._sweep = self._loop.call_later(_IDLE_SECONDS / 2, self._drop_old)

    async def _context(self) -> ssl.SSLContext:
        """The system's trust. Made once, in a thread: it reads files."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(_system_trust)
        return self._tls

    def cut(self, error: Exception) -> None:
        """Break off all answers in progress."""
        for connection in list(self._all):
            connection.cut(error)

    def close(self) -> None:
        """Hang up everywhere."""
        self._is_closed = True
        for timer in (self._sweep, self._tick):
            if timer is not None:
                timer.cancel()
        for connection in list(self._all):
            connection.abort()


def _system_trust() -> ssl.SSLContext:
    import truststore  # noqa: PLC0415 - only who uses https pays

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
