"""The user's own `codex app-server`: a child process that answers with the user's subscription. Started on demand, never by a
request's words; it ends with this program, for it stops when its standard input closes.

An answer looks like one of the Responses API, streamed or whole, to whoever asked: see `Turn`. Many turns go on at once, each in
a thread of its own; what the process tells is handed to the thread that it names.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from lynkr_desktop import json_reader
from lynkr_desktop.engine.chat.events import StreamEvent
from lynkr_desktop.engine.chat.response import ResponseBuilder
from lynkr_desktop.engine.providers import codex_words
from lynkr_desktop.engine.providers.codex_words import Methods, Names
from lynkr_desktop.engine.tasks import Tasks
from lynkr_desktop.engine.wire import openai_responses
from lynkr_desktop.engine.wire.sse import Frame
from lynkr_desktop.errors import BusyError, FailureKind, UpstreamError

_log: Final = logging.getLogger(__name__)
_LONGEST_LINE: Final = 256 * 1024 * 1024
_START_SECONDS: Final = 30.0
_END_SECONDS: Final = 3.0
_NO_WINDOW: Final = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_NOT_OURS: Final = {"code": -32601, "message": "This client cannot do that."}
_THOUGHTS: Final = {
    "item/reasoning/summaryTextDelta": "response.reasoning_summary_text.delta",
    "item/reasoning/textDelta": "response.reasoning_text.delta",
}
_methods: dict[tuple[str, int], Methods] = {}  # by program and its time of change


class CodexServer:
    """One process for all accounts of one program. Lives on one loop; made anew when it has died."""

    def __init__(self, program: str) -> None:
        self._wanted = program
        self._tasks = Tasks()
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._heard: dict[str, asyncio.Queue[Any]] = {}  # what was told of each thread
        self._last_id = 0
        self._methods: Methods | None = None
        self._servers: tuple[str, ...] = ()
        self._folder = ""

    async def turn(self, body: bytes, first_byte_seconds: float, idle_seconds: float) -> "Turn":
        """Begin an answer to a request of the Responses API. Raises `UpstreamError`."""
        await self._start()
        methods = self.methods
        request = openai_responses.parse_request(body)
        fields, names = json_reader.decode(body), Names(request)
        begun = await self.ask(methods.start_thread, codex_words.thread_of(request, names, self._folder, self._servers))
        thread = str(begun["thread"]["id"])
        told = self._heard[thread] = asyncio.Queue()
        answer = Turn(self, request, names, _Thread(thread, told), (first_byte_seconds, idle_seconds))
        try:
            if items := codex_words.items_of(request, fields, names):
                await self.ask(methods.add_items, {"threadId": thread, "items": items})
            answer.id = str((await self.ask(methods.start_turn, codex_words.turn_of(thread, fields)))["turn"]["id"])
        except BaseException:
            answer.close()
            raise
        return answer

    async def models(self) -> tuple[str, ...]:
        """The models that the user's account offers. Raises `UpstreamError`."""
        await self._start()
        told = await self.ask(self.methods.models, {})
        return tuple(str(each["model"]) for each in told["data"] if not each.get("hidden"))

    @property
    def methods(self) -> Methods:
        """The running version's names."""
        if self._methods is None:
            raise _ended()
        return self._methods

    async def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """A request and its result. Raises `UpstreamError` for an error, and if the process ends meanwhile."""
        self._last_id += 1
        number = self._last_id
        waiting = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self._write({"id": number, "method": method, "params": params})
            async with asyncio.timeout(_START_SECONDS):
                message = await waiting
        except TimeoutError:
            raise UpstreamError(FailureKind.TIMEOUT, f"Codex did not answer {method} within {_START_SECONDS:g} s.") from None
        finally:
            self._answers.pop(number, None)
        if "error" in message:
            raise codex_words.failure_of({"message": message["error"].get("message"), "codexErrorInfo": "badRequest"})
        return message["result"]

    def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """A request whose answer nobody waits for. A process that has ended is no error."""
        with contextlib.suppress(UpstreamError):
            self._last_id += 1
            self._write({"id": self._last_id, "method": method, "params": params})

    def forget(self, thread: str) -> None:
        """Let go of a thread."""
        self._heard.pop(thread, None)
        if self._methods is not None:
            self.tell(self._methods.forget, {"threadId": thread})

    def cut(self, error: BusyError) -> None:
        """Break off all turns with this error."""
        for told in self._heard.values():
            told.put_nowait(error)

    async def close(self) -> None:
        """End the process: it stops by itself when nothing more can come, else it is killed."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            try:
                await asyncio.wait_for(_gone(process), _END_SECONDS)
            except TimeoutError:
                _kill(process)
                await process.wait()
        await self._tasks.end()
        if self._folder:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = ""

    # --- the process ---

    async def _start(self) -> None:
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return
            program = await asyncio.to_thread(_found, self._wanted)
            self._methods = await asyncio.to_thread(_methods_of, program)
            self._folder = self._folder or await asyncio.to_thread(tempfile.mkdtemp, prefix="lynkr-codex-")
            try:
                self._process = await asyncio.create_subprocess_exec(
                    program,
                    "app-server",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    cwd=self._folder,
                    limit=_LONGEST_LINE,
                    creationflags=_NO_WINDOW,
                )
            except OSError as error:
                raise _cannot_start(program, error.strerror or str(error)) from None
            self._tasks.spawn(self._listen(self._process), "Codex")
            try:
                await self._greet()
            except BaseException:
                await self.close()
                raise

    async def _greet(self) -> None:
        client = {"name": "lynkr-desktop", "title": "Lynkr Desktop", "version": "1"}
        await self.ask("initialize", {"clientInfo": client, "capabilities": {"experimentalApi": True}})
        self._write({"method": "initialized"})
        account = await self.ask(self.methods.account, {})
        if account.get("requiresOpenaiAuth") and not account.get("account"):
            raise UpstreamError(FailureKind.AUTH, "Codex is not signed in.", "Run: codex login")
        settings = await self.ask(self.methods.settings, {})
        self._servers = tuple((settings.get("config") or {}).get("mcp_servers") or ())

    def _write(self, message: Mapping[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise _ended()
        process.stdin.write(json_reader.encode(message) + b"\n")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        lines = process.stdout
        try:
            while lines is not None and (line := await lines.readline()):
                self._hear(json.loads(line))
        except (ValueError, OSError):
            _log.warning("Codex told something that is no line of JSON; it is stopped")
            _kill(process)
        if self._process is process:
            self._process = None
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(_ended())
        for told in self._heard.values():
            told.put_nowait(_ended())
        await _gone(process)

    def _hear(self, message: Mapping[str, Any]) -> None:
        number, method, params = message.get("id"), message.get("method"), message.get("params") or {}
        if method is None:
            waiting = self._answers.get(number) if isinstance(number, int) else None
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        if number is not None and method != "item/tool/call":  # a tool is the client's affair: the turn ends with its call
            self._write({"id": number, "error": _NOT_OURS})
        told = self._heard.get(str(params.get("threadId")))
        if told is not None:
            told.put_nowait(message)


class _Thread(NamedTuple):
    """A thread's id, and what was told of it."""

    id: str
    told: "asyncio.Queue[Any]"


