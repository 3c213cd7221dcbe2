"""Failures for programs that speak to Ollama, and Ollama's refusals read. Its errors are one text; the status says the rest."""

import math
from collections.abc import Mapping

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.engine.wire.told import message_of, status_of
from lynkr_desktop.errors import BusyError, LynkrError, UpstreamError


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    return refusals.refusal(status, headers, body)


def render_error(error: LynkrError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """HTTP status, extra headers (`retry-after`) and JSON body for the client."""
    headers = {"x-request-id": request_id} if request_id else {}
    if isinstance(error, UpstreamError | BusyError) and error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    return status_of(error), headers, json_reader.encode({"error": message_of(error)})
