"""Failures for clients of the Messages API, and providers' refusals read.

What trying again does not help says so in `x-should-retry: false`, which the vendors' SDKs obey.
"""

import math
from collections.abc import Mapping
from typing import Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals, told
from lynkr_desktop.errors import BudgetError, BusyError, FailureKind, LynkrError, UpstreamError

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS: Final = {**told.STATUS, FailureKind.QUOTA: 402, FailureKind.OVERLOADED: 529}


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    return refusals.refusal(status, headers, body)


def status_of(error: LynkrError) -> int:
    """The HTTP status that a client gets."""
    if isinstance(error, BudgetError):
        return 402  # a 400 would make Claude Code try again with fewer features
    return told.status_of(error, _STATUS)


def error_object(error: LynkrError) -> dict[str, str]:
    """Type and message. Claude Code knows a full window by the words "prompt is too long"."""
    status = status_of(error)
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": kind, "message": message_of(error)}


def message_of(error: LynkrError) -> str:
    """What happened, where, and what to do about it."""
    if isinstance(error, UpstreamError) and error.kind is FailureKind.CONTEXT:
        where = f"{error.provider}: " if error.provider else ""
        return f"prompt is too long: {where}{error.detail or error.title}"
    return told.message_of(error)


def render_error(error: LynkrError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """HTTP status, extra headers (`retry-after`) and JSON body for the client."""
    headers = {}
    if isinstance(error, UpstreamError):
        if error.retry_after is not None:
            headers["retry-after"] = str(math.ceil(error.retry_after))
        if error.kind in told.FINAL:
            headers["x-should-retry"] = "false"
    elif isinstance(error, BusyError):
        headers["retry-after"] = str(error.retry_after)
    elif isinstance(error, BudgetError):
        headers["x-should-retry"] = "false"
    body = {"type": "error", "error": error_object(error), "request_id": request_id}
    return status_of(error), headers, json_reader.encode(body)
