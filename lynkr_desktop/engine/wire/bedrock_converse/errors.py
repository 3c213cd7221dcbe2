"""What Bedrock's refusals mean, as an HTTP status or as an exception inside a stream. Pure.

Source: the errors of Converse and ConverseStream in Amazon's API reference.
"""

from collections.abc import Mapping
from typing import Any, Final

from lynkr_desktop import json_reader
from lynkr_desktop.engine.wire import refusals
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import ShapeError

_STATUS: Final = {
    "accessdeniedexception": 403,
    "expiredtokenexception": 403,
    "internalserverexception": 500,
    "modelerrorexception": 500,  # 424 by the API: the model failed, not the request
    "modelnotreadyexception": 503,
    "modelstreamerrorexception": 500,
    "modeltimeoutexception": 504,
    "resourcenotfoundexception": 404,
    "serviceunavailableexception": 503,
    "throttlingexception": 429,
    "unrecognizedclientexception": 403,
    "validationexception": 400,
}
_QUOTA: Final = frozenset({"servicequotaexceededexception"})


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What a provider's refusal means. Header names are lower case. The body may be anything, HTML too."""
    name = headers.get("x-amzn-errortype", "").partition(":")[0]
    plain = refusals.refusal(status, headers, body)
    detail = _message(body) or plain.detail
    kind = _kind(name, status, detail)
    return UpstreamError(
        kind,
        refusals.TITLES[kind],
        detail,
        status=status,
        retry_after=plain.retry_after,
        request_id=refusals.shortened(headers.get("x-amzn-requestid", ""), 100) or plain.request_id,
        code=name or plain.code,
    )


def failure_in_stream(name: str, body: bytes) -> UpstreamError:
    """What an exception inside an answer that began well means."""
    detail = _message(body)
    kind = _kind(name, None, detail)
    return UpstreamError(kind, refusals.TITLES[kind], detail or name, status=_STATUS.get(name.lower()), code=name)


def _kind(name: str, status: int | None, detail: str) -> FailureKind:
    if name.lower() in _QUOTA:
        return FailureKind.QUOTA
    return refusals.kind_of(_STATUS.get(name.lower(), status), (), detail)


def _message(body: bytes) -> str:
    """The words of an error, whose key some of Amazon's services write with a capital."""
    try:
        value: Any = json_reader.decode(body)
    except ShapeError:
        return ""
    if not isinstance(value, dict):
        return ""
    text = value.get("message") or value.get("Message")
    return refusals.shortened(text) if isinstance(text, str) else ""
