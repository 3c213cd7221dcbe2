"""Which target is tried first, which last, and which never."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Target, Tier
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.resilience.breaker import BreakerState
from lynkr_desktop.engine.resilience.ladder import Ladder, Needs, Rung, ladder, with_larger_window

FACTS = {
    "small": ModelFacts(context_tokens=8_000, takes_images=True, takes_tools=True),
    "large": ModelFacts(context_tokens=200_000, takes_images=True, takes_tools=True),
    "blind": ModelFacts(context_tokens=200_000, takes_images=False, takes_tools=True),
    "handless": ModelFacts(context_tokens=200_000, takes_images=True, takes_tools=False),
    "unknown": ModelFacts(),
}


def facts_of(target: Target) -> ModelFacts:
    return FACTS[target.model]


def rungs(*models: str) -> list[Rung]:
    return [(Target("a", model), Tier.MEDIUM) for model in models]


def climbed(needs: Needs, *models: str, resting: tuple[str, ...] = ()) -> Ladder:
    def state_of(target: Target) -> BreakerState:
        return BreakerState.OPEN if target.model in resting else BreakerState.CLOSED

    return ladder(rungs(*models), needs, facts_of, state_of)


def names(found: Ladder) -> list[str]:
    return [target.model for target, _ in found.rungs]


def test_the_users_order_holds_among_equals() -> None:
    assert names(climbed(Needs(), "large", "unknown", "small")) == ["large", "unknown", "small"]


def test_a_resting_target_goes_last_but_stays() -> None:
    assert names(climbed(Needs(), "large", "unknown", resting=("large",))) == ["unknown", "large"]
    assert names(climbed(Needs(), "large", resting=("large",))) == ["large"]


def test_a_half_open_target_keeps_its_place_so_that_it_can_heal() -> None:
    found = ladder(rungs("large", "unknown"), Needs(), facts_of, lambda _: BreakerState.HALF_OPEN)
    assert names(found) == ["large", "unknown"]


def test_what_probably_does_not_fit_goes_behind_what_rests() -> None:
    assert names(climbed(Needs(input_tokens=9_000), "small", "large", resting=("large",))) == ["large", "small"]
    assert names(climbed(Needs(input_tokens=8_000), "small", "large")) == ["small", "large"]


def test_a_model_that_is_known_to_be_unable_is_left_out_with_a_reason() -> None:
    found = climbed(Needs(has_images=True, has_tools=True), "blind", "handless", "unknown", "large")
    assert names(found) == ["unknown", "large"]
    assert [(skipped.target.model, skipped.reason) for skipped in found.skipped] == [
        ("blind", "The model cannot see pictures."),
        ("handless", "The model cannot call tools."),
    ]
    assert names(climbed(Needs(), "blind", "handless")) == ["blind", "handless"]


def test_a_target_named_in_two_tiers_is_tried_once_in_its_first_tier() -> None:
    twice: list[Rung] = [(Target("a", "large"), Tier.SIMPLE), (Target("a", "large"), Tier.COMPLEX)]
    found = ladder(twice, Needs(), facts_of, lambda _: BreakerState.CLOSED)
    assert found.rungs == (twice[0],)


def test_after_a_full_window_only_larger_or_unknown_ones_are_left() -> None:
    rest = rungs("small", "large", "unknown")
    assert [target.model for target, _ in with_larger_window(rest, Target("a", "small"), facts_of)] == ["large", "unknown"]
    assert [target.model for target, _ in with_larger_window(rest, Target("a", "large"), facts_of)] == ["unknown"]
    assert with_larger_window(rest, Target("a", "unknown"), facts_of) == tuple(rest)


models = st.sampled_from(sorted(FACTS))


@given(st.lists(models), st.sets(models), st.booleans(), st.booleans(), st.integers(0, 300_000))
def test_no_target_is_lost(order: list[str], resting: set[str], has_images: bool, has_tools: bool, size: int) -> None:
    needs = Needs(size, has_images=has_images, has_tools=has_tools)
    found = climbed(needs, *order, resting=tuple(resting))
    assert sorted(names(found) + [skipped.target.model for skipped in found.skipped]) == sorted(set(order))
