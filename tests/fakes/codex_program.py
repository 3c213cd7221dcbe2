"""A stand-in for `codex`: an app server of Codex's JSON-RPC, scripted by a file, that writes down what it was told.

Run as a program. `SCRIPT` in its folder holds one list of steps for each turn: a step is a notification's method and params,
`"end"` with a status, `"die"`, `"hang"` or `"garbage"`. What it is told goes to `TOLD`, a line each.
"""

import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

METHODS: Final = (
    *("initialize", "thread/start", "thread/inject_items", "turn/start", "turn/interrupt", "thread/unsubscribe", "account/read"),
    *("model/list", "config/read"),
)
FIELDS: Final = ("baseInstructions", "dynamicTools", "environments", "ephemeral", "experimentalRawEvents", "model")
THREAD: Final = "thread-{}"
RESULTS: Final[Mapping[str, Any]] = {
    "initialize": {"userAgent": "stand-in"},
    "account/read": {"account": {"type": "chatgpt"}, "requiresOpenaiAuth": True},
    "config/read": {"config": {"mcp_servers": {"the-users-own": {"command": "x"}}}},
    "model/list": {"data": [{"model": "gpt-known", "hidden": False}, {"model": "gpt-hidden", "hidden": True}]},
}


def install(folder: Path, turns: list[list[Any]], **changes: Any) -> Path:
    """Put the program into a folder, with the script of its turns. `changes`: other results by method, other methods."""
    told = {"turns": turns, "methods": METHODS, "fields": FIELDS, "results": {}, **changes}
    (folder / "SCRIPT").write_text(json.dumps(told))
    program = folder / "codex"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def told(folder: Path, method: str = "") -> list[Any]:
    """The messages so far, or the params of those of one method."""
    lines = (folder / "TOLD").read_text().splitlines() if (folder / "TOLD").exists() else []
    messages = [json.loads(line) for line in lines]
    return [each["params"] for each in messages if each.get("method") == method] if method else messages


def text(words: str, item: str = "m1") -> list[Any]:
    """The steps of a streamed message."""
    whole = {"type": "message", "role": "assistant", "id": item, "content": [{"type": "output_text", "text": words}]}
    deltas = [["item/agentMessage/delta", {"itemId": item, "delta": piece}] for piece in (words[:3], words[3:])]
    return [*deltas, ["rawResponseItem/completed", {"item": whole}]]


def call(name: str, call_id: str, arguments: str = "{}") -> list[Any]:
    """The steps of a tool call: Codex tells the model's item, then wants an answer."""
    item = {"type": "function_call", "id": f"f{call_id}", "call_id": call_id, "name": name, "arguments": arguments}
    return [["rawResponseItem/completed", {"item": item}], ["item/tool/call", {"callId": call_id, "tool": name}]]


def done(cached: int = 0) -> list[Any]:
    """The end of the model's answer, with its tokens."""
    usage = {
        "inputTokens": 12 + cached,
        "cachedInputTokens": cached,
        "outputTokens": 7,
        "reasoningOutputTokens": 0,
        "totalTokens": 19,
    }
    return [["rawResponse/completed", {"responseId": "r", "usage": usage}]]


END: Final = [["end", "completed"]]


class _Server:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._script = json.loads((folder / "SCRIPT").read_text())
        self._threads = 0

    def serve(self) -> None:
        for line in sys.stdin:
            with (self._folder / "TOLD").open("a") as file:
                file.write(line)
            message = json.loads(line)
            if "id" in message and "method" in message:
                self._answer(message)

    def _say(self, message: Any) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def _answer(self, message: Any) -> None:
        method, params = message["method"], message.get("params") or {}
        result: Any = self._script["results"].get(method, RESULTS.get(method, {}))
        if method == "thread/start" and not result:
            self._threads += 1
            result = {"thread": {"id": THREAD.format(self._threads)}}
        if method == "turn/start" and not result:
            result = {"turn": {"id": f"turn-of-{params['threadId']}"}}
        if isinstance(result, dict) and "error" in result:
            self._say({"id": message["id"], "error": result["error"]})
            return
        self._say({"id": message["id"], "result": result})
        if method == "turn/start":
            self._play(params["threadId"])

    def _play(self, thread: str) -> None:
        turn = f"turn-of-{thread}"
        for number, step in enumerate(self._script["turns"].pop(0)):
            match step:
                case ["end", status]:
                    self._say(
                        {"method": "turn/completed", "params": {"threadId": thread, "turn": {"id": turn, "status": status}}}
                    )
                case ["fail", error]:
                    failed = {"id": turn, "status": "failed", "error": error}
                    self._say({"method": "turn/completed", "params": {"threadId": thread, "turn": failed}})
                case ["die"]:
                    os._exit(3)
                case ["garbage"]:
                    sys.stdout.write("no JSON at all\n")
                    sys.stdout.flush()
                case [str(method), params]:
                    message = {"method": method, "params": {"threadId": thread, "turnId": turn, **params}}
                    is_question = method.startswith(("item/tool/", "item/commandExecution/request"))
                    self._say(({"id": 1000 + number} if is_question else {}) | message)


def main() -> None:
    folder, *arguments = sys.argv[1:]
    script = json.loads(Path(folder, "SCRIPT").read_text())
    if "generate-json-schema" in arguments:
        out = Path(arguments[arguments.index("--out") + 1])
        (out / "v2").mkdir(parents=True)
        requests = {"oneOf": [{"properties": {"method": {"enum": [method]}}} for method in script["methods"]]}
        (out / "ClientRequest.json").write_text(json.dumps(requests))
        (out / "v2" / "ThreadStartParams.json").write_text(json.dumps({"properties": {key: {} for key in script["fields"]}}))
        return
    _Server(Path(folder)).serve()


if __name__ == "__main__":
    main()
