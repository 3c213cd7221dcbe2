"""Failures for clients of the Gemini API, and Google's refusals read.

Google tells a limit for a minute and one for a day with the same status and the same words; only the details below them differ.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.told import message_of, status_of
from lynkr_desktop.errors import BusyError, FailureKind, LynkrError, UpstreamError
from lynkr_desktop.json_reader import ShapeError

_WORDS: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TOO_LONG: Final = re.compile(r"token count .{0,80}exceeds the maximum|exceeds the maximum number of tokens", re.IGNORECASE)
_DELAY: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_DAILY: Final = re.compile(r"per.?day|daily", re.IGNORECASE)


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    error = refusals.refusal(status, headers, body)
    if _TOO_LONG.search(error.detail):
        return _as(FailureKind.CONTEXT, error, error.retry_after)
    details = _details(body)
    wait = next((seconds for each in details if (seconds := _seconds(each.get("retryDelay"))) is not None), None)
    if status == 429:
        is_daily = any(_DAILY.search(json_reader.encode(each).decode("utf-8", "replace")) for each in details)
        is_bare = wait is None and not details
        kind = error.kind if is_bare else FailureKind.QUOTA if is_daily else FailureKind.RATE
        return _as(kind, error, error.retry_after if wait is None else wait)
    return error


def _as(kind: FailureKind, error: UpstreamError, retry_after: float | None) -> UpstreamError:
    return UpstreamError(
        kind,
        refusals.TITLES[kind],
        error.detail,
        status=error.status,
        retry_after=retry_after,
        request_id=error.request_id,
        code=error.code,
    )


def _details(body: bytes) -> list[dict[str, Any]]:
    try:
        value = json_reader.decode(body)
    except ShapeError:
        return []
    value = value[0] if isinstance(value, list) and value else value
    error = value.get("error") if isinstance(value, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _seconds(value: Any) -> float | None:
    """`"23s"` and `"0.5s"`, as Google writes durations."""
    found = _DELAY.fullmatch(value) if isinstance(value, str) else None
    return float(found[1]) if found else None


def error_object(error: LynkrError) -> dict[str, Any]:
    """Code, message and Google's word for the status."""
    status = status_of(error)
    return {"code": status, "message": message_of(error), "status": _WORDS.get(status, "INVALID_ARGUMENT")}


def render_error(error: LynkrError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """HTTP status, extra headers (`retry-after`) and JSON body for the client."""
    headers = {"x-request-id": request_id} if request_id else {}
    body = error_object(error)
    if isinstance(error, UpstreamError | BusyError) and error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{math.ceil(error.retry_after)}s"}
        body["details"] = [info]
    return status_of(error), headers, json_reader.encode({"error": body})
