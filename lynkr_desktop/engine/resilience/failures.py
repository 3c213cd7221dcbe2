"""What to do after a failure: the same target again, the next one, or stop. Pure; the caller guarantees that no byte went out.

    RATE                    once more if the provider names a short wait, or if it names none and nothing else is left, else next
    OVERLOADED UNREACHABLE  once more quickly, then next
    TIMEOUT                 once more only where nothing else is left: it has cost minutes already
    AUTH QUOTA NOT_FOUND    next: waiting does not help
    PROTOCOL EMPTY          next
    CONTEXT                 next, but only where the window is larger
    BAD_REQUEST REFUSED     stop

The last two are the request's own fault. Another provider might take it, but then a client's mistake would show up only now and
then, and one vendor's refusal would become a way to another's answer.
"""

import re
from typing import Final, assert_never

import msgspec

from lynkr_desktop.errors import FailureKind, UpstreamError

_STALE: Final = re.compile(
    r"encrypted.content.{0,200}could not be|invalid.{0,9}signature.{0,9} in .{0,9}thinking|thought.?signature",
    re.IGNORECASE | re.DOTALL,
)
QUICK_SECONDS: Final = 0.5  # a second try after the provider's own hiccup
UNNAMED_WAIT_SECONDS: Final = 1.0  # where a provider asks to slow down and does not say for how long
SHORT_WAIT_SECONDS: Final = 5.0  # the longest wait for the same target while another one could serve
LAST_WAIT_SECONDS: Final = 30.0  # the longest wait where no other target is left; beyond it the client decides


class Again(msgspec.Struct, frozen=True):
    """Try the same target once more after this many seconds."""

    seconds: float


class NextTarget(msgspec.Struct, frozen=True):
    """Try the next target; `needs_larger_window` leaves out those whose window is not larger."""

    needs_larger_window: bool = False


class Stop(msgspec.Struct, frozen=True):
    """Give the client this error."""


Decision = Again | NextTarget | Stop


def after(error: UpstreamError, attempts_on_target: int, *, has_next: bool) -> Decision:
    """What to do after a failure. `attempts_on_target` counts this one, so it begins at 1; `has_next`: another target is left."""
    match error.kind:
        case FailureKind.BAD_REQUEST | FailureKind.REFUSED:
            return Stop()
        case FailureKind.CONTEXT:
            return NextTarget(needs_larger_window=True) if has_next else Stop()
        case FailureKind.AUTH | FailureKind.QUOTA | FailureKind.NOT_FOUND | FailureKind.PROTOCOL | FailureKind.EMPTY:
            return _onward(has_next)
        case FailureKind.TIMEOUT:
            return Again(QUICK_SECONDS) if attempts_on_target == 1 and not has_next else _onward(has_next)
        case FailureKind.RATE:
            pause = UNNAMED_WAIT_SECONDS if error.retry_after is None and not has_next else error.retry_after
            return _after_wait(pause, attempts_on_target, has_next=has_next)
        case FailureKind.OVERLOADED | FailureKind.UNREACHABLE:
            wait = QUICK_SECONDS if error.retry_after is None else error.retry_after
            return _after_wait(wait, attempts_on_target, has_next=has_next)
        case _:
            assert_never(error.kind)


def is_targets_fault(kind: FailureKind) -> bool:
    """Does this failure speak against the target? What the request itself caused is neutral, for breaker and health."""
    return kind not in (FailureKind.CONTEXT, FailureKind.REFUSED, FailureKind.BAD_REQUEST)


def refuses_reasoning(error: UpstreamError) -> bool:
    """Was it the reasoning in the history: signed or encrypted by another account or model than the one that reads it now?

    Some servers in between leave the code out and keep the words.
    """
    is_stale = error.code == "invalid_encrypted_content" or _STALE.search(error.detail) is not None
    return error.kind is FailureKind.BAD_REQUEST and is_stale


def _after_wait(seconds: float | None, attempts_on_target: int, *, has_next: bool) -> Decision:
    """Once more if the wait is known and short enough, else onward."""
    longest = SHORT_WAIT_SECONDS if has_next else LAST_WAIT_SECONDS
    if attempts_on_target == 1 and seconds is not None and seconds <= longest:
        return Again(max(seconds, QUICK_SECONDS))
    return _onward(has_next)


def _onward(has_next: bool) -> Decision:
    return NextTarget() if has_next else Stop()
