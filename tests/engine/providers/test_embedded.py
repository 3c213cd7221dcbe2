"""The built-in model: the process that we start, keep and end. With the real model where it is installed."""

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lynkr_desktop.engine.providers import embedded_server
from lynkr_desktop.engine.providers.embedded import EmbeddedModel, EmbeddedState, server_command
from lynkr_desktop.errors import FailureKind, UpstreamError

needs_model = pytest.mark.skipif(not embedded_server.is_installed(), reason="the extra 'embedded' is not installed")

# Stands in for the server: says its own process id as the port, and ends with its input.
_SCRIPTED = (
    'import os, sys; sys.stdin.readline(); print(\'{"url": "http://127.0.0.1:%d"}\' % os.getpid(), flush=True); sys.stdin.read()'
)
_REFUSING = "import sys; sys.stdin.readline(); print('noise'); print('{\"error\": \"no memory\"}')"


def scripted(text: str) -> list[str]:
    return [sys.executable, "-c", text]


class Changes:
    """The states that a model went through, and a way to wait for one."""

    def __init__(self) -> None:
        self.seen: list[EmbeddedState] = []
        self._moved = asyncio.Event()

    def __call__(self, state: EmbeddedState) -> None:
        self.seen.append(state)
        self._moved.set()

    async def until(self, count: int, state: EmbeddedState) -> None:
        async with asyncio.timeout(20):
            while self.seen.count(state) < count:
                self._moved.clear()
                await self._moved.wait()


