"""What providers' refusals mean, and what clients get to see of failures."""

import json
from typing import Any

import pytest

from lynkr_desktop.errors import ClientError, ConfigError, FailureKind, UpstreamError
from tests.engine.wire.speech import A, C


def openai(message: str = "no", **more: Any) -> bytes:
    return json.dumps(
        {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}}
    ).encode()


def claude(kind: str, message: str = "no") -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).encode()


@pytest.mark.parametrize("wire", [A, C])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, claude("authentication_error"), FailureKind.AUTH),
        (403, claude("permission_error"), FailureKind.AUTH),
        (401, openai(code="invalid_api_key"), FailureKind.AUTH),
        (400, openai("API key not valid. Please pass a valid API key."), FailureKind.AUTH),
        (400, claude("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), FailureKind.QUOTA),
        pytest.param(402, openai("Insufficient Balance"), FailureKind.QUOTA, id="row-203"),
        (429, openai("You exceeded your current quota", type="insufficient_quota", code="insufficient_quota"), FailureKind.QUOTA),
        (429, claude("rate_limit_error"), FailureKind.RATE),
        (429, openai("Rate limit reached", code="rate_limit_exceeded"), FailureKind.RATE),
        (429, b"", FailureKind.RATE),
        (429, openai("Too many tokens, please wait before trying again."), FailureKind.RATE),
        (500, openai("Internal error"), FailureKind.OVERLOADED),
        pytest.param(529, claude("overloaded_error"), FailureKind.OVERLOADED, id="row-112"),
        (500, claude("api_error"), FailureKind.OVERLOADED),
        (503, b"<html><h1>503</h1></html>", FailureKind.OVERLOADED),
        (400, claude("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), FailureKind.CONTEXT),
        (400, openai("This model's maximum context length is 8192 tokens.", code="context_length_exceeded"), FailureKind.CONTEXT),
        (400, openai("the request exceeds the available context size", type="exceed_context_size_error"), FailureKind.CONTEXT),
        (413, claude("request_too_large"), FailureKind.CONTEXT),
        pytest.param(413, b"<html><title>413 Request Entity Too Large</title></html>", FailureKind.CONTEXT, id="row-106"),
        (400, openai("flagged", code="content_policy_violation"), FailureKind.REFUSED),
        (403, openai("Your input was flagged; it requires moderation"), FailureKind.REFUSED),
        (404, claude("not_found_error", "model: claude-9"), FailureKind.NOT_FOUND),
        (400, openai("The model `gpt-9` does not exist", code="model_not_found"), FailureKind.NOT_FOUND),
        (400, openai("Unknown parameter"), FailureKind.BAD_REQUEST),
        (422, b'{"detail":[{"loc":["body"],"msg":"bad"}]}', FailureKind.BAD_REQUEST),
        pytest.param(
            400, b'{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}', FailureKind.BAD_REQUEST, id="row-114"
        ),
        (408, b"", FailureKind.TIMEOUT),
        (504, b"\xff\xfe", FailureKind.TIMEOUT),
    ],
)
def test_kinds(wire: Any, status: int, body: bytes, kind: FailureKind) -> None:
    error = wire.parse_error(status, {}, body)
    assert (error.kind, error.status) == (kind, status)
    assert error.title


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"error":{"message":"plain words"}}', "plain words"),
        (b'{"error":"plain words"}', "plain words"),
        (b'[{"error":{"message":"plain words"}}]', "plain words"),
        (b'{"message":"plain words"}', "plain words"),
        (b'{"detail":"plain words"}', "plain words"),
        (b"plain \x1b[31m\nwords\x00", "plain [31m words"),
        (b"<!DOCTYPE html><style>b{}</style><body>plain <b>words</b></body>", "plain words"),
        (b"", "HTTP status 400 without an explanation."),
        (
            b'{"error":{"message":"Provider returned error","metadata":{"raw":"plain words"}}}',
            "Provider returned error (plain words)",
        ),
    ],
)
def test_the_providers_own_words_are_kept(body: bytes, detail: str) -> None:
    assert C.parse_error(400, {}, body).detail == detail