class Turn:
    """One answer, as the connection to a provider would give it: status, headers, bytes of the Responses API."""

    status = 200

    def __init__(
        self,
        server: CodexServer,
        request: Any,
        names: Names,
        thread: "_Thread",
        patience: tuple[float, float],
    ) -> None:
        self.id = ""
        self.is_streamed = bool(request.is_streamed)
        self.content_type = "text/event-stream" if self.is_streamed else "application/json"
        self.headers: dict[str, str] = {"content-type": self.content_type}
        self._server = server
        self._request = request
        self._names = names
        self._thread, self._told = thread
        self._patience, self._idle_seconds = patience
        self._parser = openai_responses.stream_parser()
        self._places: dict[str, int] = {}  # of items, by Codex's ids
        self._open = ""  # the item whose deltas come
        self._has_calls = False
        self._usage: dict[str, Any] = {}
        self._is_over = False

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The stream as it comes. Raises `UpstreamError`, `BusyError`."""
        renderer = openai_responses.stream_renderer(self._request)
        async for events in self._events():
            if ready := renderer.feed(events):
                yield ready

    async def read(self, limit: int = 0) -> bytes:
        """The whole answer."""
        builder = ResponseBuilder()
        async for events in self._events():
            for event in events:
                builder.add(event)
        return openai_responses.render_response(builder.response(), self._request)

    async def error_body(self) -> bytes:
        """Failures come as errors here."""
        return b""

    def close(self) -> None:
        """The client has what it wanted, or has left: the model need not go on."""
        if not self._is_over and self.id:
            self._server.tell(self._server.methods.interrupt, {"threadId": self._thread, "turnId": self.id})
        self._is_over = True
        self._server.forget(self._thread)

    async def _events(self) -> AsyncGenerator[list[StreamEvent]]:
        yield self._fed("response.created", response={"id": f"resp_{self.id.replace('-', '')}", "model": self._request.model})
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    message = await self._told.get()
            except TimeoutError:
                raise UpstreamError(FailureKind.TIMEOUT, f"Codex told nothing for {self._patience:g} s.") from None
            if isinstance(message, Exception):
                self._is_over = isinstance(message, UpstreamError)
                raise message
            if events := self._heard(str(message["method"]), message["params"]):
                self._patience = self._idle_seconds
                yield events
            if self._is_over or self._has_ended(str(message["method"])):
                yield self._fed("response.completed", response={"status": "completed", "usage": self._usage})
                return

    def _has_ended(self, method: str) -> bool:
        """Does the model wait for the client's tools? Codex would wait for them in this very turn; clients bring them later."""
        return method == "rawResponse/completed" and self._has_calls

    def _heard(self, method: str, params: Mapping[str, Any]) -> list[StreamEvent]:
        if params.get("turnId", self.id) != self.id:
            return []  # of what the thread was given
        match method:
            case "item/agentMessage/delta":
                return self._delta(params, "message", "response.output_text.delta")
            case "item/reasoning/summaryTextDelta" | "item/reasoning/textDelta":
                return self._delta(params, "reasoning", _THOUGHTS[method])
            case "rawResponseItem/completed":
                return self._whole(dict(params["item"]))
            case "rawResponse/completed":
                self._usage = codex_words.usage_of(params.get("usage") or {}, self._usage)
            case "error" if not params.get("willRetry"):
                raise codex_words.failure_of(params["error"])
            case "turn/completed":
                self._is_over = True
                turn = params["turn"]
                if turn["status"] != "completed":
                    raise codex_words.failure_of(
                        turn.get("error") or {"message": "Codex ended the turn.", "codexErrorInfo": "other"}
                    )
        return []

    def _delta(self, params: Mapping[str, Any], kind: str, name: str) -> list[StreamEvent]:
        events = []
        if self._open != params["itemId"]:
            self._open = str(params["itemId"])
            self._places[self._open] = len(self._places)
            events += self._fed("response.output_item.added", self._open, item={"type": kind, "id": self._open})
        part = {"summary_index": params.get("summaryIndex"), "content_index": params.get("contentIndex")}
        return events + self._fed(name, self._open, delta=params["delta"], **part)

    def _whole(self, item: dict[str, Any]) -> list[StreamEvent]:
        """An item of the model's, with what its deltas did not tell."""
        kind = item.get("type")
        if kind == "function_call":
            item["name"] = self._names.meant(str(item.get("name")))
            if not item["name"]:
                return []  # a tool of Codex's own, which Codex answers
            self._has_calls = True
        elif kind not in {"message", "reasoning"} or item.get("role", "assistant") != "assistant":
            return []
        place, self._open = self._open, ""
        if not place or kind == "function_call":
            place = f"whole-{len(self._places)}"
            self._places[place] = len(self._places)
        return self._fed("response.output_item.done", place, item=item)

    def _fed(self, kind: str, place: str = "", **more: Any) -> list[StreamEvent]:
        """The events of one frame of the Responses API."""
        where = {"output_index": self._places[place]} if place else {}
        told = {key: value for key, value in more.items() if value is not None}
        return list(self._parser.feed(Frame(json_reader.encode({"type": kind, **where, **told}), kind)))


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process to which nothing more is said."""
    if process.stdin is not None:
        process.stdin.close()
        with contextlib.suppress(OSError):
            await process.stdin.wait_closed()
    await process.wait()


def _found(wanted: str) -> str:
    """The program: where the user says, else as a shell would find it. Raises `UpstreamError(UNREACHABLE)`. Blocks."""
    found = shutil.which(Path(wanted).expanduser() if wanted else "codex")
    if found is None and not wanted:
        usual = [Path.home() / ".local/bin/codex", Path("/opt/homebrew/bin/codex"), Path("/usr/local/bin/codex")]
        found = next((str(each) for each in usual if os.access(each, os.X_OK)), None)
    if found is None:
        where = (
            f"There is no program at {wanted}." if wanted else "Install it: npm install -g @openai/codex, then run: codex login"
        )
        raise UpstreamError(FailureKind.UNREACHABLE, "Codex is not installed.", where)
    return found


def _methods_of(program: str) -> Methods:
    """The names that this version uses, as it tells itself. Blocks; once for each version."""
    name = program, Path(program).stat().st_mtime_ns
    if name not in _methods:
        with tempfile.TemporaryDirectory(prefix="lynkr-codex-") as folder:
            command = [program, "app-server", "generate-json-schema", "--experimental", "--out", folder]
            try:
                done = subprocess.run(  # noqa: S603  the program that the user named
                    command, capture_output=True, timeout=_START_SECONDS, check=False, creationflags=_NO_WINDOW
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise _cannot_start(program, str(error)) from None
            if done.returncode != 0:
                raise _cannot_start(program, done.stderr.decode(errors="replace").strip().splitlines()[-1:] or "")
            _methods[name] = codex_words.methods_of(
                _json_at(Path(folder, "ClientRequest.json")), _json_at(Path(folder, "v2", "ThreadStartParams.json"))
            )
    return _methods[name]


def _json_at(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}


def _cannot_start(program: str, words: object) -> UpstreamError:
    return UpstreamError(FailureKind.UNREACHABLE, "Codex could not be started.", f"{program}: {words}"[:300])


def _ended() -> UpstreamError:
    return UpstreamError(
        FailureKind.PROTOCOL, "Codex ended in the middle of its answer.", "It is started anew with the next one."
    )
