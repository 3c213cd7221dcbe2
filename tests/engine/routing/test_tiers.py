"""Modes, requested models, the order of targets, and the sentence that says why."""

import pytest

from lynkr_desktop.config.settings import Boundaries, Mode, ModeKind, Routing, Target, Tier, TierTargets
from lynkr_desktop.engine.routing.route import Dimension, Facts, Score
from lynkr_desktop.engine.routing.tiers import choose, route
from lynkr_desktop.errors import ConfigError

SMALL, SPARE, MIDDLE, BIG, DEEP, LAST = (
    Target("ollama", "qwen2.5:7b"),
    Target("groq", "small"),
    Target("openai", "middle"),
    Target("anthropic", "big"),
    Target("anthropic", "deep"),
    Target("openrouter", "last"),
)
TIERS = TierTargets(simple=(SMALL, SPARE), medium=(MIDDLE,), complex=(BIG,), reasoning=(DEEP,))
AUTO = Routing(tiers=TIERS, fallback=LAST)
FACTS = Facts(text="x")
HARD = Score(
    61, (Dimension("causeUnknown", 65, 14.3, "A cause must be found."), Dimension("lookup", 1, -2, "It asks for a fact."))
)


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        (0, Tier.SIMPLE),
        (25, Tier.SIMPLE),
        (26, Tier.MEDIUM),
        (50, Tier.MEDIUM),
        (51, Tier.COMPLEX),
        (75, Tier.COMPLEX),
        (76, Tier.REASONING),
        (100, Tier.REASONING),
    ],
)
def test_a_score_at_each_boundary(value: int, tier: Tier) -> None:
    assert choose(Score(value), Boundaries()) is tier


def test_moved_boundaries_count() -> None:
    assert choose(Score(30), Boundaries(40, 60, 90)) is Tier.SIMPLE


def test_a_floor_raises_and_never_lowers() -> None:
    assert choose(Score(10, floor=Tier.COMPLEX), Boundaries()) is Tier.COMPLEX
    assert choose(Score(90, floor=Tier.MEDIUM), Boundaries()) is Tier.REASONING


def test_auto_tries_the_tier_then_upwards_then_downwards_then_the_fallback() -> None:
    found = route(AUTO, FACTS, Score(40), "claude-sonnet-4-5")
    assert found.targets == (
        (MIDDLE, Tier.MEDIUM),
        (BIG, Tier.COMPLEX),
        (DEEP, Tier.REASONING),
        (SMALL, Tier.SIMPLE),
        (SPARE, Tier.SIMPLE),
        (LAST, None),
    )
    assert (found.tier, found.method) == (Tier.MEDIUM, "score")


def test_below_comes_from_near_to_far() -> None:
    found = route(AUTO, FACTS, Score(99), "m")
    assert [tier for _, tier in found.targets] == [Tier.REASONING, Tier.COMPLEX, Tier.MEDIUM, Tier.SIMPLE, Tier.SIMPLE, None]


def test_the_same_target_is_tried_once() -> None:
    tiers = TierTargets(simple=(SMALL, MIDDLE), medium=(MIDDLE,), complex=(MIDDLE,), reasoning=(SMALL,))
    found = route(Routing(tiers=tiers, fallback=MIDDLE), FACTS, Score(60), "m")
    assert found.targets == ((MIDDLE, Tier.COMPLEX), (SMALL, Tier.REASONING))


def test_a_fallback_that_is_switched_off_is_not_tried() -> None:
    found = route(Routing(tiers=TIERS, fallback=LAST, is_fallback_enabled=False), FACTS, Score(40), "m")
    assert LAST not in [target for target, _ in found.targets]


def test_a_pin_holds_whatever_the_score() -> None:
    pinned = Routing(mode=Mode(ModeKind.PIN, Tier.COMPLEX), tiers=TIERS)
    for value in (0, 100):
        found = route(pinned, FACTS, Score(value), "m")
        assert (found.targets[0], found.tier, found.method) == ((BIG, Tier.COMPLEX), Tier.COMPLEX, "pin")


def test_a_pinned_tier_without_targets_goes_up() -> None:
    pinned = Routing(mode=Mode(ModeKind.PIN, Tier.MEDIUM), tiers=TierTargets(simple=(SMALL,), complex=(BIG,)))
    assert route(pinned, FACTS, Score(0), "m").targets == ((BIG, Tier.COMPLEX), (SMALL, Tier.SIMPLE))


def test_direct_goes_to_one_place_and_its_fallback() -> None:
    found = route(Routing(mode=Mode(ModeKind.DIRECT), tiers=TIERS, direct=MIDDLE, fallback=LAST), FACTS, Score(99), "m")
    assert found.targets == ((MIDDLE, None), (LAST, None))
    assert (found.tier, found.method) == (None, "direct")


def test_incomplete_tiers_route_directly_and_say_so() -> None:
    tiers = TierTargets(simple=(SMALL,), medium=(MIDDLE,), reasoning=(DEEP,))
    found = route(Routing(tiers=tiers, direct=MIDDLE), FACTS, Score(99), "m")
    assert found.targets == ((MIDDLE, None),)
    assert found.reason == "Tier routing is off: TIER_COMPLEX is not set."


