"""A target that keeps failing rests for a minute, then one request may try it."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Target
from lynkr_desktop.engine.resilience.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, PROBE_SECONDS, Breaker, Breakers, BreakerState

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker.begin(at)
        breaker.failed(at)
    return breaker


def test_it_opens_at_the_fifth_failure_in_a_row_and_not_before() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(0)
        assert breaker.state(0) is CLOSED
    breaker.failed(0)
    assert breaker.state(0) is OPEN
    assert breaker.seconds_left(20) == OPEN_SECONDS - 20


def test_a_success_between_starts_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(10):
        for _ in range(4):
            breaker.failed(0)
        breaker.succeeded()
    assert breaker.state(0) is CLOSED


def test_after_a_minute_exactly_one_probe_may_pass() -> None:
    breaker = opened()
    assert breaker.state(OPEN_SECONDS - 0.001) is OPEN
    assert breaker.state(OPEN_SECONDS) is HALF_OPEN
    breaker.begin(OPEN_SECONDS)
    assert breaker.state(OPEN_SECONDS) is OPEN
    breaker.succeeded()
    assert breaker.state(OPEN_SECONDS) is CLOSED
    assert breaker.seconds_left(OPEN_SECONDS) == 0


def test_a_failed_probe_rests_it_for_another_minute() -> None:
    breaker = opened()
    breaker.begin(OPEN_SECONDS)
    breaker.failed(OPEN_SECONDS + 5)
    assert breaker.state(OPEN_SECONDS + 5 + OPEN_SECONDS - 1) is OPEN
    assert breaker.state(OPEN_SECONDS + 5 + OPEN_SECONDS) is HALF_OPEN


def test_a_probe_without_a_verdict_gives_its_place_free() -> None:
    breaker = opened()
    breaker.begin(OPEN_SECONDS)
    breaker.undecided()
    assert breaker.state(OPEN_SECONDS) is HALF_OPEN
    breaker.begin(OPEN_SECONDS)
    assert breaker.state(OPEN_SECONDS + PROBE_SECONDS - 1) is OPEN
    assert breaker.state(OPEN_SECONDS + PROBE_SECONDS) is HALF_OPEN


def test_a_clients_own_faults_neither_open_nor_heal() -> None:
    breaker = Breaker()
    for _ in range(100):
        breaker.undecided()
    assert breaker.state(0) is CLOSED
    for _ in range(4):
        breaker.failed(0)
    breaker.undecided()
    breaker.failed(0)
    assert breaker.state(0) is OPEN


def test_each_target_has_its_own_and_a_new_key_closes_those_of_its_account() -> None:
    breakers = Breakers()
    small, large, other = Target("a", "small"), Target("a", "large"), Target("b", "small")
    for target in (small, other):
        for _ in range(FAILURES_TO_OPEN):
            breakers.begin(target, 0)
            breakers.failed(target, 0)
    assert [breakers.state(target, 1) for target in (small, large, other)] == [OPEN, CLOSED, OPEN]
    breakers.reset("a")
    assert [breakers.state(target, 1) for target in (small, large, other)] == [CLOSED, CLOSED, OPEN]
    breakers.begin(other, OPEN_SECONDS)
    breakers.undecided(other)
    assert breakers.state(other, OPEN_SECONDS) is HALF_OPEN
    breakers.succeeded(other)
    assert breakers.state(other, OPEN_SECONDS) is CLOSED
    breakers.reset()


@given(st.lists(st.tuples(st.sampled_from(["begin", "succeeded", "failed", "undecided"]), st.floats(0, 100)), max_size=60))
def test_whatever_happens_it_can_always_recover(steps: list[tuple[str, float]]) -> None:
    breaker, now = Breaker(), 0.0
    for step, seconds in steps:
        now += seconds
        match step:
            case "begin":
                breaker.begin(now)
            case "failed":
                breaker.failed(now)
            case "succeeded":
                breaker.succeeded()
                assert breaker.state(now) is CLOSED
            case _:
                breaker.undecided()
    assert breaker.state(now + PROBE_SECONDS + OPEN_SECONDS) in (CLOSED, HALF_OPEN)
