"""What a server of this machine tells of its models counts from the next request on; models are loaded where that is wanted."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT
from tests.fakes.more_upstreams import OllamaUpstream
from tests.fakes.program import Program, canary

Start = Callable[..., Program]
SMALL = {"capabilities": ["completion"], "model_info": {"general.architecture": "llama", "llama.context_length": 4096}}
LARGE = {
    "capabilities": ["completion", "tools", "vision", "thinking"],
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 262144},
}
TOOL = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def server() -> Iterator[OllamaUpstream]:
    server = OllamaUpstream(canary("ollama"))
    server.start()
    yield server
    server.stop()


def started(headless: Start, server: OllamaUpstream, **more: str) -> Caller:
    tiers = dict.fromkeys(("TIER_SIMPLE", "TIER_MEDIUM", "TIER_COMPLEX", "TIER_REASONING"), "ollama:small,ollama:large")
    program = headless(OLLAMA_API_KEY=server.key, OLLAMA_API_BASE=server.url, **tiers, **more)
    return Caller(program.url, program.token)


def until_known(caller: Caller, model: str) -> dict[str, object]:
    """The models' page once the server's word is on it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for row in caller.get("/routing/models").json["models"]:
            if row["target"] == f"ollama:{model}" and row["takes_tools"] is not None:
                return dict(row)
        time.sleep(0.02)
    raise AssertionError(f"nothing was told of {model}")


def test_what_ollama_tells_decides_who_serves(headless: Start, server: OllamaUpstream) -> None:
    server.shows = {"small": SMALL, "large": LARGE}
    caller = started(headless, server)
    assert until_known(caller, "small")["takes_tools"] is False
    row = until_known(caller, "large")
    assert (row["takes_tools"], row["takes_images"], row["thinks"], row["context_tokens"]) == (True, True, True, 32768)
    assert caller.post(CHAT.path, CHAT.ask("hi")).headers["x-lynkr-model"] == "small"
    assert server.chats[-1].json["options"]["num_ctx"] == 4096, "no larger window than the model has"
    with_tools = caller.post(CHAT.path, {**CHAT.ask("hi"), "tools": [TOOL]})
    assert with_tools.headers["x-lynkr-model"] == "large", "the small one cannot call tools"


def test_an_ollama_that_tells_nothing_serves_all_the_same(headless: Start, server: OllamaUpstream) -> None:
    caller = started(headless, server)
    reply = caller.post(CHAT.path, {**CHAT.ask("hi"), "tools": [TOOL]})
    assert (reply.status, reply.headers["x-lynkr-model"]) == (200, "small")
    assert server.loaded == []


def test_models_are_loaded_before_they_are_asked_with_the_same_window(headless: Start, server: OllamaUpstream) -> None:
    server.shows = {"small": SMALL, "large": LARGE}
    caller = started(headless, server, OLLAMA_PRELOAD="true", OLLAMA_KEEP_ALIVE="30m")
    until_known(caller, "large")
    end = time.monotonic() + PATIENCE
    while len(server.loaded) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    kept = {"stream": False, "keep_alive": "30m"}
    assert server.loaded == [
        {"model": "small", "options": {"num_ctx": 4096}, **kept},
        {"model": "large", "options": {"num_ctx": 32768}, **kept},
    ]
    caller.post(CHAT.path, CHAT.ask("hi"))
    assert (server.chats[-1].json["keep_alive"], server.chats[-1].json["options"]["num_ctx"]) == ("30m", 4096)


def test_a_programs_own_words_to_ollama_keep_their_window_and_get_the_users_span(headless: Start, server: OllamaUpstream) -> None:
    server.shows = {"small": SMALL, "large": LARGE}
    caller = started(headless, server, OLLAMA_KEEP_ALIVE="-1")
    until_known(caller, "large")
    body = {"model": "x", "messages": [{"role": "user", "content": "hi"}], "options": {"num_ctx": 1024}, "stream": False}
    assert caller.post("/api/chat", body).status == 200
    assert (server.chats[-1].json["keep_alive"], server.chats[-1].json["options"]) == (-1, {"num_ctx": 1024})
    assert caller.post("/api/chat", body | {"keep_alive": "1m"}).status == 200
    assert server.chats[-1].json["keep_alive"] == "1m"


def test_the_users_prices_count_in_the_ledger(headless: Start, server: OllamaUpstream) -> None:
    prices = '{"ollama:small": {"input": 1000, "output": 2000}}'
    caller = started(headless, server, MODEL_PRICE_OVERRIDES=prices)
    assert caller.post(CHAT.path, CHAT.ask("hi")).status == 200
    end = time.monotonic() + PATIENCE
    while not (rows := caller.get("/v1/usage?window=24h").json["models"]):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert rows[0]["cost_usd"] == "0.026", "12 tokens in and 7 out at 1000 and 2000 dollars for a million"
