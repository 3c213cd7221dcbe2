"""aiohttp in: token, Host and Origin checks, limits, the line at the door, disconnect, bytes out, the end. Knows no vendor JSON.

Loopback is not a boundary: any web page and any program of the machine can reach it. So each request must name us as its Host,
come from no web page, and carry the token. A client that leaves cancels its handler, and with it the provider's answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final, Protocol

import psutil
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_writer import HttpVersion10

from lynkr_desktop.config.settings import Limits
from lynkr_desktop.engine.doorkeeper import ADMIN_PREFIX, Doorkeeper
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.fast_door import FastDoor, PlainRequest
from lynkr_desktop.engine.pipeline import Reply, unreadable
from lynkr_desktop.engine.resilience.admission import Admission, Crowd, Strain
from lynkr_desktop.engine.store.ids import new_id
from lynkr_desktop.engine.surfaces import PROJECT_HEADER, SURFACES, Ask, Surface, address_at, folded, parted, surface_at, wire_at
from lynkr_desktop.engine.tasks import Tasks
from lynkr_desktop.errors import BusyError, ClientError, LynkrError
from lynkr_desktop.json_reader import ShapeError

_log: Final = logging.getLogger(__name__)
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
HOST: Final = "127.0.0.1"
_IDLE_SECONDS: Final = 75.0
_LINE_SECONDS: Final = 5.0  # how long a request may wait for a place
_FEEL_SECONDS: Final = 0.25
_LAST_SECONDS: Final = 2.0  # at the end, for the error events of what is cut off
_RETRY_SECONDS: Final = 2
_RETRY_AFTER_STOP_SECONDS: Final = 10
_FAST_PATHS: Final = tuple(surface.path.encode() for surface in SURFACES if surface.ask is Ask.CHAT and "{" not in surface.path)
_LIMITS: Final = Limits()
_MIB: Final = 2**20
OPEN_PATHS: Final = frozenset({"/", "/health", "/health/live"})  # say nothing that a port scan does not
_SECRET_HEADERS: Final = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization", "x-goog-api-key"})


class Rooms(Protocol):
    """What lies behind the door."""

    async def serve(self, surface: Surface, inbound: Inbound) -> Reply:
        """Answer a request of a model."""
        ...

    async def page(self, method: str, path: str, inbound: Inbound) -> Reply | None:
        """Answer health, lists of models and the like; None if there is no such page."""
        ...

    def refusal(self, error: LynkrError, inbound: Inbound) -> Reply:
        """An error in the client's own wire."""
        ...