def process_id(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
async def model() -> AsyncIterator[EmbeddedModel]:
    model = EmbeddedModel(scripted(_SCRIPTED))
    yield model
    await model.stop()


async def test_starting_twice_gives_the_same_address(model: EmbeddedModel) -> None:
    first, second = await asyncio.gather(model.start(), model.start())
    assert first == second
    assert first == model.address
    assert model.state is EmbeddedState.RUNNING


async def test_the_key_is_in_no_repr_and_on_no_command_line(model: EmbeddedModel) -> None:
    address = await model.start()
    command_line = Path(f"/proc/{process_id(address.base_url)}/cmdline")
    assert address.key
    assert address.key not in repr(address)
    if command_line.exists():
        assert address.key.encode() not in command_line.read_bytes()


async def test_stopping_ends_the_process(model: EmbeddedModel) -> None:
    address = await model.start()
    await model.stop()
    assert not is_alive(process_id(address.base_url))
    assert model.address is None
    assert model.state is EmbeddedState.STOPPED


async def test_a_process_that_died_is_started_again() -> None:
    changes = Changes()
    model = EmbeddedModel(scripted(_SCRIPTED), changes)
    first = await model.start()
    os.kill(process_id(first.base_url), signal.SIGTERM)
    await changes.until(2, EmbeddedState.RUNNING)
    second = await model.start()
    await model.stop()
    assert second.base_url != first.base_url
    assert second.key != first.key
    assert changes.seen[:5] == [
        EmbeddedState.STARTING,
        EmbeddedState.RUNNING,
        EmbeddedState.FAILED,
        EmbeddedState.STARTING,
        EmbeddedState.RUNNING,
    ]


async def test_a_stop_during_the_start_leaves_nothing_running() -> None:
    changes = Changes()
    model = EmbeddedModel(scripted(_SCRIPTED), changes)
    starting = asyncio.ensure_future(model.start())
    await changes.until(1, EmbeddedState.STARTING)
    await model.stop()
    address = await starting
    assert not is_alive(process_id(address.base_url))
    assert model.state is EmbeddedState.STOPPED


@pytest.mark.parametrize(
    ("command", "detail"),
    [
        (scripted(_REFUSING), "no memory"),
        (scripted("pass"), "ended without a word"),
        (["/nowhere/no-such-program"], "no-such-program"),
    ],
)
async def test_a_server_that_cannot_start_says_why(command: list[str], detail: str) -> None:
    model = EmbeddedModel(command)
    with pytest.raises(UpstreamError) as caught:
        await model.start()
    assert caught.value.kind is FailureKind.UNREACHABLE
    assert detail in caught.value.detail
    assert model.state is EmbeddedState.FAILED
    await model.stop()


def test_the_server_ends_when_its_parent_is_killed() -> None:
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({scripted(_SCRIPTED)!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdin.write(b'key\\n'); child.stdin.flush()\n"
        "print(child.stdout.readline().decode(), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(scripted(parent), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = process_id(json.loads(process.stdout.readline())["url"])
        process.kill()
        # The child holds the other end of this pipe's copy only until it ends.
        process.stdout.read()
    wait_for_end(child)


def wait_for_end(pid: int) -> None:
    """Returns when a process that is not our child is gone."""
    deadline = threading.Event()
    for _ in range(200):
        if not is_alive(pid):
            return
        deadline.wait(0.05)
    pytest.fail(f"process {pid} still runs")


def loops() -> list[Any]:
    if sys.platform == "win32":
        return [asyncio.new_event_loop]
    return [asyncio.new_event_loop, importlib.import_module("uvloop").new_event_loop]


@needs_model
@pytest.mark.parametrize("new_loop", loops())
def test_the_real_model_answers_from_a_loop_in_another_thread(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    outcome = run_in_thread(new_loop, a_real_conversation)
    assert outcome["refused"] == 401
    assert outcome["answer"]["choices"][0]["message"]["content"].strip()
    assert outcome["answer"]["usage"]["completion_tokens"] > 0
    assert outcome["state_after"] is EmbeddedState.STOPPED


async def a_real_conversation() -> dict[str, Any]:
    model = EmbeddedModel()
    address = await model.start()
    try:
        prompt = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}
        refused, _ = await asyncio.to_thread(post, address.base_url, "not-the-key", prompt)
        _, answer = await asyncio.to_thread(post, address.base_url, address.key, prompt)
    finally:
        await model.stop()
    return {"refused": refused, "answer": answer, "state_after": model.state}


@needs_model
async def test_the_real_model_takes_a_request_of_a_coding_program_many_times_its_window() -> None:
    model = EmbeddedModel()
    address = await model.start()
    tools = [
        {
            "type": "function",
            "function": {"name": f"tool_{number}", "description": "word " * 400, "parameters": {"type": "object"}},
        }
        for number in range(20)
    ]
    reminder = "<system-reminder>\n" + "Something that nobody asked about. " * 200 + "</system-reminder>"
    request = {
        "messages": [
            {"role": "system", "content": "You are a coding agent. " + "Follow the rules. " * 2000},
            {"role": "user", "content": [{"type": "text", "text": reminder}, {"type": "text", "text": "Say hello."}]},
            {"role": "assistant", "content": "Hello. " + "More words. " * 3000},
            {"role": "user", "content": "Say hello again."},
        ],
        "tools": tools,
        "max_tokens": 16,
    }
    try:
        status, answer = await asyncio.to_thread(post, address.base_url, address.key, request)
    finally:
        await model.stop()
    assert status == 200, answer
    assert 100 < answer["usage"]["prompt_tokens"] < 3000
    assert answer["choices"][0]["message"]["content"].strip()


@needs_model
async def test_the_real_model_calls_a_tool_when_it_was_shown_how() -> None:
    def call(city: str, number: int) -> dict[str, Any]:
        function = {"name": "get_weather", "arguments": json.dumps({"city": city})}
        return {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}],
        }

    messages: list[dict[str, Any]] = []
    for number, (city, weather) in enumerate([("Rome", "21 C"), ("Oslo", "3 C"), ("Madrid", "27 C")]):
        messages += [
            {"role": "user", "content": f"What is the weather in {city}?"},
            call(city, number),
            {"role": "tool", "tool_call_id": f"c{number}", "content": weather},
            {"role": "assistant", "content": f"{city}: {weather}."},
        ]
    messages.append({"role": "user", "content": "What is the weather in Paris?"})
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": parameters}}
    request = {"messages": messages, "tools": [tool], "max_tokens": 60, "temperature": 0}
    model = EmbeddedModel()
    address = await model.start()
    try:
        status, answer = await asyncio.to_thread(post, address.base_url, address.key, request)
    finally:
        await model.stop()
    assert status == 200, answer
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    function = choice["message"]["tool_calls"][0]["function"]
    assert function["name"] == "get_weather"
    assert json.loads(function["arguments"]) == {"city": "Paris"}


@needs_model
def test_the_real_server_ends_when_its_input_closes_while_it_writes() -> None:
    with subprocess.Popen(server_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"key\n")
        process.stdin.flush()
        url = json.loads(process.stdout.readline())["url"]
        body = json.dumps({"messages": [{"role": "user", "content": "Tell a long story."}], "stream": True, "ignore_eos": True})
        request = urllib.request.Request(f"{url}/v1/chat/completions", body.encode(), {"Authorization": "Bearer key"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.readline().startswith(b"data: ")
            process.stdin.close()
            assert process.wait(10) == 0


def run_in_thread(
    new_loop: Callable[[], asyncio.AbstractEventLoop], story: Callable[[], Coroutine[Any, Any, dict[str, Any]]]
) -> dict[str, Any]:
    """Run a coroutine as the desktop program runs the engine: on a loop of a thread that is not the main one."""
    outcome: dict[str, Any] = {}

    def work() -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            outcome.update(runner.run(story()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return outcome


def post(base_url: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        f"{base_url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)
