"""Failures for clients of OpenAI's APIs, and providers' refusals read. Shared by the wires of that family.

Status and code are chosen for what programs do with them: 401 makes them ask for a key and 5xx makes them try again. So a
provider's refused key is 502 with the remedy in words and `x-should-retry: false`, which the vendors' SDKs obey.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.errors import BusyError, ClientError, ConfigError, FailureKind, LynkrError, UpstreamError

OVERLOADED_WAIT_SECONDS: Final = 5
_TYPES: Final = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_STATUS: Final = {
    FailureKind.AUTH: 502,
    FailureKind.QUOTA: 429,  # with `insufficient_quota`, as OpenAI itself does it
    FailureKind.RATE: 429,
    FailureKind.OVERLOADED: 503,
    FailureKind.CONTEXT: 400,
    FailureKind.REFUSED: 400,
    FailureKind.NOT_FOUND: 404,
    FailureKind.BAD_REQUEST: 400,
    FailureKind.UNREACHABLE: 502,
    FailureKind.TIMEOUT: 504,
    FailureKind.PROTOCOL: 502,
    FailureKind.EMPTY: 502,
}
_CODES: Final = {
    FailureKind.QUOTA: "insufficient_quota",
    FailureKind.RATE: "rate_limit_exceeded",
    FailureKind.CONTEXT: "context_length_exceeded",
    FailureKind.REFUSED: "content_policy_violation",
    FailureKind.NOT_FOUND: "model_not_found",
}
_FINAL: Final = frozenset({FailureKind.AUTH, FailureKind.QUOTA})


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    return refusals.refusal(status, headers, body)


def status_of(error: LynkrError) -> int:
    """The HTTP status that a client gets."""
    match error:
        case ClientError(status=status):
            return status
        case UpstreamError(kind=kind):
            return _STATUS[kind]
        case BusyError():
            return 503
        case _:
            return 400 if isinstance(error, ConfigError) else 500


def error_object(error: LynkrError) -> dict[str, Any]:
    """Message, type, parameter and code; the last two are always there, as null if there is nothing to say."""
    status = status_of(error)
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    code = _CODES.get(error.kind) if isinstance(error, UpstreamError) else None
    return {
        "message": message_of(error),
        "type": "insufficient_quota" if code == "insufficient_quota" else kind,
        "param": None,
        "code": code,
    }


def message_of(error: LynkrError) -> str:
    """What happened, where, and what to do about it."""
    if not isinstance(error, UpstreamError):
        return str(error)
    where = f"{error.provider}: " if error.provider else ""
    remedy = " Enter another key in Lynkr Desktop under Providers." if error.kind is FailureKind.AUTH else ""
    return f"{where}{error}{remedy}"


def render_error(error: LynkrError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """HTTP status, extra headers (`retry-after`) and JSON body for the client."""
    headers = {"x-request-id": request_id} if request_id else {}
    if isinstance(error, UpstreamError):
        if error.retry_after is not None:
            headers["retry-after"] = str(math.ceil(error.retry_after))
        elif error.kind is FailureKind.OVERLOADED:
            headers["retry-after"] = str(OVERLOADED_WAIT_SECONDS)
        if error.kind in _FINAL:
            headers["x-should-retry"] = "false"
    elif isinstance(error, BusyError):
        headers["retry-after"] = str(error.retry_after)
    return status_of(error), headers, json_reader.encode({"error": error_object(error)})
