"""Calls to providers: timeouts, bytes out and in, and what a broken connection means. Knows no vendor JSON.

Timeouts are for connecting, for the first byte and for silence; never for the whole. Redirects are not followed: a key goes
nowhere but to the address that it was entered for.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from lynkr_desktop.engine.http1 import Connection, HttpError, Origin, Pool, StaleConnectionError, head_of, split_url
from lynkr_desktop.engine.providers.codex import CodexServer, Turn
from lynkr_desktop.errors import BusyError, FailureKind, UpstreamError

TURN_BYTES: Final = 64 * 1024  # of a body that are worked on in one turn of the loop
_MAX_WHOLE_BYTES: Final = 256 * 1024 * 1024
_MAX_ERROR_BYTES: Final = 64 * 1024
_MOST_WAITING: Final = 50  # for a place of an account that serves only so many requests at once


class Timeouts(msgspec.Struct, frozen=True):
    """Bounds in seconds."""

    connect: float
    first_byte: float
    idle: float


class Call(msgspec.Struct, frozen=True):
    """One request to a provider, ready to be sent. `account` is for error messages; `body` None makes it a GET."""

    account: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeouts: Timeouts


PROGRAM: Final = "program:"  # begins the address of a program of the user's, which stands in the place of a server


class UpstreamReply:
    """A provider's answer: status and headers are here, the body comes when asked. Must be closed."""

    def __init__(self, call: Call, connection: Connection) -> None:
        self._call = call
        self._connection: Connection | None = connection
        self.status = connection.status
        self.headers = connection.headers  # names in lower case; of a repeated one, the last

    @property
    def content_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it arrives, one piece per read of the socket; a large read in several, with a pause for others between.

        Raises `UpstreamError` if it breaks off or falls silent.
        """
        taken = 0
        while chunk := await self._chunk():
            if taken + len(chunk) <= TURN_BYTES:
                taken += len(chunk)
                yield chunk
                continue
            for start in range(0, len(chunk), TURN_BYTES):
                await asyncio.sleep(0)
                yield chunk[start : start + TURN_BYTES]
            taken = 0

    async def _chunk(self) -> bytes:
        """The next bytes; empty at the end."""
        connection, idle = self._connection, self._call.timeouts.idle
        if connection is None:
            return b""
        if chunk := connection.ready():
            return chunk
        try:
            return await connection.read(idle)
        except TimeoutError:
            raise _silent(self._call, idle) from None
        except (HttpError, OSError) as error:
            raise _broken(self._call, error) from None

    async def read(self, limit: int = _MAX_WHOLE_BYTES) -> bytes:
        """The whole body. Raises `UpstreamError` if it is larger than the limit or breaks off."""
        parts: list[bytes] = []
        size = 0
        while chunk := await self._chunk():
            size += len(chunk)
            if size > limit:
                raise UpstreamError(FailureKind.PROTOCOL, "The answer is too large.", provider=self._call.account)
            parts.append(chunk)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def error_body(self) -> bytes:
        """The beginning of a refusal's body; what cannot be read is left out."""
        parts: list[bytes] = []
        size = 0
        try:
            while size < _MAX_ERROR_BYTES and (chunk := await self._chunk()):
                parts.append(chunk)
                size += len(chunk)
        except UpstreamError:
            pass
        return b"".join(parts)[:_MAX_ERROR_BYTES]

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else hang up at once."""
        if self._connection is not None:
            self._connection.release()
            self._connection = None


class _Queue:
    """The places of an account that may be used only so often at once, and how many wait for one."""

    def __init__(self, most: int) -> None:
        self.places = asyncio.Semaphore(most)
        self.waiting = 0


class Upstream:
    """The connections to all providers. Lives on one loop."""

    def __init__(self) -> None:
        self._pool: Pool | None = None
        self._cut: BusyError | None = None
        self._programs: dict[str, CodexServer] = {}
        self._queues: dict[str, _Queue] = {}
        self._waits: set[asyncio.Timeout] = set()  # for connections, and before another try

    def open(self) -> None:
        """Make the pool; on the loop that will use it."""
        self._pool = Pool()
        self._cut = None

    def cut(self, error: BusyError) -> None:
        """Break off all calls in progress with this error, and all later ones until the next `open`."""
        self._cut = error
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(0)
        for program in self._programs.values():
            program.cut(error)
        if self._pool is not None:
            self._pool.cut(error)

    async def pause(self, seconds: float) -> None:
        """Wait before another try. Raises `BusyError` if the calls are broken off meanwhile."""
        with suppress(TimeoutError):
            async with self._wait_of(seconds):
                await asyncio.Event().wait()
        if self._cut is not None:
            raise self._cut

    @asynccontextmanager
    async def _wait_of(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(seconds) as wait:
            self._waits.add(wait)
            try:
                yield
            finally:
                self._waits.discard(wait)

    async def close(self) -> None:
        """Hang up everywhere, and end the programs that were started."""
        programs, self._programs = self._programs, {}
        for program in programs.values():
            await program.close()
        if self._pool is not None:
            self._pool.close()
            self._pool = None
            await asyncio.sleep(0)  # lets the transports close

    async def send(self, call: Call) -> UpstreamReply | Turn:
        """Send a call and wait for status and headers. Raises `UpstreamError(UNREACHABLE | TIMEOUT | PROTOCOL)`, `BusyError`."""
        if call.url.startswith(PROGRAM):
            return await self._program(call.url).turn(call.body or b"", call.timeouts.first_byte, call.timeouts.idle)
        try:
            origin, host, path = split_url(call.url)
            length = None if call.body is None else len(call.body)
            head = head_of("GET" if call.body is None else "POST", host, path, call.headers, length)
        except ValueError as error:
            raise UpstreamError(
                FailureKind.UNREACHABLE,
                f"{call.account} cannot be called: {error}.",
                "Check its base URL.",
                provider=call.account,
            ) from None
        connection = await self._exchange(call, origin, head, is_fresh=False)
        if connection is None:  # a kept connection that the provider had given up meanwhile: nothing was answered, ask anew
            connection = await self._exchange(call, origin, head, is_fresh=True)
        if connection is None:
            raise UpstreamError(
                FailureKind.UNREACHABLE, f"{call.account} closed the connection without an answer.", provider=call.account
            )
        if 300 <= connection.status < 400:
            connection.abort()
            raise UpstreamError(
                FailureKind.PROTOCOL,
                f"{call.account} answered with a redirect, which is not followed.",
                "Enter the final address as the account's base URL.",
                provider=call.account,
                status=connection.status,
            )
        return UpstreamReply(call, connection)

    async def place(self, name: str, most: int, call: Call) -> Callable[[], None]:
        """Wait for one of so many places of that name; the result gives it back.

        Raises `UpstreamError(RATE)` if too many wait already, or for too long, and `BusyError`.
        """
        if self._cut is not None:
            raise self._cut
        queue = self._queues.setdefault(f"{name} {most}", _Queue(most))
        if queue.waiting < _MOST_WAITING:
            queue.waiting += 1
            try:
                async with self._wait_of(call.timeouts.first_byte):
                    await queue.places.acquire()
            except TimeoutError:
                if self._cut is not None:
                    raise self._cut from None
            else:
                return queue.places.release
            finally:
                queue.waiting -= 1
        title = f"{call.account} serves {most} requests at once, and too many wait."
        raise UpstreamError(FailureKind.RATE, title, provider=call.account, retry_after=5)

    async def program_models(self, address: str) -> tuple[str, ...]:
        """The models that a program of the user's offers. Raises `UpstreamError`."""
        return await self._program(PROGRAM + address).models()

    def _program(self, url: str) -> CodexServer:
        if self._cut is not None:
            raise self._cut
        return self._programs.setdefault(url, CodexServer(url.removeprefix(PROGRAM)))

    async def _exchange(self, call: Call, origin: Origin, head: bytes, *, is_fresh: bool) -> Connection | None:
        """A connection with an answer's head; None if it was closed without one, which may be tried once more."""
        connection = await self._connect(call, origin, is_fresh=is_fresh)
        try:
            connection.send(head, call.body)
            await connection.head(call.timeouts.first_byte)
        except StaleConnectionError:
            connection.abort()
            if connection.is_reused or is_fresh:
                return None
            raise UpstreamError(
                FailureKind.UNREACHABLE, f"{call.account} closed the connection without an answer.", provider=call.account
            ) from None
        except TimeoutError:
            connection.abort()
            raise _silent(call, call.timeouts.first_byte) from None
        except (HttpError, OSError) as error:
            connection.abort()
            raise _broken(call, error) from None
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _connect(self, call: Call, origin: Origin, *, is_fresh: bool) -> Connection:
        if self._cut is not None:
            raise self._cut
        if self._pool is None:
            raise UpstreamError(FailureKind.UNREACHABLE, "The engine is stopping.", provider=call.account)
        if not is_fresh and (kept := self._pool.kept(origin)) is not None:
            return kept
        place = f"{origin.scheme}://{origin.host}:{origin.port}"
        try:
            async with self._wait_of(call.timeouts.connect):
                return await self._pool.connect(origin)
        except TimeoutError:
            if self._cut is not None:
                raise self._cut from None
            title = f"{call.account} did not accept a connection within {call.timeouts.connect:g} s."
            detail = f"Is {place} right, and is the network up?"
        except ssl.SSLCertVerificationError as error:
            title = f"{call.account} has no certificate that this system trusts."
            detail = f"{place}: {error.verify_message}"
        except (OSError, UnicodeError) as error:
            title, detail = f"{call.account} cannot be reached at {place}.", _cause(error)
        raise UpstreamError(FailureKind.UNREACHABLE, title, detail, provider=call.account)


def _cause(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "The name of its server is not known here."
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error)
    return getattr(error, "strerror", None) or type(error).__name__


def _silent(call: Call, seconds: float) -> UpstreamError:
    return UpstreamError(FailureKind.TIMEOUT, f"{call.account} sent nothing for {seconds:g} s.", provider=call.account)


def _broken(call: Call, error: BaseException) -> UpstreamError:
    return UpstreamError(
        FailureKind.PROTOCOL,
        f"The connection to {call.account} broke off.",
        str(error) or type(error).__name__,
        provider=call.account,
    )
