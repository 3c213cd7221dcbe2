"""The user's Codex as a provider: a thread for each request, tool calls, failures, and no process left behind."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from lynkr_desktop.config.environment import apply_environment
from lynkr_desktop.config.settings import Account, Limits, Settings, Target
from lynkr_desktop.engine.answer import Answer, fetch
from lynkr_desktop.engine.chat.request import TextPart, ToolCallPart
from lynkr_desktop.engine.chat.response import ChatResponse
from lynkr_desktop.engine.exchange import Inbound
from lynkr_desktop.engine.prepare import prepare
from lynkr_desktop.engine.probe import list_models, probe
from lynkr_desktop.engine.providers.access import Access
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.upstream import Upstream
from lynkr_desktop.engine.wire.table import WIRES
from lynkr_desktop.errors import BusyError, FailureKind, UpstreamError
from lynkr_desktop.startup import known_names
from tests.fakes.codex_program import END, METHODS, call, done, install, text, told
from tests.fakes.dialects import CHAT, MESSAGES

TOOL = "mcp__files__read"


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    upstream.open()
    yield upstream
    await upstream.close()
    assert not [each for each in psutil.Process().children() if "codex_program" in " ".join(each.cmdline())]


def access_to(program: Path) -> Access:
    return Access(Account("codex", "codex"), PROVIDERS["codex"], str(program))


async def begun(door: Upstream, program: Path, body: dict[str, Any], *, idle_seconds: float = 20) -> Answer:
    wire = "anthropic" if "max_tokens" in body else "openai_chat"
    request = WIRES[wire].parse_request(json.dumps(body).encode())
    inbound = Inbound(wire, "", {}, request.body, "", "")
    limits = Limits(first_byte_seconds=idle_seconds, idle_seconds=idle_seconds)
    return await fetch(door, prepare(request, (Target("codex", "gpt-x"), None), access_to(program), inbound, limits))


async def ask(door: Upstream, program: Path, body: dict[str, Any]) -> ChatResponse:
    answer = await begun(door, program, body)
    try:
        return await answer.response(lambda _: None)
    finally:
        answer.close()


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_a_text_comes_with_its_tokens(door: Upstream, tmp_path: Path, is_streamed: bool) -> None:
    program = install(tmp_path, [[*text("Grüße ☁."), *done(cached=5), *END]])
    body = MESSAGES.ask("hi", is_streamed=is_streamed, system="Be kind.")
    response = await ask(door, program, body)
    assert response.parts == (TextPart("Grüße ☁."),)
    assert (response.usage.input_tokens, response.usage.cache_read_tokens, response.usage.output_tokens) == (12, 5, 7)
    started = told(tmp_path, "thread/start")[0]
    assert (started["model"], started["baseInstructions"], started["ephemeral"]) == ("gpt-x", "Be kind.", True)
    assert (started["approvalPolicy"], started["environments"]) == ("never", [])
    assert started["config"]["mcp_servers"] == {"the-users-own": {"enabled": False}}
    items = told(tmp_path, "thread/inject_items")[0]["items"]
    assert items == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]


async def test_tools_are_called_together_and_their_results_come_with_the_next_thread(door: Upstream, tmp_path: Path) -> None:
    calls = [*call(f"client_{TOOL}", "c1", '{"path":"a"}'), *call("list", "c2"), *call("update_plan", "own"), *done()]
    program = install(tmp_path, [calls, [*text("Both read."), *done(), *END]])
    body = CHAT.ask("Read both.", tools=[TOOL, "list"])
    response = await ask(door, program, body)
    assert response.parts == (ToolCallPart("c1", TOOL, '{"path":"a"}'), ToolCallPart("c2", "list", "{}"))
    turn = [
        {"role": "assistant", "content": None, "tool_calls": [_chat_call("c1", TOOL), _chat_call("c2", "list")]},
        {"role": "tool", "tool_call_id": "c1", "content": "content-4711"},
        {"role": "tool", "tool_call_id": "c2", "content": "b"},
    ]
    assert (await ask(door, program, body | {"messages": [*body["messages"], *turn]})).parts == (TextPart("Both read."),)
    await door.close()
    first, second = told(tmp_path, "thread/start")
    assert [tool["name"] for tool in first["dynamicTools"]] == [f"client_{TOOL}", "list"]
    assert told(tmp_path, "turn/interrupt")[0] == {"threadId": "thread-1", "turnId": "turn-of-thread-1"}
    assert {each["threadId"] for each in told(tmp_path, "thread/unsubscribe")} == {"thread-1", "thread-2"}
    items = told(tmp_path, "thread/inject_items")[1]["items"]
    assert [item["type"] for item in items] == ["message", "function_call", "function_call", *["function_call_output"] * 2]
    assert (items[1]["name"], items[3]["output"]) == (f"client_{TOOL}", "content-4711")
    assert second["model"] == "gpt-x"


def _chat_call(call_id: str, name: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}


async def test_two_turns_at_once_are_not_mixed(door: Upstream, tmp_path: Path) -> None:
    turns = [[*text(f"answer {number}", f"m{number}"), *done(), *END] for number in range(4)]
    program = install(tmp_path, turns)
    answers = await asyncio.gather(*(ask(door, program, MESSAGES.ask("hi", is_streamed=True)) for _ in range(4)))
    assert sorted(part.text for each in answers for part in each.parts if isinstance(part, TextPart)) == [
        f"answer {number}" for number in range(4)
    ]
    assert len(told(tmp_path, "initialize")) == 1


async def test_what_codex_asks_for_itself_is_refused_and_it_goes_on(door: Upstream, tmp_path: Path) -> None:
    asked = ["item/commandExecution/requestApproval", {"command": "rm -rf /"}]
    program = install(tmp_path, [[asked, *text("No need."), *done(), *END]])
    assert (await ask(door, program, MESSAGES.ask("hi"))).parts == (TextPart("No need."),)
    await door.close()  # it has read all by then
    answers = [each for each in told(tmp_path) if "error" in each]
    assert [each["id"] for each in answers] == [1000]


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ("usageLimitExceeded", FailureKind.QUOTA),
        ("contextWindowExceeded", FailureKind.CONTEXT),
        ("modelNotFound", FailureKind.NOT_FOUND),
        ("unauthorized", FailureKind.AUTH),
        ("cyberPolicy", FailureKind.REFUSED),
        ({"httpConnectionFailed": {"httpStatusCode": 429}}, FailureKind.RATE),
        ({"responseStreamDisconnected": {"httpStatusCode": None}}, FailureKind.OVERLOADED),
    ],
)
async def test_failures_of_a_turn_are_understood(door: Upstream, tmp_path: Path, info: Any, kind: FailureKind) -> None:
    program = install(tmp_path, [[["fail", {"message": "The words of Codex.", "codexErrorInfo": info}]]])
    with pytest.raises(UpstreamError) as caught:
        await ask(door, program, MESSAGES.ask("hi", is_streamed=True))
    assert (caught.value.kind, caught.value.detail) == (kind, "The words of Codex.")


@pytest.mark.parametrize("end", [["die"], ["garbage"]])
async def test_a_process_that_breaks_is_told_and_started_anew(door: Upstream, tmp_path: Path, end: list[str]) -> None:
    program = install(tmp_path, [[*text("Half")[:1], end]])
    with pytest.raises(UpstreamError) as caught:
        await ask(door, program, MESSAGES.ask("hi", is_streamed=True))
    assert caught.value.kind is FailureKind.PROTOCOL
    install(tmp_path, [[*text("Again."), *done(), *END]])
    assert (await ask(door, program, MESSAGES.ask("hi"))).parts == (TextPart("Again."),)


async def test_silence_has_an_end(door: Upstream, tmp_path: Path) -> None:
    program = install(tmp_path, [[]])
    with pytest.raises(UpstreamError) as caught:
        await begun(door, program, MESSAGES.ask("hi", is_streamed=True), idle_seconds=0.2)
    assert caught.value.kind is FailureKind.TIMEOUT


async def test_a_client_that_leaves_stops_the_turn(door: Upstream, tmp_path: Path) -> None:
    program = install(tmp_path, [text("Never ends")[:1], [*text("Next."), *done(), *END]])
    answer = await begun(door, program, MESSAGES.ask("hi", is_streamed=True))
    answer.close()
    assert (await ask(door, program, MESSAGES.ask("hi"))).parts == (TextPart("Next."),)
    assert told(tmp_path, "turn/interrupt") == [{"threadId": "thread-1", "turnId": "turn-of-thread-1"}]


async def test_the_end_of_the_engine_breaks_off_a_turn(door: Upstream, tmp_path: Path) -> None:
    answer = await begun(door, install(tmp_path, [text("Never ends")[:1]]), MESSAGES.ask("hi", is_streamed=True))
    door.cut(BusyError("The end.", retry_after=1))
    with pytest.raises(BusyError):
        await answer.response(lambda _: None)
    answer.close()


async def test_models_are_those_that_codex_shows(door: Upstream, tmp_path: Path) -> None:
    assert list(await list_models(door, access_to(install(tmp_path, [])))) == ["gpt-known"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": [name for name in METHODS if name != "thread/inject_items"]}, "lacks thread/injectitems. Update it"),
        ({"fields": ["model"]}, "dynamicTools"),
        ({"results": {"account/read": {"account": None, "requiresOpenaiAuth": True}}}, "Run: codex login"),
        ({"results": {"turn/start": {"error": {"code": -1, "message": "not today"}}}}, "not today"),
    ],
    ids=["method", "field", "login", "refused"],
)
async def test_what_is_wrong_with_the_installed_codex_is_told_by_the_probe(
    door: Upstream, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    result = await probe(door, access_to(install(tmp_path, [], **changes)), "gpt-x")
    assert not result.is_ok
    assert words in result.text


async def test_methods_may_be_spelt_another_way(door: Upstream, tmp_path: Path) -> None:
    methods = [name.replace("inject_items", "injectItems") for name in METHODS]
    program = install(tmp_path, [[*text("Fine."), *done(), *END]], methods=methods)
    assert (await ask(door, program, MESSAGES.ask("hi"))).parts == (TextPart("Fine."),)
    assert told(tmp_path, "thread/injectItems")


async def test_a_program_that_is_not_there_is_told_with_the_remedy(door: Upstream, tmp_path: Path) -> None:
    result = await probe(door, access_to(tmp_path / "codex"), "gpt-x")
    assert (result.is_ok, result.kind) == (False, FailureKind.UNREACHABLE)
    assert str(tmp_path / "codex") in result.text


def test_its_variables_make_the_account() -> None:
    env = {"MODEL_PROVIDER": "codex", "CODEX_MODEL": "gpt-5.3-codex", "CODEX_BINARY_PATH": "/opt/codex"}
    settings, secrets, notices = apply_environment(Settings(), env, known_names())
    assert settings.accounts == (Account("codex", "codex", base_url="/opt/codex", model="gpt-5.3-codex"),)
    assert (settings.routing.direct, secrets, notices) == (Target("codex", "gpt-5.3-codex"), {}, [])
    assert apply_environment(Settings(), {"MODEL_PROVIDER": "codex"}, known_names())[0].account("codex") is not None
