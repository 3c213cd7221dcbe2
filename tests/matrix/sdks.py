"""SDKs as clients: a small program around each, kept running, which takes a task a line. The programs are in `drivers`."""

import dataclasses
import json
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.fakes.program import ROOT, private_environment
from tests.fakes.script import CallTool
from tests.matrix.places import BUILD, RUN_SECONDS, end, npm_version, python_of, python_version
from tests.matrix.values import Ability, Endpoint, Outcome, Task

_DRIVERS = Path(__file__).parent / "drivers"
NO_PICTURE = "Chat Completions has no pictures in tool results"


class Sdk:
    """One SDK in one API. `module` holds the small program, where the SDK has a function under its name."""

    part = "python"
    has_side_requests = False

    def __init__(self, name: str, title: str, version: str, api: str, lacks: dict[Ability, str], *, module: str = "") -> None:
        self.name = name
        self.module = module
        self.title = title
        self.version = version
        self.api = api
        self.lacks = lacks
        self._process: subprocess.Popen[bytes] | None = None

    def reading(self, path: Path, number: int) -> CallTool:
        """The driver's one tool."""
        return CallTool("read_file", {"path": str(path)}, f"toolu_0{number}")

    def run(self, task: Task, endpoint: Endpoint, folder: Path) -> Outcome:
        """Hand the task to the driver. Raises `TimeoutError`; the driver is started anew then."""
        process = self._process or self._start(folder)
        assert process.stdin is not None and process.stdout is not None
        told = dataclasses.asdict(task) | {"url": endpoint.url, "key": endpoint.key}
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], RUN_SECONDS)[0]:
            self.close()
            raise TimeoutError(f"it did not end within {RUN_SECONDS:.0f} seconds")
        line = process.stdout.readline()
        if not line:
            self.close()
            return Outcome(error="the driver ended")
        answer: dict[str, Any] = json.loads(line)
        pieces = answer["pieces"] if task.is_streamed else None
        return Outcome(answer["text"], answer["error"], pieces, answer.get("cached_tokens"), answer.get("place"))

    def close(self) -> None:
        """End the driver."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def _start(self, folder: Path) -> "subprocess.Popen[bytes]":
        home = folder.parent / f"home-{self.name}"
        home.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            self._command(),
            cwd=home,
            env=private_environment(home) | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self._process

    def _command(self) -> list[str]:
        return [str(python_of("python")), "-m", f"tests.matrix.drivers.{self.module}", self.name]


class NodeSdk(Sdk):
    """One SDK in TypeScript."""

    part = "npm"

    def _command(self) -> list[str]:
        script = BUILD / "npm" / f"{self.name}.mjs"  # beside the packages, or they are not found
        shutil.copyfile(_DRIVERS / "sdks.mjs", script)
        return ["node", str(script), self.name]


def sdks() -> list[Sdk]:
    """All SDKs, each with a process of its own once it runs."""
    chat = {Ability.PICTURE_RESULT: NO_PICTURE}
    langchain = {Ability.PICTURE_RESULT: "LangChain sends such a picture in a form of its own"}
    anthropic, openai = python_version("anthropic"), python_version("openai")
    pydantic = python_version("pydantic-ai-slim")
    return [
        Sdk("anthropic-py", "Anthropic SDK, Python", anthropic, "messages", {}, module="vendors"),
        Sdk("openai-py-chat", "OpenAI SDK, Python, Chat Completions", openai, "chat", chat, module="vendors"),
        Sdk("openai-py-responses", "OpenAI SDK, Python, Responses", openai, "responses", {}, module="vendors"),
        Sdk(
            "langchain-anthropic",
            "LangChain, Messages",
            python_version("langchain-anthropic"),
            "messages",
            {},
            module="langchains",
        ),
        Sdk(
            "langchain-openai",
            "LangChain, Chat Completions",
            python_version("langchain-openai"),
            "chat",
            langchain,
            module="langchains",
        ),
        Sdk("pydantic-ai-anthropic", "pydantic-ai, Messages", pydantic, "messages", {}, module="pydantic_agents"),
        Sdk("pydantic-ai-chat", "pydantic-ai, Chat Completions", pydantic, "chat", {}, module="pydantic_agents"),
        Sdk("pydantic-ai-responses", "pydantic-ai, Responses", pydantic, "responses", {}, module="pydantic_agents"),
        NodeSdk("anthropic-ts", "Anthropic SDK, TypeScript", npm_version("@anthropic-ai/sdk"), "messages", {}),
        NodeSdk("openai-ts-chat", "OpenAI SDK, TypeScript, Chat Completions", npm_version("openai"), "chat", chat),
        NodeSdk("openai-ts-responses", "OpenAI SDK, TypeScript, Responses", npm_version("openai"), "responses", {}),
        NodeSdk("ai-sdk-anthropic", "Vercel AI SDK, Messages", npm_version("@ai-sdk/anthropic"), "messages", {}),
        NodeSdk("ai-sdk-chat", "Vercel AI SDK, Chat Completions", npm_version("@ai-sdk/openai-compatible"), "chat", chat),
        NodeSdk("ai-sdk-responses", "Vercel AI SDK, Responses", npm_version("@ai-sdk/openai"), "responses", {}),
    ]