def test_long_words_are_shortened() -> None:
    assert len(A.parse_error(500, {}, b"x" * 100_000).detail) == 500


def test_names_of_requests() -> None:
    assert A.parse_error(500, {"request-id": "req_1"}, b"").request_id == "req_1"
    assert C.parse_error(500, {"x-request-id": "req_2"}, b"").request_id == "req_2"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:29:00 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "soon", "date": "today"}, None),
        ({"retry-after": "-5"}, None),
        ({}, None),
    ],
)
def test_row_113_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert C.parse_error(429, headers, b"").retry_after == seconds


def upstream(kind: FailureKind, **more: Any) -> UpstreamError:
    return UpstreamError(kind, "Title.", "The provider's words.", provider="acme", **more)


@pytest.mark.parametrize(
    ("error", "for_messages", "for_chat"),
    [
        (ClientError("No.", status=401), (401, "authentication_error"), (401, "authentication_error")),
        (ClientError("No.", status=413), (413, "request_too_large"), (413, "invalid_request_error")),
        (ConfigError("No."), (400, "invalid_request_error"), (400, "invalid_request_error")),
        (upstream(FailureKind.AUTH), (502, "api_error"), (502, "server_error")),
        (upstream(FailureKind.QUOTA), (402, "billing_error"), (429, "insufficient_quota")),
        (upstream(FailureKind.RATE), (429, "rate_limit_error"), (429, "rate_limit_error")),
        pytest.param(upstream(FailureKind.OVERLOADED), (529, "overloaded_error"), (503, "server_error"), id="row-112"),
        (upstream(FailureKind.CONTEXT), (400, "invalid_request_error"), (400, "invalid_request_error")),
        (upstream(FailureKind.NOT_FOUND), (404, "not_found_error"), (404, "not_found_error")),
        (upstream(FailureKind.TIMEOUT), (504, "timeout_error"), (504, "server_error")),
        (upstream(FailureKind.UNREACHABLE), (502, "api_error"), (502, "server_error")),
    ],
)
def test_what_clients_get(error: Exception, for_messages: tuple[int, str], for_chat: tuple[int, str]) -> None:
    for wire, expected in ((A, for_messages), (C, for_chat)):
        status, _, body = wire.render_error(error, "lynkr-1")  # type: ignore[arg-type]
        assert (status, json.loads(body)["error"]["type"]) == expected
        assert json.loads(body)["error"]["message"]


@pytest.mark.parametrize("wire", [A, C])
def test_no_kind_is_forgotten(wire: Any) -> None:
    for kind in FailureKind:
        status, _, body = wire.render_error(upstream(kind), "lynkr-1")
        assert 400 <= status < 600
        assert status != 401, "a provider's refused key must not make a client ask for a login"
        assert "acme" in json.loads(body)["error"]["message"]


def test_claude_code_knows_a_full_window_by_these_words() -> None:
    _, _, body = A.render_error(upstream(FailureKind.CONTEXT), "x")
    assert json.loads(body)["error"]["message"].startswith("prompt is too long")
    _, _, body = C.render_error(upstream(FailureKind.CONTEXT), "x")
    assert json.loads(body)["error"]["code"] == "context_length_exceeded"


def test_headers_that_programs_obey() -> None:
    assert A.render_error(upstream(FailureKind.RATE, retry_after=1.2), "x")[1] == {"retry-after": "2"}
    assert C.render_error(upstream(FailureKind.OVERLOADED), "x")[1]["retry-after"] == "5"
    assert A.render_error(upstream(FailureKind.AUTH), "x")[1] == {"x-should-retry": "false"}


def test_counting_tokens() -> None:
    assert json.loads(A.render_token_count(7)) == {"input_tokens": 7}
    with pytest.raises(ClientError):
        C.render_token_count(7)
