"""The order of a tier's targets: it finds the better one, forgets old troubles, and needs a reason to leave the user's order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.engine.routing.learners.bandit import EMPTY, Outcome, State, learned, ordered, state_of

A, B = "a:one", "b:two"
FINE = Outcome("MEDIUM", A, usd_per_token=1e-5, first_token_ms=800)


def test_without_a_reason_the_users_order_stays() -> None:
    assert ordered(EMPTY, "MEDIUM", (A, B)) == (A, B)
    state = state_of([FINE] * 40)
    assert ordered(state, "MEDIUM", (A, B)) == (A, B), "what works is not left out of curiosity alone"
    assert ordered(state, "COMPLEX", (B, A)) == (B, A)


def test_failures_verdicts_and_cost_count() -> None:
    """Each alone, against a target that does well."""
    well = [Outcome("MEDIUM", B, usd_per_token=1e-5, first_token_ms=800)] * 12
    for bad in (
        Outcome("MEDIUM", A, is_failed=True),
        Outcome("MEDIUM", A, usd_per_token=1e-5, first_token_ms=800, verdict=1),
        Outcome("MEDIUM", A, usd_per_token=2e-4, first_token_ms=9000),
    ):
        pairs = [each for good in well for each in (good, bad)]
        assert ordered(state_of(pairs), "MEDIUM", (A, B))[0] == B, bad


def _play(chance: random.Random, worth: dict[str, float], rounds: int, state: State = EMPTY) -> tuple[int, State]:
    """Serve by the bandit's order while each target fails as often as it does. How often the better one was first."""
    right = 0
    better = max(worth, key=lambda each: worth[each])
    for _ in range(rounds):
        first = ordered(state, "MEDIUM", (A, B))[0]
        right += first == better
        state = learned(
            state, Outcome("MEDIUM", first, is_failed=chance.random() > worth[first], usd_per_token=1e-5, first_token_ms=500)
        )
        if state["MEDIUM"].arms[first].count and chance.random() > worth[first]:
            state = learned(state, Outcome("MEDIUM", B if first == A else A, usd_per_token=1e-5, first_token_ms=500))
    return right, state


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_the_better_target_and_changes_its_mind(seed: int) -> None:
    """The first target fails a third of the time: soon the other serves. Later it is the other way round."""
    chance = random.Random(seed)
    right, state = _play(chance, {A: 0.66, B: 0.99}, 300)
    assert right > 200, "always the first target would be 0"
    again, _ = _play(chance, {A: 0.99, B: 0.5}, 300, state)
    assert again > 200


OUTCOMES = st.lists(
    st.builds(
        Outcome,
        st.sampled_from(("SIMPLE", "MEDIUM")),
        st.sampled_from((A, B)),
        st.booleans(),
        st.none() | st.floats(0, 1),
        st.none() | st.floats(0, 1e6),
        st.integers(-1, 1),
    ),
    max_size=40,
)


@given(OUTCOMES)
def test_nothing_is_lost_or_drawn_by_lot(outcomes: list[Outcome]) -> None:
    state = state_of(outcomes)
    for tier in ("SIMPLE", "MEDIUM"):
        assert sorted(ordered(state, tier, (A, B, "c:three"))) == [A, B, "c:three"]
        assert ordered(state, tier, (A, B)) == ordered(state_of(outcomes), tier, (A, B))
        assert all(0 <= arm.rewards <= arm.count + 1e-9 for arm in state[tier].arms.values()) if tier in state else True
