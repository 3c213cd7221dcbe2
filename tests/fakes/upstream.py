"""A scripted model server: real sockets, in its own thread and loop, as strict as its vendor.

It checks each request with the vendor's rules and answers what the test scripted, byte by byte where that matters. It records
what it got and when the client hung up. It holds no wire of its own: see `anthropic_wire`, `openai_wire` and the two rules.
"""

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, assert_never

from tests.fakes import anthropic_rules, anthropic_wire, openai_rules, openai_wire
from tests.fakes.anthropic_rules import RefusalError
from tests.fakes.script import Answer, Delivery, Ending, Hang, RawReply, Refuse, Reset, Scripted, Step, say

PATIENCE = 20.0  # seconds; only ever used up by a failing test
COUNTED_TOKENS = 4242  # what count_tokens answers: no estimate would come to it
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's wire and rules."""

    name: str
    chat_path: str
    check: Callable[[dict[str, str], Any, str], None]
    check_headers: Callable[[dict[str, str], str], None]
    wire: "WireSpeech"
    request_id_header: tuple[str, str]


class WireSpeech(Protocol):
    """How a vendor says an answer."""

    def whole(self, answer: Answer, model: str) -> bytes:
        """One JSON."""
        ...

    def events(self, answer: Answer, model: str, *, has_usage: bool) -> Iterator[bytes]:
        """Server-sent events."""
        ...

    def error_event(self) -> bytes:
        """An error inside a stream."""
        ...

    def error_body(self, status: int, message: str) -> bytes:
        """An error as JSON."""
        ...

    def models_list(self) -> bytes:
        """The list of models."""
        ...


ANTHROPIC = Vendor(
    "anthropic",
    "/v1/messages",
    anthropic_rules.check,
    anthropic_rules.check_headers,
    anthropic_wire,
    ("request-id", anthropic_wire.REQUEST_ID),
)
OPENAI = Vendor(
    "openai",
    "/v1/chat/completions",
    openai_rules.check,
    openai_rules.check_headers,
    openai_wire,
    ("x-request-id", "req_fakeopenai"),
)


