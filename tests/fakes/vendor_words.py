"""How each wire's vendor words the refusals that matter: status and body, as they were seen. Values only."""

import json
from typing import Any, Final

from lynkr_desktop.errors import FailureKind


def _claude(kind: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).encode()


def _openai(code: str, message: str, kind: str = "invalid_request_error") -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


def _google(code: int, status: str, message: str, *details: Any) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "status": status, "details": details}}).encode()


def _plain(message: str) -> bytes:
    return json.dumps({"message": message}).encode()


_OPENAI: Final = {
    FailureKind.QUOTA: (
        429,
        _openai("insufficient_quota", "You exceeded your current quota, please check your plan.", "insufficient_quota"),
    ),
    FailureKind.CONTEXT: (
        400,
        _openai("context_length_exceeded", "This model's maximum context length is 128000 tokens. However, 150000 came."),
    ),
    FailureKind.REFUSED: (
        400,
        _openai("content_filter", "The response was filtered due to the prompt triggering Azure OpenAI's content management."),
    ),
    FailureKind.NOT_FOUND: (404, _openai("model_not_found", "The model `x` does not exist or you do not have access to it.")),
}
REFUSALS: Final[dict[str, dict[FailureKind, tuple[int, bytes]]]] = {
    "anthropic": {
        FailureKind.QUOTA: (400, _claude("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")),
        FailureKind.CONTEXT: (400, _claude("invalid_request_error", "prompt is too long: 203456 tokens > 200000 maximum")),
        FailureKind.REFUSED: (400, _claude("invalid_request_error", "Output blocked by content filtering policy")),
        FailureKind.NOT_FOUND: (404, _claude("not_found_error", "model: x")),
    },
    "openai_chat": _OPENAI,
    "openai_responses": _OPENAI,
    "gemini": {
        FailureKind.QUOTA: (
            429,
            _google(
                429,
                "RESOURCE_EXHAUSTED",
                "You exceeded your current quota, please check your plan and billing details.",
                {
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
                },
            ),
        ),
        FailureKind.CONTEXT: (
            400,
            _google(
                400,
                "INVALID_ARGUMENT",
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            ),
        ),
        FailureKind.NOT_FOUND: (404, _google(404, "NOT_FOUND", "models/x is not found for API version v1beta.")),
    },
    "ollama": {
        FailureKind.CONTEXT: (400, b'{"error":"prompt too long; exceeded max context length by 12 tokens"}'),
        FailureKind.NOT_FOUND: (404, b'{"error":"model \'x\' not found"}'),
    },
    "bedrock_converse": {
        FailureKind.QUOTA: (429, _plain("Too many tokens per day, please wait before trying again.")),
        FailureKind.CONTEXT: (400, _plain("Input is too long for requested model.")),
        FailureKind.REFUSED: (400, _plain("The request was blocked by the content filter.")),
        FailureKind.NOT_FOUND: (404, _plain("The provided model identifier is invalid.")),
    },
}
