"""What a provider's refusal means: any status, any body → `UpstreamError`. Shared by the wires, for providers borrow each other's
bodies. Knows no client and no clock: an HTTP date is counted from the answer's own `date` header.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from msgspec import Raw

from lynkr_desktop import json_reader
from lynkr_desktop.errors import FailureKind, UpstreamError
from lynkr_desktop.json_reader import ShapeError

DETAIL_LIMIT: Final = 500
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_TAG: Final = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_HTML: Final = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)

TITLES: Final = {
    FailureKind.AUTH: "The provider refused the key.",
    FailureKind.QUOTA: "The provider's quota or credit is used up.",
    FailureKind.RATE: "The provider asks us to slow down.",
    FailureKind.OVERLOADED: "The provider is overloaded or broken.",
    FailureKind.CONTEXT: "The request does not fit into the model's window.",
    FailureKind.REFUSED: "The provider refused the content.",
    FailureKind.NOT_FOUND: "The provider does not know this model or path.",
    FailureKind.BAD_REQUEST: "The provider could not read the request.",
    FailureKind.UNREACHABLE: "The provider could not be reached.",
    FailureKind.TIMEOUT: "The provider did not answer in time.",
    FailureKind.PROTOCOL: "The provider's answer could not be understood.",
    FailureKind.EMPTY: "The provider's answer was empty.",
}

_KIND_BY_CODE: Final = {
    "authentication_error": FailureKind.AUTH,
    "permission_error": FailureKind.AUTH,
    "invalid_api_key": FailureKind.AUTH,
    "unauthenticated": FailureKind.AUTH,
    "permission_denied": FailureKind.AUTH,
    "billing_error": FailureKind.QUOTA,
    "insufficient_quota": FailureKind.QUOTA,
    "billing_hard_limit_reached": FailureKind.QUOTA,
    "rate_limit_error": FailureKind.RATE,
    "rate_limit_exceeded": FailureKind.RATE,
    "resource_exhausted": FailureKind.RATE,
    "overloaded_error": FailureKind.OVERLOADED,
    "api_error": FailureKind.OVERLOADED,
    "server_error": FailureKind.OVERLOADED,
    "internal_server_error": FailureKind.OVERLOADED,
    "service_unavailable": FailureKind.OVERLOADED,
    "timeout_error": FailureKind.TIMEOUT,
    "context_length_exceeded": FailureKind.CONTEXT,
    "exceed_context_size_error": FailureKind.CONTEXT,
    "request_too_large": FailureKind.CONTEXT,
    "content_policy_violation": FailureKind.REFUSED,
    "content_filter": FailureKind.REFUSED,
    "not_found_error": FailureKind.NOT_FOUND,
    "model_not_found": FailureKind.NOT_FOUND,
    "invalid_request_error": FailureKind.BAD_REQUEST,
}

_KIND_BY_STATUS: Final = {
    401: FailureKind.AUTH,
    402: FailureKind.QUOTA,
    403: FailureKind.AUTH,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.TIMEOUT,
    413: FailureKind.CONTEXT,
    429: FailureKind.RATE,
    504: FailureKind.TIMEOUT,
}

_STATUS_OF_MANY_MEANINGS: Final = frozenset({None, 400, 403, 404, 413, 422})
_KIND_BY_WORDS: Final = (
    (
        FailureKind.CONTEXT,
        re.compile(
            r"prompt is too long|maximum context length|context[ _](length|window|limit|size)|exceeds? the (available )?context"
            r"|too many (input )?tokens(?! per)|input is too long|reduce the length",
            re.IGNORECASE,
        ),
    ),
    (
        FailureKind.QUOTA,
        re.compile(
            r"credit balance is too low|insufficient (balance|credit|quota|funds)|exceeded your current quota"
            r"|(tokens|requests) per day",
            re.IGNORECASE,
        ),
    ),
    (
        FailureKind.REFUSED,
        re.compile(r"content (management )?polic|content filter|usage polic|requires moderation|flagged", re.IGNORECASE),
    ),
    (FailureKind.AUTH, re.compile(r"(invalid|incorrect|missing|expired) (x-)?api[- ]key|api key not valid", re.IGNORECASE)),
    (FailureKind.NOT_FOUND, re.compile(r"model\b.{0,120}\b(not found|does not exist|not exist)", re.IGNORECASE | re.DOTALL)),
)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """What an answer with an error status means. Header names are lower case."""
    codes, message = _read_body(body)
    kind = kind_of(status, codes, message)
    return UpstreamError(
        kind,
        TITLES[kind],
        message or f"HTTP status {status} without an explanation.",
        status=status,
        retry_after=retry_after(headers),
        request_id=shortened(headers.get("request-id") or headers.get("x-request-id") or "", 100),
        code=codes[0] if codes else "",
    )


def refusal_in_stream(error: Any) -> UpstreamError:
    """What an error object inside an answer that began well means (status 200)."""
    codes, message = _read_error(error)
    status = next((int(code) for code in codes if code.isdigit() and 400 <= int(code) < 600), None)
    kind = kind_of(status, codes, message)
    return UpstreamError(kind, TITLES[kind], message, status=status, code=codes[0] if codes else "")


def broken(detail: str) -> UpstreamError:
    """The provider broke its own wire."""
    return UpstreamError(FailureKind.PROTOCOL, TITLES[FailureKind.PROTOCOL], detail)


def told(raw: Raw | bytes) -> Any:
    """What a provider says of its failure; as text where it is no JSON, for even then it is a failure."""
    try:
        return json_reader.decode(raw)
    except ShapeError:
        return bytes(raw)[:20_000].decode("utf-8", "replace")


def decoded(raw: Raw | bytes) -> Any:
    """A part of a provider's answer. Raises `UpstreamError(PROTOCOL)` if it cannot be read."""
    try:
        return json_reader.decode(raw)
    except ShapeError as error:
        raise broken(str(error)) from None


