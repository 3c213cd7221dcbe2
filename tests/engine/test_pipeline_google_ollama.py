"""Ways through the program that begin or end at Google's or Ollama's wire, from outside: real sockets, strict vendors."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lynkr_desktop.engine.wire.gemini.signatures import MARK
from tests.fakes.caller import Caller, events_of
from tests.fakes.dialects import CHAT, MESSAGES, Dialect
from tests.fakes.gemini_wire import signature_of
from tests.fakes.more_upstreams import GeminiUpstream, OllamaUpstream
from tests.fakes.program import Program, canary
from tests.fakes.script import Answer, CallTool, Delivery, Ending, Refuse, Say, Think, Tokens, dies, say
from tests.fakes.upstream import Upstream

STREAMED = pytest.mark.parametrize("is_streamed", [True, False], ids=["stream", "whole"])
DIALECT = pytest.mark.parametrize("dialect", [MESSAGES, CHAT], ids=["messages", "chat"])
MODELS = {"google": "gemini-3-flash", "ollama": "qwen3:8b"}
RED_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


class Way:
    """A scripted vendor and the program that leads to it."""

    def __init__(self, upstream: Upstream, program: Program) -> None:
        self.upstream = upstream
        self.program = program
        self.caller = Caller(program.url, program.token)
        self.model = MODELS[upstream.vendor.name]


def started(upstream: Upstream, home: Any) -> Iterator[Way]:
    name = upstream.start().vendor.name
    variables = ("GEMINI_API_KEY", "GEMINI_API_BASE") if name == "google" else ("OLLAMA_API_KEY", "OLLAMA_API_BASE")
    env = {"MODEL_PROVIDER": f"{name}:{MODELS[name]}", variables[0]: upstream.key, variables[1]: upstream.url}
    program = Program(home, env).wait_until_ready()
    yield Way(upstream, program)
    try:
        program.check_end((upstream.key,))
    finally:
        upstream.stop()


@pytest.fixture(scope="module")
def google_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    yield from started(GeminiUpstream(canary("google")), tmp_path_factory.mktemp("google"))


@pytest.fixture(scope="module")
def ollama_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    yield from started(OllamaUpstream(canary("ollama")), tmp_path_factory.mktemp("ollama"))


def cleaned(way: Way) -> Iterator[Way]:
    way.upstream.reset()
    yield way
    if not way.upstream.expects_complaints:
        assert way.upstream.complaints == [], "the vendor would have refused what was sent"


@pytest.fixture
def google(google_way: Way) -> Iterator[Way]:
    yield from cleaned(google_way)


@pytest.fixture
def ollama(ollama_way: Way) -> Iterator[Way]:
    yield from cleaned(ollama_way)


@pytest.fixture(params=["google", "ollama"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    yield from cleaned(request.getfixturevalue(f"{request.param}_way"))


# --- other clients to these vendors ---


@DIALECT
@STREAMED
def test_text_with_reasoning_and_tokens_arrives(way: Way, dialect: Dialect, is_streamed: bool) -> None:
    way.upstream.play(Answer((Think("Hm, yes."), Say("Grüße ☁ 𝄞.", 5)), tokens=Tokens(12, 9)))
    reply = way.caller.post(dialect.path, dialect.ask("hello", is_streamed=is_streamed))
    heard = dialect.heard(reply)
    assert (reply.status, heard.text, heard.thinking, heard.stop) == (200, "Grüße ☁ 𝄞.", "Hm, yes.", "end")
    assert reply.headers["x-lynkr-model"] == way.model
    assert way.upstream.chats[0].json["model"] == way.model


@DIALECT
@STREAMED
def test_a_loop_of_parallel_tool_calls(way: Way, dialect: Dialect, is_streamed: bool) -> None:
    """Results come back in the order of the calls, whatever ids the vendor gave, or did not give."""
    calls = (CallTool("read_file", {"path": "ä"}), CallTool("read_file", {"path": "b"}), CallTool("list_files", {}))
    way.upstream.play(Answer((Think("Both."), Say("Looking. "), *calls)), say("done"))
    request = dialect.ask("Read.", is_streamed=is_streamed, tools=["read_file", "list_files"])
    heard = dialect.heard(way.caller.post(dialect.path, request))
    assert [(one.name, json.loads(one.arguments or "{}")) for one in heard.calls] == [(one.name, one.arguments) for one in calls]
    assert len({one.id for one in heard.calls}) == 3
    assert heard.stop == "tools"
    results = {one.id: f"content of {number}" for number, one in enumerate(heard.calls)}
    answer = dialect.heard(way.caller.post(dialect.path, dialect.next_turn(request, heard, results)))
    assert (answer.text, answer.stop) == ("done", "end")
    sent = json.dumps(way.upstream.chats[1].json)
    assert sent.index("content of 0") < sent.index("content of 1") < sent.index("content of 2")


@STREAMED
def test_row_063_a_signature_comes_back_with_its_call_through_a_messages_client(google: Way, is_streamed: bool) -> None:
    google.upstream.play(Answer((Think("I need it."), CallTool("read_file", {"path": "a"}))), say("done"))
    request = MESSAGES.ask("Read.", is_streamed=is_streamed, tools=["read_file"])
    heard = MESSAGES.heard(google.caller.post(MESSAGES.path, request))
    assert heard.signature == MARK + signature_of("I need it.")
    MESSAGES.heard(google.caller.post(MESSAGES.path, MESSAGES.next_turn(request, heard, {heard.calls[0].id: "x"})))
    model_turn = google.upstream.chats[1].json["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in model_turn if "functionCall" in part] == [signature_of("I need it.")]


def test_row_063_where_the_client_has_no_place_for_it_the_documented_value_stands_in(google: Way) -> None:
    calls = (CallTool("read_file", {"path": "a"}), CallTool("read_file", {"path": "b"}))
    google.upstream.play(Answer((Think("I need it."), *calls)), say("done"))
    request = CHAT.ask("Read.", tools=["read_file"])
    heard = CHAT.heard(google.caller.post(CHAT.path, request))
    CHAT.heard(google.caller.post(CHAT.path, CHAT.next_turn(request, heard, {one.id: "x" for one in heard.calls})))
    parts = [part for part in google.upstream.chats[1].json["contents"][1]["parts"] if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator", None]


@DIALECT
def test_pictures_travel(way: Way, dialect: Dialect) -> None:
    way.upstream.play(say("A red dot."))
    assert dialect.heard(way.caller.post(dialect.path, dialect.ask(dialect.picture("What?", RED_DOT)))).text == "A red dot."
    assert RED_DOT in way.upstream.chats[0].body.decode()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_row_087_any_cutting_of_the_bytes_gives_the_same(way: Way, size: int) -> None:
    way.upstream.play(say("Grüße ☁ 𝄞, alle.", pieces=4, delivery=Delivery(write_bytes=size)))
    assert MESSAGES.heard(way.caller.post(MESSAGES.path, MESSAGES.ask("x", is_streamed=True))).text == "Grüße ☁ 𝄞, alle."


@DIALECT
def test_a_stream_that_breaks_off_is_told(way: Way, dialect: Dialect) -> None:
    way.upstream.play(dies(Ending.ERROR_EVENT, after=3))
    reply = way.caller.post(dialect.path, dialect.ask("x", is_streamed=True))
    assert dialect.error_of(events_of(reply.body)[-1])


def test_the_window_is_said_to_ollama_and_told_to_the_user(ollama: Way) -> None:
    """Row 196: Ollama cuts longer prompts without a word."""
    reply = ollama.caller.post(CHAT.path, CHAT.ask("x"))
    assert ollama.upstream.chats[0].json["options"]["num_ctx"] == 32768
    assert "the window was set to 32768 tokens" in reply.headers["x-lynkr-losses"]


@DIALECT
def test_refused_keys_and_limits_are_told_apart(google: Way, dialect: Dialect) -> None:
    google.upstream.play(Refuse(400, "API key not valid. Please pass a valid API key."))
    reply = google.caller.post(dialect.path, dialect.ask("x"))
    assert reply.status == 502
    assert "key" in dialect.error_of(reply.json)


# --- Google's clients ---


def generate(**body: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": "hello"}]}], **body}


TOOLS = [
    {
        "functionDeclarations": [
            {"name": "read_file", "parameters": {"type": "OBJECT", "properties": {"path": {"type": "STRING"}}}}
        ]
    }
]


def parts_of(chunks: list[Any]) -> list[Any]:
    return [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]


def test_google_to_google_is_verbatim_and_the_address_carries_the_model(google: Way) -> None:
    google.upstream.play(Answer((Think("Hm."), Say("pong"))))
    body = generate(generationConfig={"temperature": 0.5}, safetySettings=[])
    headers = {"x-goog-api-key": google.program.token}
    path = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    reply = google.caller.request("POST", path, body, headers, has_token=False)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "".join(part.get("text", "") for part in parts_of(events_of(reply.body.replace(b"\r", b"")))) == "Hm.pong"
    sent = google.upstream.chats[0].json
    assert {key: sent[key] for key in body} == body
    assert (sent["model"], sent["stream"]) == ("gemini-3-flash", True)
    assert "x-lynkr-losses" not in reply.headers


@pytest.mark.parametrize("name", ["google", "ollama"])
@pytest.mark.parametrize("form", ["sse", "array", "whole"])
def test_a_google_client_gets_each_form_of_answer(request: pytest.FixtureRequest, name: str, form: str) -> None:
    """Events with `alt=sse`, one growing array without it, one object without a stream."""
    way = request.getfixturevalue(f"{name}")
    way.upstream.play(Answer((Say("Grüße"), CallTool("read_file", {"path": "ä"})), tokens=Tokens(5, 6)))
    verb = {"sse": "streamGenerateContent?alt=sse", "array": "streamGenerateContent", "whole": "generateContent"}[form]
    reply = way.caller.post(f"/v1/models/lynkr-auto:{verb}", generate(tools=TOOLS))
    assert reply.status == 200, reply.body
    chunks = events_of(reply.body.replace(b"\r", b"")) if form == "sse" else reply.json
    chunks = [chunks] if form == "whole" else chunks
    parts = parts_of(chunks)
    assert "".join(part.get("text", "") for part in parts) == "Grüße"
    assert [part["functionCall"]["args"] for part in parts if "functionCall" in part] == [{"path": "ä"}]
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] == 11


def test_a_google_client_counts_lists_and_fails_in_its_own_words(google: Way) -> None:
    counted = google.caller.post("/v1beta/models/lynkr-auto:countTokens", {"generateContentRequest": generate(model="models/x")})
    assert counted.json["totalTokens"] > 0
    assert {"name": "models/lynkr-auto"}.items() <= google.caller.get("/v1beta/models").json["models"][0].items()
    assert google.caller.get("/v1beta/models/lynkr-auto").json["displayName"] == "lynkr-auto"
    headers = {"x-goog-api-key": google.program.token}
    listed = google.caller.request("GET", "/v1/models", None, headers, has_token=False)  # newer Google programs ask at /v1
    assert listed.json["models"][0]["name"] == "models/lynkr-auto"
    wrong = google.caller.post("/v1beta/models/lynkr-auto:generateContent", {"contents": "no"})
    assert (wrong.status, wrong.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "$.contents" in wrong.json["error"]["message"]
    assert google.caller.get("/v1beta/nothing").json["error"]["status"] == "NOT_FOUND"


def test_a_key_in_the_address_is_not_read(google: Way) -> None:
    path = f"/v1beta/models/lynkr-auto:generateContent?key={google.program.token}"
    reply = google.caller.request("POST", path, generate(), has_token=False)
    assert (reply.status, reply.json["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert "A key in the address is never read" in reply.json["error"]["message"]


# --- Ollama's clients ---


@pytest.mark.parametrize("name", ["google", "ollama"])
@STREAMED
def test_an_ollama_client_gets_lines_or_one_object(request: pytest.FixtureRequest, name: str, is_streamed: bool) -> None:
    way = request.getfixturevalue(f"{name}")
    way.upstream.play(Answer((Think("Hm."), Say("Grüße"), CallTool("read_file", {"path": "ä"})), tokens=Tokens(5, 6)))
    tool = {
        "type": "function",
        "function": {"name": "read_file", "description": "", "parameters": {"type": "object", "properties": {}}},
    }
    body = {"model": "lynkr-auto", "messages": [{"role": "user", "content": "x"}], "tools": [tool], "think": True}
    reply = way.caller.post("/api/chat", body if is_streamed else body | {"stream": False})
    assert reply.headers["content-type"] == ("application/x-ndjson" if is_streamed else "application/json")
    lines = [json.loads(line) for line in reply.body.splitlines()]
    assert "".join(line["message"].get("content", "") for line in lines) == "Grüße"
    assert "".join(line["message"].get("thinking", "") for line in lines) == "Hm."
    calls = [one for line in lines for one in line["message"].get("tool_calls", ())]
    assert [one["function"]["arguments"] for one in calls] == [{"path": "ä"}]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert (lines[-1]["done_reason"], lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == ("stop", 5, 6)


def test_an_ollama_client_asks_with_a_bare_prompt(way: Way) -> None:
    way.upstream.play(say("pong", pieces=2))
    lines = way.caller.post("/api/generate", {"model": "lynkr-auto", "prompt": "ping", "system": "Be brief."}).body.splitlines()
    assert "".join(json.loads(line)["response"] for line in lines) == "pong"
    assert "Be brief." in way.upstream.chats[0].body.decode()


def test_an_ollama_client_that_says_its_window_is_passed_on_untouched(ollama: Way) -> None:
    ollama.upstream.play(say("pong"))
    body = {
        "model": "x",
        "messages": [{"role": "user", "content": "y"}],
        "options": {"num_ctx": 8192, "seed": 4},
        "keep_alive": "5m",
    }
    reply = ollama.caller.post("/api/chat", body)
    assert json.loads(reply.body.splitlines()[-1])["done"] is True
    assert ollama.upstream.chats[0].json == body | {"model": "qwen3:8b", "stream": True}
    assert "x-lynkr-losses" not in reply.headers


def test_an_ollama_client_lists_shows_and_fails_in_its_own_words(ollama: Way) -> None:
    assert ollama.caller.get("/api/tags").json["models"][0]["name"] == "lynkr-auto"
    assert ollama.caller.get("/api/version").json["version"]
    assert "tools" in ollama.caller.post("/api/show", {"model": "lynkr-auto"}).json["capabilities"]
    assert "nothing-like-it" in ollama.caller.post("/api/show", {"model": "nothing-like-it"}).json["error"]
    refused = ollama.caller.request("POST", "/api/chat", {}, has_token=False)
    assert (refused.status, "Authorization: Bearer" in refused.json["error"]) == (401, True)
    ollama.upstream.play(dies(Ending.ERROR_EVENT, after=3))
    lines = ollama.caller.post("/api/chat", {"model": "x", "messages": [{"role": "user", "content": "y"}]}).body.splitlines()
    assert "killed" in json.loads(lines[-1])["error"]


def test_row_116_a_tier_falls_back_from_google_to_ollama_with_the_clients_own_request(headless: Callable[..., Program]) -> None:
    """Each target gets the request in its own wire, made anew from the original (row 116)."""
    first, second = GeminiUpstream(canary("google")), OllamaUpstream(canary("ollama"))
    servers = (first.start(), second.start())
    try:
        program = headless(
            MODEL_PROVIDER="google:gemini-3-flash",
            FALLBACK_PROVIDER="ollama:qwen3:8b",
            GEMINI_API_KEY=first.key,
            GEMINI_API_BASE=first.url,
            OLLAMA_API_KEY=second.key,
            OLLAMA_API_BASE=second.url,
        )
        first.always = Refuse(404, "models/gemini-3-flash is not found for API version v1beta")
        second.play(say("from the local one"))
        reply = Caller(program.url, program.token).post("/v1beta/models/lynkr-auto:generateContent", generate(tools=TOOLS))
        assert parts_of([reply.json])[0] == {"text": "from the local one"}
        assert (reply.headers["x-lynkr-model"], "google" in reply.headers["x-lynkr-fallback"]) == ("qwen3:8b", True)
        assert [server.complaints for server in servers] == [[], []]
    finally:
        for server in servers:
            server.stop()
