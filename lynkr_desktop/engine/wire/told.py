"""What clients of every wire are told of a failure: the status, and the words. How a wire wraps them is its own.

Statuses are chosen for what programs do with them: 401 makes them ask for a key and 5xx makes them try again. So a provider's
refused key is 502 with the remedy in words.
"""

from collections.abc import Mapping
from typing import Final

from lynkr_desktop.errors import BusyError, ClientError, ConfigError, FailureKind, LynkrError, UpstreamError

STATUS: Final = {
    FailureKind.AUTH: 502,
    FailureKind.QUOTA: 429,
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
FINAL: Final = frozenset({FailureKind.AUTH, FailureKind.QUOTA})  # trying again does not help


def status_of(error: LynkrError, statuses: Mapping[FailureKind, int] = STATUS) -> int:
    """The HTTP status that a client gets."""
    match error:
        case ClientError(status=status):
            return status
        case UpstreamError(kind=kind):
            return statuses[kind]
        case BusyError():
            return 503
        case _:
            return 400 if isinstance(error, ConfigError) else 500


def message_of(error: LynkrError) -> str:
    """What happened, where, and what to do about it."""
    if not isinstance(error, UpstreamError):
        return str(error)
    where = f"{error.provider}: " if error.provider else ""
    remedy = " Enter another key in Lynkr Desktop under Providers." if error.kind is FailureKind.AUTH else ""
    return f"{where}{error}{remedy}"