@pytest.mark.parametrize("mode", [Mode(), Mode(ModeKind.PIN, Tier.SIMPLE), Mode(ModeKind.DIRECT)])
def test_a_named_account_and_model_are_obeyed_in_every_mode(mode: Mode) -> None:
    found = route(Routing(mode=mode, tiers=TIERS, direct=MIDDLE, fallback=LAST), FACTS, Score(5), "ollama:llama3.2:3b")
    assert found.targets == ((Target("ollama", "llama3.2:3b"), None), (LAST, None))
    assert (found.method, found.tier) == ("requested", None)


def test_an_account_that_no_tier_names_is_known_too() -> None:
    assert route(AUTO, FACTS, Score(5), "lab:x", frozenset(("lab",))).targets[0] == (Target("lab", "x"), None)


@pytest.mark.parametrize("name", ["qwen2.5:7b", "unknown:model", "openai:", ":model", "claude-sonnet-4-5", ""])
def test_other_model_names_decide_nothing(name: str) -> None:
    assert route(AUTO, FACTS, Score(40), name).method == "score"


@pytest.mark.parametrize("tier", list(Tier))
def test_a_tier_can_be_asked_for_by_name(tier: Tier) -> None:
    found = route(AUTO, FACTS, Score(40), f"Lynkr-{tier.value.lower()}")
    assert (found.tier, found.method, found.targets[0][1]) == (tier, "requested", tier)


def test_auto_can_be_asked_for_in_spite_of_a_pin() -> None:
    pinned = Routing(mode=Mode(ModeKind.PIN, Tier.COMPLEX), tiers=TIERS)
    assert route(pinned, FACTS, Score(3), "lynkr-auto").tier is Tier.SIMPLE


def test_a_tier_asked_for_where_there_are_none_goes_directly() -> None:
    assert route(Routing(direct=MIDDLE), FACTS, Score(3), "lynkr-complex").targets == ((MIDDLE, None),)


@pytest.mark.parametrize("mode", [Mode(), Mode(ModeKind.PIN, Tier.MEDIUM), Mode(ModeKind.DIRECT)])
def test_nothing_to_try_names_the_setting_and_the_remedy(mode: Mode) -> None:
    with pytest.raises(ConfigError) as caught:
        route(Routing(mode=mode), FACTS, Score(3), "m")
    assert caught.value.field.startswith("routing.")
    assert "Choose" in caught.value.detail


def test_the_reason_is_one_sentence_of_what_moved_the_score() -> None:
    assert route(AUTO, FACTS, HARD, "m").reason == "COMPLEX: a cause must be found; 61 of 100."


def test_a_rule_says_itself() -> None:
    found = route(AUTO, FACTS, Score(5, forced="a greeting or a word of thanks"), "m")
    assert (found.reason, found.method) == ("SIMPLE: a greeting or a word of thanks.", "force")


def test_a_floor_says_itself() -> None:
    assert "goes on by itself" in route(AUTO, FACTS, Score(40, floor=Tier.COMPLEX), "m").reason


OBSERVE = Routing(Mode(ModeKind.OBSERVE), TIERS, direct=BIG, fallback=LAST)


def test_observing_changes_nothing_and_notes_the_choice() -> None:
    found = route(OBSERVE, FACTS, HARD, "claude-sonnet-4-5")
    assert found.targets == ((BIG, None), (LAST, None))
    assert (found.tier, found.method, found.score) == (None, "observe", HARD)
    assert (found.shadow_tier, found.shadow_target) == (Tier.COMPLEX, BIG)
    assert found.reason == "Direct + observe; the score says COMPLEX: a cause must be found; 61 of 100."


def test_observing_needs_no_tiers() -> None:
    bare = Routing(Mode(ModeKind.OBSERVE), direct=BIG)
    found = route(bare, FACTS, HARD, "m")
    assert (found.shadow_tier, found.shadow_target) == (Tier.COMPLEX, None)


LOCAL = Routing(Mode(ModeKind.LOCAL), TIERS, direct=BIG, fallback=LAST)
HERE = (Target("ollama", ""),)


@pytest.mark.parametrize("name", ["claude-sonnet-4-5", "lynkr-auto", "lynkr-complex", "anthropic:big", "openrouter:last"])
@pytest.mark.parametrize("value", [5, 61, 99])
def test_local_only_means_only_local(name: str, value: int) -> None:
    found = route(LOCAL, FACTS, Score(value), name, frozenset({"anthropic", "ollama", "openrouter"}), local=HERE)
    assert found.targets == ((SMALL, Tier.SIMPLE),)
    assert found.tier is Tier.SIMPLE
    assert "Local only" in found.reason


def test_local_only_keeps_a_wish_for_a_local_model() -> None:
    found = route(LOCAL, FACTS, HARD, "ollama:other", frozenset({"ollama"}), local=HERE)
    assert found.targets[0] == (Target("ollama", "other"), None)


def test_local_only_without_tiers_takes_the_accounts_own_model() -> None:
    bare = Routing(Mode(ModeKind.LOCAL), direct=BIG)
    assert route(bare, FACTS, HARD, "m", local=(SMALL,)).targets == ((SMALL, None),)


@pytest.mark.parametrize("local", [(), (Target("lmstudio", ""),)])
def test_local_only_refuses_rather_than_leave_the_machine(local: tuple[Target, ...]) -> None:
    with pytest.raises(ConfigError, match="no model on this machine") as caught:
        route(LOCAL, FACTS, HARD, "anthropic:big", frozenset({"anthropic"}), local=local)
    assert caught.value.field == "routing.mode"
    assert "Providers" in caught.value.detail
