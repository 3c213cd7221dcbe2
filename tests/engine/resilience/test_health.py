"""The dot beside an account tells the truth about its last hour."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.resilience.health import KEPT_PER_ACCOUNT, WINDOW_SECONDS, Health, HealthBook
from lynkr_desktop.errors import FailureKind


def test_an_account_that_was_never_used_is_unknown() -> None:
    assert HealthBook().of("a", 0) == Health()
    assert Health().state == "unknown"


def test_numbers_of_an_hour() -> None:
    book = HealthBook()
    for number in range(1, 101):
        book.record("a", number, first_token_ms=number * 10)
    book.record("a", 101, kind=FailureKind.RATE)
    health = book.of("a", 102)
    assert (health.requests, health.errors) == (101, 1)
    assert (health.p50_first_token_ms, health.p95_first_token_ms) == (500, 950)
    assert health.state == "healthy"
    assert book.of("b", 102) == Health()


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    book = HealthBook()
    book.record("a", 0, kind=FailureKind.AUTH)
    book.record("a", 10, first_token_ms=5)
    assert book.of("a", WINDOW_SECONDS).errors == 1
    assert book.of("a", WINDOW_SECONDS + 1) == Health("healthy", "", 1, 0, 5, 5)
    assert book.of("a", WINDOW_SECONDS + 11) == Health()


def test_a_failing_account_says_why_and_one_success_ends_it() -> None:
    book = HealthBook()
    for _ in range(3):
        book.record("a", 1, first_token_ms=5)
    book.record("a", 2, kind=FailureKind.OVERLOADED)
    assert book.of("a", 2).state == "healthy"
    book.record("a", 3, kind=FailureKind.OVERLOADED)
    book.record("a", 4, kind=FailureKind.AUTH)
    failing = book.of("a", 4)
    assert failing.state == "failing"
    assert failing.detail == "3 of the last 5 attempts failed, the last one with: auth."
    book.record("a", 5, first_token_ms=5)
    assert book.of("a", 5).state == "healthy"


def test_the_first_attempt_of_all_failing_is_failing() -> None:
    book = HealthBook()
    book.record("a", 1, kind=FailureKind.UNREACHABLE)
    assert book.of("a", 1).state == "failing"
    book.forget("a")
    assert book.of("a", 1) == Health()


def test_waiting_long_is_slow_not_failing() -> None:
    book = HealthBook()
    for _ in range(5):
        book.record("a", 1, first_token_ms=21_000)
    health = book.of("a", 1)
    assert (health.state, health.detail) == ("slow", "The first token takes about 21 seconds.")


@given(st.integers(0, 3 * KEPT_PER_ACCOUNT))
def test_the_book_is_bounded(count: int) -> None:
    book = HealthBook()
    for _ in range(count):
        book.record("a", 1)
    assert book.of("a", 1).requests == min(count, KEPT_PER_ACCOUNT)
