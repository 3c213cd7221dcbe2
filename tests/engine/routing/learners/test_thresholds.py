"""Boundaries by verdicts: they learn what is meant, and not from one press of a button."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import TIERS, Boundaries, Tier
from lynkr_desktop.engine.routing.learners.thresholds import MOST_STEPS, NARROWEST, Verdict, fitted

NOW = Boundaries()


def _higher(score: int) -> Verdict:
    return Verdict(score, NOW.tier_of(score), is_higher=True)


def _lower(score: int) -> Verdict:
    return Verdict(score, NOW.tier_of(score), is_higher=False)


def test_it_learns_where_the_user_would_draw_the_line() -> None:
    """A user for whom MEDIUM begins at 19: everything that he corrects lies right afterwards."""
    found = fitted([_higher(score) for score in (19, 20, 22, 24)], NOW)
    assert (found.boundaries.simple, found.boundaries.medium, found.boundaries.complex) == (18, 50, 75)
    assert (found.verdicts, found.agreed, found.would_agree) == (4, 0, 4)
    down = fitted([_lower(score) for score in (52, 55, 58)], NOW)
    assert down.boundaries == Boundaries(25, 58, 75)


def test_one_or_a_draw_moves_nothing() -> None:
    assert fitted([_higher(22)], NOW).boundaries == NOW
    assert fitted([_higher(22), _higher(23), _lower(27), _lower(28)], NOW).boundaries == NOW, "two want it down, two up"
    assert fitted([], NOW).boundaries == NOW


def test_the_majority_and_the_nearest_place() -> None:
    """Two outliers far below do not draw the line to them when the same agreement can be had nearer."""
    found = fitted([_higher(24), _higher(23), _higher(22), _lower(26)], NOW)
    assert found.boundaries.simple == 21
    assert found.would_agree == 3


def test_wishes_beyond_the_ends_say_nothing() -> None:
    found = fitted([Verdict(90, Tier.REASONING, is_higher=True), Verdict(5, Tier.SIMPLE, is_higher=False)] * 3, NOW)
    assert (found.boundaries, found.verdicts) == (NOW, 0)


def test_a_tier_that_a_conversation_kept_counts_as_served() -> None:
    """Kept on COMPLEX with a score of 40: "lower" already agrees with the score, so nothing moves."""
    found = fitted([Verdict(40, Tier.COMPLEX, is_higher=False)] * 3, NOW)
    assert (found.boundaries, found.agreed) == (NOW, 3)


VERDICTS = st.lists(st.builds(Verdict, st.integers(0, 100), st.sampled_from(TIERS), st.booleans()), max_size=40)


@given(VERDICTS, st.integers(5, 30), st.integers(35, 60), st.integers(65, 94))
def test_always_lawful_and_never_worse(verdicts: list[Verdict], simple: int, medium: int, complex_: int) -> None:
    now = Boundaries(simple, medium, complex_)
    found = fitted(verdicts, now)
    ends = (found.boundaries.simple, found.boundaries.medium, found.boundaries.complex)
    assert found.would_agree >= found.agreed
    assert ends[0] >= NARROWEST
    assert all(later - earlier >= NARROWEST for earlier, later in zip(ends, (*ends[1:], 99), strict=True))
    assert all(abs(new - old) <= MOST_STEPS for new, old in zip(ends, (simple, medium, complex_), strict=True))
    assert fitted(verdicts, now) == found, "the same every time"
