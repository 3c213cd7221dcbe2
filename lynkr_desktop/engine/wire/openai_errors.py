"""Failures for clients of OpenAI's APIs, and providers' refusals read. Shared by the wires of that family.

What trying again does not help says so in `x-should-retry: false`, which the vendors' SDKs obey.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.told import FINAL, message_of, status_of
from lynkr_desktop.errors import BusyError, FailureKind, LynkrError, UpstreamError

OVERLOADED_WAIT_SECONDS: Final = 5
_TYPES: Final = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_CODES: Final = {
    FailureKind.QUOTA: "insufficient_quota",
    FailureKind.RATE: "rate_limit_exceeded",
    FailureKind.CONTEXT: "context_length_exceeded",
    FailureKind.REFUSED: "content_policy_violation",
    FailureKind.NOT_FOUND: "model_not_found",
}


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    return refusals.refusal(status, headers, body)


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


def render_error(error: LynkrError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """HTTP status, extra headers (`retry-after`) and JSON body for the client."""
    headers = {"x-request-id": request_id} if request_id else {}
    if isinstance(error, UpstreamError):
        if error.retry_after is not None:
            headers["retry-after"] = str(math.ceil(error.retry_after))
        elif error.kind is FailureKind.OVERLOADED:
            headers["retry-after"] = str(OVERLOADED_WAIT_SECONDS)
        if error.kind in FINAL:
            headers["x-should-retry"] = "false"
    elif isinstance(error, BusyError):
        headers["retry-after"] = str(error.retry_after)
    return status_of(error), headers, json_reader.encode({"error": error_object(error)})
