"""The user's own Codex as the provider: the real `codex app-server`, with a strict scripted Responses API behind it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.fakes.caller import Caller
from tests.fakes.dialects import CHAT, MESSAGES, Dialect
from tests.fakes.more_upstreams import ResponsesUpstream
from tests.fakes.program import Program, canary
from tests.fakes.script import Answer, CallTool, Ending, Refuse, Say, Think, Tokens, dies, say
from tests.fakes.upstream import Upstream
from tests.journeys.clients import find

pytestmark = pytest.mark.journey
DIALECT = pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["messages", "chat"])
STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
MODEL = "gpt-5.5"
ITS_OWN = {"apply_patch"}  # Codex offers it to the models that it knows, and nothing switches it off
CONFIG = """
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "Scripted"
base_url = "{url}/v1"
env_key = "SCRIPTED_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[mcp_servers.own]
command = "/bin/sh"
args = ["-c", "touch {home}/started; cat"]

[analytics]
enabled = false
"""


class Way:
    """A scripted vendor, and the program that leads to it through Codex."""

    def __init__(self, upstream: Upstream, program: Program, home: Path) -> None:
        self.upstream = upstream
        self.caller = Caller(program.url, program.token)
        self.home = home


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    command = find("codex")
    upstream = ResponsesUpstream(canary("codex")).start()
    home = tmp_path_factory.mktemp("codex-home")
    (home / "config.toml").write_text(CONFIG.format(url=upstream.url, home=home))
    env = {"MODEL_PROVIDER": f"codex:{MODEL}", "CODEX_BINARY_PATH": str(command), "CODEX_HOME": str(home)}
    program = Program(tmp_path_factory.mktemp("program"), env | {"SCRIPTED_KEY": upstream.key}).wait_until_ready()
    yield Way(upstream, program, home)
    try:
        program.check_end((upstream.key,))
        assert not (home / "started").exists(), "a server of the user's own was started"
        assert not [each for each in psutil.process_iter() if _is_of(each, home)], "Codex outlived the program"
    finally:
        upstream.stop()


def _is_of(process: psutil.Process, home: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.environ().get("CODEX_HOME") == str(home)
    return False


@pytest.fixture
def way(running: Way) -> Iterator[Way]:
    running.upstream.reset()
    yield running
    if not running.upstream.expects_complaints:
        assert running.upstream.complaints == [], "the vendor would have refused what Codex was made to send"


@DIALECT
@STREAMED
def test_words_thoughts_and_tokens_arrive(way: Way, dialect: Dialect, is_streamed: bool) -> None:
    way.upstream.play(Answer((Think("Hm, yes."), Say("Grüße ☁ 𝄞.", 3)), tokens=Tokens(12, 9, cache_read=4)))
    body = dialect.ask("hi", is_streamed=is_streamed)
    heard = dialect.heard(way.caller.post(dialect.path, body))
    assert (heard.text, heard.stop) == ("Grüße ☁ 𝄞.", "end")
    sent = way.upstream.chats[0].json
    assert sent["model"] == MODEL
    assert {tool["name"] for tool in sent.get("tools", [])} <= ITS_OWN
    assert [item["content"][0]["text"] for item in sent["input"] if item.get("role") == "user"] == ["hi"]


@DIALECT
@STREAMED
def test_two_tools_are_called_and_their_results_arrive(way: Way, dialect: Dialect, is_streamed: bool) -> None:
    calls = (CallTool("client_mcp__files__read", {"path": "a"}, "call_a"), CallTool("shell", {"path": "b"}, "call_b"))
    way.upstream.play(Answer(calls), say("Both read."))
    body = dialect.ask("Read both.", is_streamed=is_streamed, tools=["mcp__files__read", "shell"])
    heard = dialect.heard(way.caller.post(dialect.path, body))
    assert [(call.name, call.path) for call in heard.calls] == [("mcp__files__read", "a"), ("shell", "b")]
    body = dialect.next_turn(body, heard, {heard.calls[0].id: "content-4711", heard.calls[1].id: "entry-0815"})
    assert dialect.heard(way.caller.post(dialect.path, body)).text == "Both read."
    first, second = (chat.json for chat in way.upstream.chats)
    assert {tool["name"] for tool in first["tools"]} - ITS_OWN == {"client_mcp__files__read", "shell"}
    outputs = [item["output"] for item in second["input"] if item["type"] == "function_call_output"]
    assert outputs == ["content-4711", "entry-0815"]


@DIALECT
def test_a_failure_of_the_vendor_is_told(way: Way, dialect: Dialect) -> None:
    way.upstream.expects_complaints = True
    way.upstream.always = Refuse(401, "Incorrect API key provided.")
    reply = way.caller.post(dialect.path, dialect.ask("hi", is_streamed=True))
    assert reply.status == 502
    assert "Incorrect API key" in dialect.error_of(reply.json)


def test_a_stream_that_dies_is_no_success(way: Way) -> None:
    way.upstream.always = dies(Ending.RESET, after=4)
    reply = way.caller.post(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True))
    assert MESSAGES.error_of(reply.events[-1] if reply.status == 200 else reply.json)
    assert b"message_stop" not in reply.body


def test_a_client_that_leaves_stops_codex(way: Way) -> None:
    way.upstream.play(dies(Ending.HANG, after=8))
    with way.caller.stream(MESSAGES.path, MESSAGES.ask("hi", is_streamed=True)) as stream:
        stream.read_until(b"content_block_delta")
        stream.leave()
    assert way.upstream.chats[0].hung_up.wait(20)
