"""Failures for programs that speak to Ollama, and Ollama's refusals read. Its errors are one text; the status says the rest."""

import math
from collections.abc import Mapping
from typing import Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.errors import BusyError, ClientError, ConfigError, FailureKind, LynkrError, UpstreamError

_STATUS: Final = {
    FailureKind.QUOTA: 429,
    FailureKind.RATE: 429,
    FailureKind.OVERLOADED: 503,
    FailureKind.CONTEXT: 400,
    FailureKind.REFUSED: 400,
    FailureKind.NOT_FOUND: 404,
    FailureKind.BAD_REQUEST: 400,
    FailureKind.TIMEOUT: 504,
}


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    return refusals.refusal(status, headers, body)


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
    match error:
        case ClientError(status=status):
            pass
        case UpstreamError(kind=kind):
            status = _STATUS.get(kind, 502)
            if error.retry_after is not None:
                headers["retry-after"] = str(math.ceil(error.retry_after))
        case BusyError(retry_after=seconds):
            status, headers["retry-after"] = 503, str(seconds)
        case _:
            status = 400 if isinstance(error, ConfigError) else 500
    return status, headers, json_reader.encode({"error": message_of(error)})
