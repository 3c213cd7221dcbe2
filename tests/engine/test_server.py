"""The door, from outside: who may come in, what may be asked, and what a refusal looks like to each kind of client."""

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.caller import PATIENCE, Caller
from tests.fakes.dialects import CHAT, DIALECTS, MESSAGES, Dialect
from tests.fakes.lab import Pair
from tests.fakes.program import Program
from tests.fakes.script import say
from tests.fakes.upstream import COUNTED_TOKENS

ANTHROPIC_CLIENT = {"anthropic-version": "2023-06-01"}
BOTH = pytest.mark.parametrize("dialect", DIALECTS, ids=["messages", "chat"])


@pytest.mark.parametrize("path", ["/", "/health", "/health/live"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_signs_of_life_need_no_token(to_openai: Pair, method: str, path: str) -> None:
    """And a HEAD has no body."""
    reply = to_openai.caller.request(method, path, has_token=False)
    assert reply.status == 200
    assert (reply.body == b"") is (method == "HEAD")


@pytest.mark.parametrize("path", ["/v1/models", "/health/ready", "/v1/messages", "/v1/chat/completions", "/nothing"])
@pytest.mark.parametrize("token", ["", "wrong", "Ünïcode"])
def test_everything_else_needs_the_token(to_openai: Pair, path: str, token: str) -> None:
    """401 before anything is looked at."""
    headers = {"x-api-key": token.encode().decode("latin-1")} if token else {}
    for method in ("GET", "POST"):
        reply = to_openai.caller.request(method, path, {} if method == "POST" else None, headers, has_token=False)
        assert reply.status == 401, (method, path)
    assert to_openai.upstream.received == []


@BOTH
@pytest.mark.parametrize("name", ["x-api-key", "authorization"])
def test_both_ways_to_send_the_token(to_openai: Pair, dialect: Dialect, name: str) -> None:
    """Each client has its own habit."""
    value = to_openai.program.token if name == "x-api-key" else f"bearer {to_openai.program.token}"
    reply = to_openai.caller.request("POST", dialect.path, dialect.ask("hi"), {name: value}, has_token=False)
    assert reply.status == 200


@BOTH
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1:1"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"x-api-key": "wrong", "authorization": "Bearer wrong"}, 401),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_strangers_are_refused(to_openai: Pair, dialect: Dialect, headers: dict[str, str], status: int) -> None:
    """Web pages, other names for this machine, forms; each in the dialect of the path that was asked."""
    reply = to_openai.caller.post(dialect.path, dialect.ask("hi"), headers)
    assert reply.status == status
    assert dialect.error_of(reply.json)
    assert "access-control-allow-origin" not in reply.headers
    assert to_openai.upstream.received == []


def test_a_preflight_gets_no_permission(to_openai: Pair) -> None:
    """A browser asks first; the answer must not let it go on."""
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    reply = to_openai.caller.request("OPTIONS", "/v1/messages", None, headers, has_token=False)
    assert reply.status == 403
    assert not any(name.startswith("access-control") for name in reply.headers)


NOT_REQUESTS: dict[str, bytes] = {
    "empty": b"",
    "not-json": b"{not json",
    "cut": b'{"model": "x", "messages": [{"role": "us',
    "array": b"[]",
    "null": b"null",
    "not-utf8": b'{"model": "\xff", "messages": []}',
    "deep": b"[" * 200_000,
    "nan": b'{"model": "x", "max_tokens": NaN, "messages": []}',
}


@BOTH
@pytest.mark.parametrize("name", NOT_REQUESTS)
def test_what_is_no_request_is_refused(to_openai: Pair, dialect: Dialect, name: str) -> None:
    """400 in the dialect; the vendor hears nothing of it."""
    reply = to_openai.caller.post(dialect.path, NOT_REQUESTS[name])
    assert reply.status == 400
    assert dialect.error_of(reply.json)
    assert to_openai.upstream.received == []


WRONG: dict[str, dict[str, Any]] = {
    "messages is a number": {"messages": 5},
    "messages is null": {"messages": None},
    "messages[0] is text": {"messages": ["hi"]},
    "messages[0].role is missing": {"messages": [{"content": "x"}]},
    "role is unknown": {"messages": [{"role": "wizard", "content": "x"}]},
    "messages[0].content is a number": {"messages": [{"role": "user", "content": 5}]},
    "messages[0].content[0] is a number": {"messages": [{"role": "user", "content": [5]}]},
    "model is a number": {"model": 5},
    "stream is text": {"stream": "yes"},
    "tools is an object": {"tools": {"a": 1}},
    "tools[0] is text": {"tools": ["f"]},
    "temperature is text": {"temperature": "hot"},
    "max_tokens is text": {"max_tokens": "many"},
}


@BOTH
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("vendor", ["same", "other"])
def test_wrong_types_are_told_with_their_place(
    to_openai: Pair, to_anthropic: Pair, dialect: Dialect, name: str, vendor: str
) -> None:
    """By us or by the vendor, but never as a bug of ours, and nothing hangs."""
    is_openai = (dialect is CHAT) == (vendor == "same")
    pair = to_openai if is_openai else to_anthropic
    pair.upstream.expects_complaints = True
    reply = pair.caller.post(dialect.path, dialect.ask("hi") | WRONG[name])
    assert reply.status == 400, reply.body
    assert name.split(maxsplit=1)[0] in dialect.error_of(reply.json)


@BOTH
@pytest.mark.parametrize("vendor", ["same", "other"])
def test_unknown_fields_are_no_failure_of_ours(to_openai: Pair, to_anthropic: Pair, dialect: Dialect, vendor: str) -> None:
    """The same vendor judges for itself; to another one they are left out, and that is declared."""
    pair = to_openai if (dialect is CHAT) == (vendor == "same") else to_anthropic
    pair.upstream.expects_complaints = vendor == "same"
    reply = pair.caller.post(dialect.path, dialect.ask("hi", field_of_tomorrow={"a": [1, None]}))
    if vendor == "same":
        assert reply.status == 400
        assert "field_of_tomorrow" in dialect.error_of(reply.json)
    else:
        assert reply.status == 200
        assert "field_of_tomorrow" in reply.headers["x-lynkr-losses"]


def test_a_body_that_is_too_large(to_openai: Pair) -> None:
    """More than 64 MiB, told before it is sent: 413 without reading it."""
    connection = http.client.HTTPConnection(to_openai.caller.host, to_openai.caller.port, timeout=PATIENCE)
    connection.putrequest("POST", MESSAGES.path)
    named = {"content-type": "application/json", "x-api-key": to_openai.program.token, "content-length": str(65 * 2**20)}
    for name, value in named.items():
        connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413
    assert "64 MiB" in MESSAGES.error_of(json.loads(reply.read()))
    connection.close()


def test_a_chunked_body_that_is_too_large(to_openai: Pair) -> None:
    """The same where the length is not told: the answer comes, or the connection ends; nothing is kept and nothing hangs."""
    connection = http.client.HTTPConnection(to_openai.caller.host, to_openai.caller.port, timeout=PATIENCE)
    pieces = (b" " * 2**20 for _ in range(66))
    headers = {"content-type": "application/json", "authorization": f"Bearer {to_openai.program.token}"}
    try:
        connection.request("POST", CHAT.path, pieces, headers, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (ConnectionError, http.client.HTTPException):
        pass
    connection.close()
    assert to_openai.caller.get("/health").status == 200


def test_row_093_a_large_body_is_taken(pair: Pair) -> None:
    """Long sessions with pictures have megabytes."""
    pair.upstream.play(lambda received: say(str(len(received.body))))
    assert int(pair.hear(pair.dialect.ask("x" * 8 * 2**20)).text) > 8 * 2**20


@BOTH
def test_the_models_list_is_in_the_callers_dialect(to_openai: Pair, dialect: Dialect) -> None:
    """Anthropic's clients send a version, all others get OpenAI's list."""
    listed = to_openai.caller.get("/v1/models", ANTHROPIC_CLIENT if dialect is MESSAGES else {}).json
    names = [entry["id"] for entry in listed["data"]]
    assert "openai:gpt-4o-mini" in names
    if dialect is MESSAGES:
        assert (listed["has_more"], listed["first_id"], listed["last_id"]) == (False, names[0], names[-1])
        assert all(entry["type"] == "model" and entry["display_name"] for entry in listed["data"])
    else:
        assert listed["object"] == "list"
        assert all(entry["object"] == "model" for entry in listed["data"])


@pytest.mark.parametrize("name", ["lynkr-auto", "openai:gpt-4o-mini"])
def test_a_listed_model_can_be_asked_for(to_openai: Pair, name: str) -> None:
    """What is listed works."""
    assert to_openai.caller.get(f"/v1/models/{name}").json["id"] == name
    assert to_openai.hear(CHAT.ask("hi", model=name)).text == "pong"
    assert to_openai.upstream.chats[0].json["model"] == "gpt-4o-mini"


def test_row_142_tokens_are_counted_by_the_vendor_where_it_can(to_anthropic: Pair) -> None:
    """Exactly what the client sent is counted."""
    body = {"model": "claude-odd", "messages": [{"role": "user", "content": "hi"}], "system": "x"}
    reply = to_anthropic.caller.post("/v1/messages/count_tokens?beta=true", body, ANTHROPIC_CLIENT)
    assert reply.json == {"input_tokens": COUNTED_TOKENS}
    assert to_anthropic.upstream.received[-1].json["messages"] == body["messages"]


def test_tokens_are_estimated_elsewhere(anthropic_to_openai: Pair) -> None:
    """Text, tools and pictures count; a longer request counts more."""
    counts = []
    for text in ("hi", "hi there " * 500):
        reply = anthropic_to_openai.caller.post("/v1/messages/count_tokens", MESSAGES.ask(text, tools=["read_file"]))
        counts.append(reply.json["input_tokens"])
    assert 10 < counts[0] < 200
    assert 500 < counts[1] < 3000


@pytest.mark.parametrize("path", ["/v1/messages", "/messages", "/v1/v1/messages"])
def test_a_doubled_or_missing_version_is_forgiven(to_openai: Pair, path: str) -> None:
    """Base addresses are mistyped in both ways."""
    headers = {"x-api-key": to_openai.program.token}
    assert to_openai.caller.request("POST", path, MESSAGES.ask("hi"), headers, has_token=False).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/messages", 405), ("POST", "/v1/nothing", 404), ("GET", "/x", 404)]
)
def test_what_does_not_exist(to_openai: Pair, method: str, path: str, status: int) -> None:
    """Told as JSON."""
    reply = to_openai.caller.request(method, path, {} if method == "POST" else None)
    assert reply.status == status
    assert reply.json["error"]["message"]


def test_ready_asks_the_vendors_if_it_is_to_look_deeply(to_openai: Pair) -> None:
    """And says what it found."""
    assert to_openai.caller.get("/health/ready").json["status"] == "ready"
    assert to_openai.upstream.received == []
    deep = to_openai.caller.get("/health/ready?deep=true")
    assert deep.status == 200
    assert deep.json["checks"]["account openai"] == "ok"
    assert to_openai.upstream.received, "a deep look asks the vendor"


def test_a_key_alone_is_told_what_is_missing(headless: Callable[..., Program]) -> None:
    """Not "ready" as long as each request would be refused; both say what to set."""
    program = headless(OPENAI_API_KEY="sk-canary-of-one-key-0123456789")
    caller = Caller(program.url, program.token)
    ready = caller.get("/health/ready")
    assert ready.status == 503
    assert "MODEL_PROVIDER" in ready.json["checks"]["routing"]
    refused = caller.post("/v1/messages", {"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]})
    assert refused.status == 400
    assert "MODEL_PROVIDER" in refused.json["error"]["message"]