def kind_of(status: int | None, codes: tuple[str, ...], message: str) -> FailureKind:
    """Told by the body where it is plain, else by the status; without either it is the provider's own trouble."""
    specific = [_KIND_BY_CODE[code] for code in codes if code in _KIND_BY_CODE]
    decided = next((kind for kind in specific if kind not in {FailureKind.BAD_REQUEST, FailureKind.RATE}), None)
    if decided is not None and decided is not FailureKind.AUTH:
        return decided
    told = next((kind for kind, words in _KIND_BY_WORDS if words.search(message)), None)
    if told is not None and (told is FailureKind.QUOTA if status == 429 else status in _STATUS_OF_MANY_MEANINGS):
        return told
    if decided is not None:
        return decided
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    if specific and (status is None or status < 500):
        return specific[0]
    return FailureKind.OVERLOADED if status is None or status >= 500 else FailureKind.BAD_REQUEST


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the provider asks us to wait: `retry-after` in seconds or as an HTTP date, or `retry-after-ms`."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is not None or not value or "date" not in headers:
        return seconds
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers["date"])
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text) else None


def shortened(text: str, limit: int = DETAIL_LIMIT) -> str:
    """One line of at most `limit` characters without control characters."""
    text = " ".join(_CONTROL.sub(" ", text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _read_body(body: bytes) -> tuple[tuple[str, ...], str]:
    try:
        value = json_reader.decode(body)
    except ShapeError:
        text = body[:20_000].decode("utf-8", "replace")
        return (), shortened(_TAG.sub(" ", text) if _HTML.match(text) else text)
    return _read_error(value)


def _read_error(value: Any) -> tuple[tuple[str, ...], str]:
    """Codes (most telling first) and message of an error object in any of the shapes that are about."""
    if isinstance(value, list):
        value = value[0] if value else {}
    if not isinstance(value, dict):
        return (), shortened(value if isinstance(value, str) else "")
    inner = value.get("error")
    if isinstance(inner, dict):
        return _read_error(inner)
    codes = tuple(str(value[key]).lower() for key in ("code", "type", "status") if isinstance(value.get(key), str | int))
    texts = (inner, value.get("message"), value.get("detail"), value.get("error_description"))
    message = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    raw = value["metadata"].get("raw") if isinstance(value.get("metadata"), dict) else None
    if isinstance(raw, str) and raw not in message:  # a broker keeps the words of the provider behind it there
        message = f"{message} ({raw})"
    if not message and value:
        message = json_reader.encode(value).decode("utf-8", "replace")
    return tuple(code for code in codes if code), shortened(message)