@dataclass(eq=False, slots=True)
class Received:
    """One request as it came, and how it went on. Header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    loop: asyncio.AbstractEventLoop
    sent: bytearray = field(default_factory=bytearray)  # the reply's body as far as it was written
    hung_up: threading.Event = field(default_factory=threading.Event)  # the client left before the reply was whole
    is_done: threading.Event = field(default_factory=threading.Event)  # the reply was written whole, or was ended by script
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    def release(self) -> None:
        """Let a stream that HOLDs go on."""
        self.loop.call_soon_threadsafe(self.released.set)

    def client_left(self) -> None:
        """Called by the connection when the socket ends."""
        if not self.is_done.is_set():
            self.hung_up.set()
        self.gone.set()


class _Connection(asyncio.StreamReaderProtocol):
    """Tells the exchange in progress at once when the client's side of the socket ends."""

    def __init__(
        self, serve: Callable[["_Connection", asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
    ) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=256 * 1024 * 1024, loop=loop)
        super().__init__(reader, lambda r, w: serve(self, r, w), loop=loop)
        self.current: Received | None = None

    def eof_received(self) -> bool:
        super().eof_received()
        self._tell()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._tell()

    def _tell(self) -> None:
        if self.current is not None:
            self.current.client_left()


class Upstream:
    """A scripted server. `key` is the only credential that it takes; empty asks for none.

    `play` queues replies, one for each chat request; when they are used up, `always` answers. `complaints` lists each request
    that broke the vendor's rules: the fixture fails the test for them unless it sets `expects_complaints`.
    """

    def __init__(self, vendor: Vendor, key: str) -> None:
        self.vendor = vendor
        self.key = key
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"fake-{vendor.name}", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._arrived = threading.Condition()
        self.reset()

    def reset(self) -> None:
        """Forget scripts and records."""
        self.script: list[Scripted] = []
        self.always: Scripted = say("pong")
        self.received: list[Received] = []
        self.complaints: list[str] = []
        self.expects_complaints = False

    def play(self, *steps: Scripted) -> None:
        """Queue replies."""
        self.script.extend(steps)

    @property
    def base_url(self) -> str:
        """The address of an account at this server, where that is more than the server's own."""
        return ""

    @property
    def credential(self) -> str:
        """What an account at this server has as its key."""
        return self.key

    @property
    def chats(self) -> list[Received]:
        """The chat requests so far, oldest first."""
        return [one for one in self.received if one.method == "POST" and one.path.split("?")[0] == self.vendor.chat_path]

    def wait_for_chat(self, count: int = 1) -> Received:
        """The count-th chat request, as soon as it is there."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.chats) >= count, PATIENCE), f"chat request {count} never came"
        return self.chats[count - 1]

    def start(self) -> "Upstream":
        """Listen on a free port of loopback."""
        self._thread.start()
        self._run(self._listen())
        return self

    def stop(self) -> None:
        """Close everything and wait for the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        running: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return running.result(PATIENCE)

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Connection(self._serve), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (received := await self._read(reader)) is not None:
                connection.current = received
                with self._arrived:
                    self.received.append(received)
                    self._arrived.notify_all()
                if not await self._answer(received, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client left
        except asyncio.CancelledError:
            writer.transport.abort()  # the server stops
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Received | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        elif "content-length" in headers:
            body = await reader.readexactly(int(headers["content-length"]))
        return Received(method, path, headers, body, self._loop)

    async def _answer(self, received: Received, writer: asyncio.StreamWriter) -> bool:
        """Answer one request. False ends the connection."""
        path = received.path.split("?")[0]
        if received.method == "POST" and path == self.vendor.chat_path:
            refusal = self._complaint(received)
            return await self._perform(refusal or self._next(received), received, writer)
        return await self._answer_aside(path, received, writer)

    async def _answer_aside(self, path: str, received: Received, writer: asyncio.StreamWriter) -> bool:
        if (received.method, path) == ("GET", "/v1/models"):
            return await self._reply(200, self.vendor.wire.models_list(), received, writer)
        if (received.method, path) == ("POST", "/v1/messages/count_tokens") and self.vendor.name == "anthropic":
            try:
                self.vendor.check_headers(received.headers, self.key)
            except RefusalError as error:
                return await self._reply(error.status, self.vendor.wire.error_body(error.status, error.message), received, writer)
            return await self._reply(200, json.dumps({"input_tokens": COUNTED_TOKENS}).encode(), received, writer)
        return await self._reply(404, self.vendor.wire.error_body(404, f"Not found: {path}"), received, writer)

    def _complaint(self, received: Received) -> Refuse | None:
        try:
            body = json.loads(received.body)
            if self.key:
                self.vendor.check(received.headers, body, self.key)
        except openai_rules.OpenAiRefusalError as error:
            text = openai_wire.error_body(error.status, error.message, error.param, error.code)
            self.complaints.append(f"{error.status} {error.message}")
            return Refuse(error.status, error.message, body=text)
        except RefusalError as error:
            self.complaints.append(f"{error.status} {error.message}")
            return Refuse(error.status, error.message)
        except ValueError as error:
            self.complaints.append(f"400 not JSON: {error}")
            return Refuse(400, "The request body is not valid JSON.")
        except (AttributeError, KeyError, TypeError) as error:  # the rules met a value of a kind that no vendor takes
            self.complaints.append(f"400 {type(error).__name__}: {error}")
            return Refuse(400, f"Invalid type: {error}.")
        return None

    def _next(self, received: Received) -> Step:
        step = self.script.pop(0) if self.script else self.always
        return step(received) if callable(step) else step

    async def _perform(self, step: Step, received: Received, writer: asyncio.StreamWriter) -> bool:
        match step:
            case Answer():
                return await self._speak(step, received, writer)
            case Refuse(status, message, headers, body, content_type):
                text = self.vendor.wire.error_body(status, message) if body is None else body
                return await self._reply(status, text, received, writer, headers=dict(headers), content_type=content_type)
            case RawReply(body, status, content_type):
                return await self._reply(status, body, received, writer, content_type=content_type)
            case Hang():
                await received.gone.wait()
                return False
            case Reset():
                return self._reset(received, writer)
            case _:
                assert_never(step)

    def _speech(self, received: Received) -> WireSpeech:
        """How the vendor answers this request."""
        return self.vendor.wire

    async def _speak(self, answer: Answer, received: Received, writer: asyncio.StreamWriter) -> bool:
        asked, delivery, speech = received.json, answer.delivery, self._speech(received)
        if asked.get("stream"):
            has_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
            pieces = [self._framed(event, answer) for event in speech.events(answer, asked["model"], has_usage=has_usage)]
            if not delivery.has_final_blank:
                pieces[-1] = pieces[-1].rstrip(b"\r\n") + delivery.line_end
            cut = next((at for at, event in enumerate(pieces) if delivery.cut_before in event), 0) or delivery.cut_after
            content_type, error = delivery.content_type, speech.error_event()
        else:
            whole = speech.whole(answer, asked["model"])
            if delivery.ending is Ending.WHOLE:
                return await self._reply(200, whole, received, writer)
            if delivery.ending is Ending.ERROR_EVENT:
                return await self._reply(500, self.vendor.wire.error_body(500, "It broke."), received, writer)
            pieces, cut = [whole[: len(whole) // 2], whole[len(whole) // 2 :]], 1
            content_type, error = "application/json", b""
        writer.write(self._head(200, content_type, {"transfer-encoding": "chunked", "cache-control": "no-cache"}))
        cut = len(pieces) if delivery.ending is Ending.WHOLE else cut
        await self._write(pieces[:cut], delivery, received, writer)
        return await self._end(delivery.ending, pieces[cut:], error, received, writer)

    async def _end(
        self, ending: Ending, rest: list[bytes], error: bytes, received: Received, writer: asyncio.StreamWriter
    ) -> bool:
        match ending:
            case Ending.WHOLE:
                pass
            case Ending.HOLD:
                await self._until_released(received)
                await self._write(rest, Delivery(), received, writer)
            case Ending.ERROR_EVENT:
                await self._write([error], Delivery(), received, writer)
            case Ending.RESET:
                return self._reset(received, writer)
            case Ending.CLOSE:
                received.is_done.set()
                return False
            case Ending.HANG:
                await received.gone.wait()
                return False
            case _:
                assert_never(ending)
        received.is_done.set()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    @staticmethod
    async def _until_released(received: Received) -> None:
        waits = [asyncio.ensure_future(received.released.wait()), asyncio.ensure_future(received.gone.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if received.gone.is_set():
            raise ConnectionResetError

    @staticmethod
    def _framed(event: bytes, answer: Answer) -> bytes:
        delivery = answer.delivery
        if delivery.has_comments:
            event = b": keep-alive\n\n" + event
        if not delivery.has_space:
            event = event.replace(b"data: ", b"data:", 1)
        return event.replace(b"\n", delivery.line_end) if delivery.line_end != b"\n" else event

    @staticmethod
    async def _write(events: list[bytes], delivery: Delivery, received: Received, writer: asyncio.StreamWriter) -> None:
        whole, size = b"".join(events), delivery.write_bytes
        writes = [whole[start : start + size] for start in range(0, len(whole), size)] if size else events
        for piece in writes:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            received.sent += piece
            await writer.drain()
            await asyncio.sleep(delivery.gap_seconds)  # even none at all makes each piece a packet of its own

    async def _reply(
        self,
        status: int,
        body: bytes,
        received: Received,
        writer: asyncio.StreamWriter,
        *,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> bool:
        received.sent += body
        received.is_done.set()
        writer.write(self._head(status, content_type, {"content-length": str(len(body)), **(headers or {})}) + body)
        await writer.drain()
        return True

    def _head(self, status: int, content_type: str, headers: dict[str, str]) -> bytes:
        named = {"content-type": content_type, self.vendor.request_id_header[0]: self.vendor.request_id_header[1], **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode()

    @staticmethod
    def _reset(received: Received, writer: asyncio.StreamWriter) -> bool:
        received.is_done.set()
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False