class Server:
    """The listening socket and its checks."""

    def __init__(self, rooms: Rooms, doorkeeper: Doorkeeper, limits: Limits = _LIMITS) -> None:
        self._admission = Admission(limits.max_concurrent)
        self._strain = Strain(limits.max_memory_mib * _MIB)
        self._feeler: asyncio.TimerHandle | None = None
        self._is_stopping = False
        self._rooms = rooms
        self._doorkeeper = doorkeeper
        self._runner: web.ServerRunner | None = None
        self._doors: set[FastDoor] = set()
        self._tasks = Tasks()
        self._hosts: frozenset[str] = frozenset()
        self.port = 0
        self._active = 0
        self._refused = 0

    @property
    def active(self) -> int:
        """Requests that are being answered now."""
        return self._active + sum(door.is_busy for door in self._doors)

    @property
    def crowd(self) -> Crowd:
        """How full it is."""
        admission = self._admission
        return Crowd(admission.inside, admission.in_line, admission.limit, admission.is_strained, self._refused)

    async def start(self, port: int) -> None:
        """Listen on loopback; port 0 takes any. Raises `OSError` if the port cannot be had."""
        server = web.Server(
            self._handle, request_factory=self._make_request, handler_cancellation=True, access_log=None, logger=_quiet_log()
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await runner.setup()
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(lambda: self._door(server), HOST, port, backlog=1024)
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._is_stopping = False
        self._sweep = loop.call_later(_IDLE_SECONDS, self._drop_idle)
        self.port = int(self._listener.sockets[0].getsockname()[1])
        self._hosts = frozenset(f"{name}:{self.port}" for name in (HOST, "localhost", "[::1]"))

    def use(self, limits: Limits) -> None:
        """Other limits from now on."""
        self._admission.limit = limits.max_concurrent
        self._strain.most_bytes = limits.max_memory_mib * _MIB
        self._admission.call()

    async def stop(self, grace_seconds: float, cut: Callable[[BusyError], None] = lambda _: None) -> None:
        """Serve no new request, let answers end for a while, then `cut` them off, each with an error in its own wire.

        Until the last one is over the door stays open, so that who asks meanwhile is told and not just hung up on.
        """
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        self._is_stopping = True
        self._admission.send_away()
        if not await self._has_emptied(grace_seconds):
            _log.warning("%d answers were cut off by the stop", self.active)
            cut(_stopping())
            await self._has_emptied(_LAST_SECONDS)
        self._listener.close()
        self._sweep.cancel()
        if self._feeler is not None:
            self._feeler.cancel()
            self._feeler = None
        for door in list(self._doors):
            if door.is_busy:
                door.abort()
            else:
                door.close()
        await self._tasks.end()
        await runner.cleanup()

    async def _has_emptied(self, seconds: float) -> bool:
        """Wait until nothing is being answered, so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.active:
                    await asyncio.sleep(0.02)
        return not self.active

    async def _admit(self, program: str) -> None:
        """Wait for a place, which is free again when the current task ends. Raises `BusyError`."""
        if self._is_stopping:
            raise _stopping()
        if not self._admission.enter():
            await self._line_up(program)
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(self._left)
        if self._feeler is None:
            self._feel_again()

    def _left(self, _: object) -> None:
        self._admission.leave()

    async def _line_up(self, program: str) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        is_admitted = False
        if self._admission.wait(program, waiter):
            timer = loop.call_later(_LINE_SECONDS, self._tire, program, waiter)
            try:
                is_admitted = await waiter
            except asyncio.CancelledError:  # the client has left
                if not self._admission.give_up(program, waiter) and not waiter.cancelled() and waiter.result():
                    self._admission.leave()
                raise
            finally:
                timer.cancel()
        if not is_admitted:
            self._refused += 1
            raise _stopping() if self._is_stopping else _crowded(self._admission)

    def _tire(self, program: str, waiter: "asyncio.Future[bool]") -> None:
        """Whoever has waited long enough is told so."""
        if self._admission.give_up(program, waiter) and not waiter.done():
            waiter.set_result(False)

    def _feel_again(self) -> None:
        loop = asyncio.get_running_loop()
        self._feeler = loop.call_later(_FEEL_SECONDS, self._feel, loop.time() + _FEEL_SECONDS)

    def _feel(self, due: float) -> None:
        """See whether there is too much to do, as long as there is anything to do."""
        lag = asyncio.get_running_loop().time() - due
        is_strained = self._strain.felt(lag, _memory_bytes())
        if is_strained and not self._admission.is_strained:
            _log.warning("too much to do: %.2f s late, %d requests", lag, self._admission.inside)
        self._admission.is_strained = is_strained
        self._admission.call()
        self._feeler = None
        if self._admission.inside or self._admission.in_line:
            self._feel_again()

    def _door(self, server: web.Server) -> FastDoor:
        door = FastDoor(_FAST_PATHS, MAX_BODY_BYTES, self._serve_plain, self._tasks.spawn, server)
        self._doors.add(door)
        return door

    def _drop_idle(self) -> None:
        """Hang up on clients that have kept a connection without a request since the last look."""
        for door in list(self._doors):
            if door.is_gone:
                self._doors.discard(door)
            elif door.is_idle:
                door.has_waited = not door.has_waited
                if not door.has_waited:
                    door.close()
        self._sweep = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._drop_idle)

    async def _serve_plain(self, request: PlainRequest) -> Reply:
        """A whole request of the fast door."""
        path, _, query = request.target.partition("?")

        async def body() -> bytes:
            return request.body

        return await self._reply_to("POST", path, query, request.headers, body)

    def _make_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY_BYTES)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("host", "") in self._hosts and request.url.authority not in self._hosts:
            headers["host"] = request.url.authority  # an address of its own in the first line goes before the header
        self._active += 1
        try:
            reply = await self._reply_to(
                request.method, request.path, request.query_string, headers, lambda: self._body(request, headers)
            )
            return await self._send(request, reply)
        finally:
            self._active -= 1

    async def _reply_to(
        self, method: str, path: str, query: str, headers: dict[str, str], read: Callable[[], Awaitable[bytes]]
    ) -> Reply:
        project, path = parted(path)
        path = folded(path)
        surface = surface_at(path)
        wire = wire_at(path, headers)
        name = surface.name if surface else path
        inbound = Inbound(name, wire, {}, b"", query, new_id())
        try:
            program = self._check(method, path, headers, query)
            body = await read() if method == "POST" else b""
            clean = {key: value for key, value in headers.items() if key not in _SECRET_HEADERS}
            if project:
                clean[PROJECT_HEADER] = project
            inbound = Inbound(name, wire, clean, body, query, inbound.request_id, address_at(path, query), program)
            if surface is not None and method == "POST":
                await self._admit(program or clean.get("user-agent", ""))
                return await self._rooms.serve(surface, inbound)
            reply = await self._rooms.page(method, path, inbound)
            if reply is None:
                raise _unknown(method, path, surface)
        except ShapeError as error:
            return self._rooms.refusal(unreadable(error), inbound)
        except LynkrError as error:
            return self._rooms.refusal(error, inbound)
        return reply

    def _check(self, method: str, path: str, headers: dict[str, str], query: str) -> str:
        """Refuse what does not come from a program of this user. The program's name if its token tells, else empty."""
        if headers.get("host", "") not in self._hosts:
            raise ClientError(
                "This Host is not ours.", f"Use http://{HOST}:{self.port} as the address of the endpoint.", status=403
            )
        if "origin" in headers or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise ClientError("Web pages may not use this endpoint.", "Requests with an Origin are refused.", status=403)
        if method in ("GET", "HEAD") and path in OPEN_PATHS:
            return ""
        program = self._program(path, headers, query)
        if method == "POST" and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise ClientError("The body must be JSON.", "Send Content-Type: application/json.", status=415)
        return program

    def _program(self, path: str, headers: dict[str, str], query: str) -> str:
        keeper = self._doorkeeper
        if path.startswith(ADMIN_PREFIX) and keeper.has_administration:
            if not keeper.is_administrator(headers):
                raise ClientError("This needs the administration's token.", "It is the one in LYNKR_ADMIN_TOKEN.", status=401)
            return ""
        program = keeper.program(headers)
        if program is None:
            raise _unauthorised(query) if keeper.knows_shared_token else _locked()
        return program

    async def _body(self, request: web.BaseRequest, headers: dict[str, str]) -> bytes:
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise _too_large()
        if headers.get("expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise _too_large() from None
        except (web.RequestPayloadError, ValueError):
            raise ClientError("The body could not be read.", "Its encoding or length is wrong.") from None

    async def _send(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        if reply.chunks is None:
            body = b"" if request.method == "HEAD" else reply.body
            whole = web.Response(status=reply.status, headers=reply.headers, body=body)
            if reply.status == 413:
                whole.force_close()
            return whole
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        if request.version == HttpVersion10:
            response.force_close()
        async with aclosing(reply.chunks) as chunks:
            first = await anext(chunks, b"")  # before anything can fail: a generator that never ran would never be closed
            with suppress(ConnectionError):  # the client has left; closing the chunks hangs up at the provider's
                await response.prepare(request)
                await response.write(first)
                async for chunk in chunks:
                    await response.write(chunk)
                await response.write_eof()
        return response


def _memory_bytes() -> int:
    """What this process holds; 0 where the system does not tell, as without /proc."""
    try:
        return int(psutil.Process().memory_info().rss)
    except psutil.Error:
        return 0


def _quiet_log() -> logging.Logger:
    """aiohttp's log without the requests that are no HTTP: anybody on this machine could fill the disk with them."""
    log = logging.getLogger(f"{__name__}.aiohttp")
    log.addFilter(_is_worth_a_line)
    return log


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _unauthorised(query: str) -> ClientError:
    remedy = "Copy it from Lynkr's menu and send it as Authorization: Bearer, x-api-key or x-goog-api-key."
    if any(part.startswith("key=") for part in query.split("&")):
        remedy = f"A key in the address is never read, for addresses end up in logs. {remedy}"
    return ClientError("The endpoint token is missing or wrong.", remedy, status=401)


def _locked() -> ClientError:
    detail = "Lynkr waits for the system's keychain. Unlock it and try again."
    return ClientError("The endpoint token is not known yet.", detail, status=401)


def _stopping() -> BusyError:
    return BusyError("Lynkr is stopping.", "Try again when it runs again.", retry_after=_RETRY_AFTER_STOP_SECONDS)


def _crowded(admission: Admission) -> BusyError:
    detail = f"{admission.inside} requests are being served and {admission.in_line} wait. Try again in a moment."
    return BusyError("Lynkr has too much to do.", detail, retry_after=_RETRY_SECONDS)


def _too_large() -> ClientError:
    return ClientError("The request is too large.", f"At most {MAX_BODY_BYTES // 2**20} MiB are taken.", status=413)


def _unknown(method: str, path: str, surface: Surface | None) -> ClientError:
    if surface is not None:
        return ClientError(f"{method} is not possible here.", f"Use POST {surface.path}.", status=405)
    return ClientError(f"There is nothing at {path[:200]}.", "See the README for the paths of the endpoint.", status=404)
