"""Each kind of failure leads where its cause can be cured: the same target, another one, or the client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.resilience.failures import (
    LAST_WAIT_SECONDS,
    QUICK_SECONDS,
    SHORT_WAIT_SECONDS,
    UNNAMED_WAIT_SECONDS,
    Again,
    NextTarget,
    Stop,
    after,
    is_targets_fault,
)
from lynkr_desktop.errors import FailureKind, UpstreamError

ELSEWHERE = [
    FailureKind.AUTH,
    FailureKind.QUOTA,
    FailureKind.NOT_FOUND,
    FailureKind.PROTOCOL,
    FailureKind.EMPTY,
]
OWN_FAULT = [FailureKind.BAD_REQUEST, FailureKind.REFUSED]


def failure(kind: FailureKind, retry_after: float | None = None) -> UpstreamError:
    return UpstreamError(kind, "It failed.", retry_after=retry_after)


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_what_waiting_does_not_cure_goes_to_the_next_target_at_once(kind: FailureKind) -> None:
    assert after(failure(kind, retry_after=1), 1, has_next=True) == NextTarget()
    assert after(failure(kind), 1, has_next=False) == Stop()


@pytest.mark.parametrize("kind", OWN_FAULT)
def test_the_requests_own_fault_is_never_tried_elsewhere(kind: FailureKind) -> None:
    assert after(failure(kind), 1, has_next=True) == Stop()
    assert not is_targets_fault(kind)


def test_a_window_that_is_too_small_asks_for_a_larger_one() -> None:
    assert after(failure(FailureKind.CONTEXT), 1, has_next=True) == NextTarget(needs_larger_window=True)
    assert after(failure(FailureKind.CONTEXT), 1, has_next=False) == Stop()
    assert not is_targets_fault(FailureKind.CONTEXT)


@pytest.mark.parametrize("kind", [FailureKind.OVERLOADED, FailureKind.UNREACHABLE])
def test_a_hiccup_gets_one_quick_second_try(kind: FailureKind) -> None:
    assert after(failure(kind), 1, has_next=True) == Again(QUICK_SECONDS)
    assert after(failure(kind), 2, has_next=True) == NextTarget()
    assert after(failure(kind), 2, has_next=False) == Stop()


def test_a_short_named_wait_is_kept_once_and_a_long_one_never() -> None:
    rate = FailureKind.RATE
    assert after(failure(rate, SHORT_WAIT_SECONDS), 1, has_next=True) == Again(SHORT_WAIT_SECONDS)
    assert after(failure(rate, SHORT_WAIT_SECONDS), 2, has_next=True) == NextTarget()
    assert after(failure(rate, SHORT_WAIT_SECONDS + 0.1), 1, has_next=True) == NextTarget()
    assert after(failure(rate), 1, has_next=True) == NextTarget()
    assert after(failure(rate), 1, has_next=False) == Again(UNNAMED_WAIT_SECONDS), "where nothing else is left"
    assert after(failure(rate), 2, has_next=False) == Stop()
    assert after(failure(FailureKind.OVERLOADED, 60), 1, has_next=True) == NextTarget()


def test_where_nothing_else_is_left_patience_is_longer_but_ends() -> None:
    assert after(failure(FailureKind.RATE, LAST_WAIT_SECONDS), 1, has_next=False) == Again(LAST_WAIT_SECONDS)
    assert after(failure(FailureKind.RATE, LAST_WAIT_SECONDS + 1), 1, has_next=False) == Stop()


def test_minutes_of_silence_are_not_repeated_while_another_target_waits() -> None:
    assert after(failure(FailureKind.TIMEOUT), 1, has_next=True) == NextTarget()
    assert after(failure(FailureKind.TIMEOUT), 1, has_next=False) == Again(QUICK_SECONDS)
    assert after(failure(FailureKind.TIMEOUT), 2, has_next=False) == Stop()


@given(st.sampled_from(FailureKind), st.none() | st.floats(-10, 1e9), st.integers(1, 200), st.booleans())
def test_it_always_ends_and_never_waits_long(kind: FailureKind, wait: float | None, attempts: int, has_next: bool) -> None:
    decision = after(failure(kind, wait), attempts, has_next=has_next)
    if isinstance(decision, Again):
        assert attempts == 1
        assert 0 < decision.seconds <= LAST_WAIT_SECONDS
    if not has_next:
        assert not isinstance(decision, NextTarget)
