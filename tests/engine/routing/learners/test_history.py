"""Verdicts carry over to like asks, and only to them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Boundaries, Tier
from lynkr_desktop.engine.routing.learners.fingerprint import BITS, fingerprint, likeness
from lynkr_desktop.engine.routing.learners.history import Example, Opinion, adjusted, effect, opinion
from lynkr_desktop.engine.routing.route import Dimension, Score

NOTES = "Write the release notes for the billing service from the last commits"
OTHER_NOTES = "Write the release notes for the search service from the last 20 commits"
LOCK = "Why does the worker deadlock when two jobs finish at the same time?"


def _example(text: str, tier: Tier = Tier.MEDIUM, verdict: int = 0) -> Example:
    return Example(fingerprint(text), tier, verdict)


def test_like_asks_are_alike() -> None:
    assert likeness(fingerprint(NOTES), fingerprint(NOTES)) == 1
    assert likeness(fingerprint(NOTES), fingerprint(OTHER_NOTES)) > 0.6
    assert likeness(fingerprint(NOTES), fingerprint(f"please {NOTES.upper()}!")) > 0.8
    assert likeness(fingerprint(NOTES), fingerprint(LOCK)) < 0.4
    assert likeness(fingerprint("请修复登录页面的错误"), fingerprint("请修复注册页面的错误")) > 0.4
    assert fingerprint(" \n…!") == 0


@given(st.text(max_size=2000))
def test_a_fingerprint_is_256_bits_of_any_text(text: str) -> None:
    assert 0 <= fingerprint(text) < 1 << BITS
    assert fingerprint(text) == fingerprint(text)


def test_it_learns_from_a_verdict() -> None:
    """The same kind of ask goes where the user wanted it; others stay. Without the verdict nothing would move."""
    judged = [_example(NOTES, verdict=-1)]
    assert opinion(fingerprint(OTHER_NOTES), Tier.MEDIUM, judged) == Opinion(Tier.SIMPLE, 1)
    assert opinion(fingerprint(LOCK), Tier.MEDIUM, judged) is None
    assert opinion(fingerprint(OTHER_NOTES), Tier.MEDIUM, [_example(NOTES)]) is None
    assert opinion(0, Tier.MEDIUM, [Example(0, Tier.MEDIUM, -1)]) is None, "what has no words is like nothing"


def test_down_needs_more_than_up() -> None:
    """One verdict against two like asks that nobody complained of."""
    silent = [_example(NOTES), _example(NOTES)]
    up = opinion(fingerprint(NOTES), Tier.MEDIUM, [*silent, _example(NOTES, verdict=1)])
    assert up == Opinion(Tier.COMPLEX, 1)
    assert opinion(fingerprint(NOTES), Tier.MEDIUM, [*silent, _example(NOTES, verdict=-1)]) is None
    assert opinion(fingerprint(NOTES), Tier.MEDIUM, [*silent, *2 * [_example(NOTES, verdict=-1)]]) == Opinion(Tier.SIMPLE, 2)
    assert opinion(fingerprint(NOTES), Tier.MEDIUM, [*4 * silent, _example(NOTES, verdict=1)]) is None, "outvoted"


def test_the_score_says_so() -> None:
    """Into the tier, by the nearest way; rules and floors stay."""
    moved = adjusted(Score(40, (Dimension("x", 1, 2, "X."),)), Opinion(Tier.COMPLEX, 2), Boundaries())
    assert (moved.value, moved.dimensions[-1].points) == (51, 11.0)
    assert moved.dimensions[-1].reason == "You said 2 times that asks like this should go higher."
    kept = adjusted(Score(60, (), "", Tier.MEDIUM, "iterative", "payments"), Opinion(Tier.SIMPLE, 2), Boundaries())
    assert (kept.value, kept.floor, kept.work, kept.risk) == (25, Tier.MEDIUM, "iterative", "payments")
    forced = Score(2, (), "a greeting", None)
    assert adjusted(forced, Opinion(Tier.COMPLEX, 1), Boundaries()) is forced
    assert adjusted(forced, None, Boundaries()) is forced


def test_the_effect_is_measured_on_what_it_did_not_see() -> None:
    """Verdicts that repeat are met by one another, single ones are not, and what is like nothing stays."""
    repeated = [_example(NOTES, verdict=-1), _example(OTHER_NOTES, verdict=-1), _example(f"please {NOTES}", verdict=-1)]
    single = [_example(LOCK, verdict=1)]
    quiet = [_example(f"{name} the {thing}") for name in ("open", "close") for thing in ("door", "window", "valve")]
    found = effect([*repeated, *single, *quiet])
    assert (found.examples, found.verdicts, found.met, found.moved) == (10, 4, 3, 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_user_with_a_taste(seed: int) -> None:
    """Someone wants all release notes lower: after five verdicts the rest go there, and no other kind of ask does."""
    chance = random.Random(seed)
    names = ["billing", "search", "login", "export", "mail", "chart", "queue", "cache", "report", "gateway"]
    chance.shuffle(names)
    notes = [f"Write the release notes for the {name} service from the last commits" for name in names]
    bugs = [f"The {name} test fails sometimes on the build machine, find out why" for name in names]
    seen = [_example(text, verdict=-1) for text in notes[:5]] + [_example(text) for text in bugs[:5]]
    lowered = [opinion(fingerprint(text), Tier.MEDIUM, seen) for text in notes[5:]]
    assert [found.tier for found in lowered if found] == [Tier.SIMPLE] * 5
    assert [opinion(fingerprint(text), Tier.MEDIUM, seen) for text in bugs[5:]] == [None] * 5
