"""Pins: which one holds, what it beats, and how a conversation that is in the middle of something takes it."""

import msgspec
import pytest

from lynkr_desktop.config.settings import Mode, ModeKind, Pin, Routing, Settings, Target, Tier, TierTargets, validate
from lynkr_desktop.engine.routing.pins import pin_for, with_pin, without
from lynkr_desktop.engine.routing.route import Facts, Route, Score
from lynkr_desktop.engine.routing.sessions import Standing
from lynkr_desktop.engine.routing.sticky import Surroundings, settled
from lynkr_desktop.engine.routing.tiers import route
from lynkr_desktop.errors import ConfigError

SMALL, MIDDLE, BIG, SPARE, DEEP, AWAY = (Target("a", name) for name in ("small", "middle", "big", "spare", "deep", "away"))
ROUTING = Routing(tiers=TierTargets((SMALL,), (MIDDLE,), (BIG, SPARE), (DEEP,)), direct=SMALL)
FACTS = Facts("ask", session="s-1", project="web", client="codex")
ALL, CLIENT = Pin("all", Tier.SIMPLE), Pin("client:codex", Tier.MEDIUM)
PROJECT, SESSION = Pin("project:web", Tier.COMPLEX), Pin("session:s-1", Tier.REASONING)


def test_the_narrowest_holds() -> None:
    pins: tuple[Pin, ...] = (ALL, CLIENT, PROJECT, SESSION)
    for narrowest in (SESSION, PROJECT, CLIENT, ALL):
        assert pin_for(pins, FACTS, 0) == narrowest
        pins = without(pins, narrowest.scope, 0)
    assert pin_for(pins, FACTS, 0) is None


def test_others_are_left_alone() -> None:
    """Another session, project or program; a nameless one; and what a program asks for itself."""
    pins = (CLIENT, PROJECT, SESSION, Pin("session:", Tier.SIMPLE))
    assert pin_for(pins, Facts("ask", session="s-2", project="other", client="aider"), 0) is None
    assert pin_for(pins, Facts("ask"), 0) is None
    assert pin_for((ALL, SESSION), msgspec.structs.replace(FACTS, is_side_request=True), 0) is None


def test_time() -> None:
    """A pin ends by itself, and then the next wider one holds; a change clears away what is over."""
    brief = Pin("session:s-1", Tier.REASONING, until_ms=1000)
    assert pin_for((ALL, brief), FACTS, 999) == brief
    assert pin_for((ALL, brief), FACTS, 1000) == ALL
    assert with_pin((ALL, brief), PROJECT, 1000) == (ALL, PROJECT)
    again = Pin("session:s-1", Tier.SIMPLE)
    assert with_pin((ALL, brief), again, 0) == (ALL, again)


def _route(pin: Pin, mode: Mode | None = None, model: str = "m", local: tuple[Target, ...] = ()) -> Route:
    routing = Routing(mode or Mode(), ROUTING.tiers, direct=SMALL)
    return route(routing, FACTS, Score(40), model, frozenset(("a",)), local=local, pin=pin)


@pytest.mark.parametrize("kind", [ModeKind.AUTO, ModeKind.PIN, ModeKind.DIRECT, ModeKind.OBSERVE])
def test_it_beats_score_and_mode(kind: ModeKind) -> None:
    found = _route(SESSION, Mode(kind, Tier.SIMPLE if kind is ModeKind.PIN else None))
    assert (found.tier, found.method, found.targets[0][0]) == (Tier.REASONING, "pin", DEEP)
    assert found.reason == "REASONING: pinned by you for this session."


def test_it_does_not_beat_local_only_or_a_client_that_asks() -> None:
    here = (Target("ollama", "llama"),)
    assert _route(SESSION, Mode(ModeKind.LOCAL), local=here).targets == ((here[0], None),)
    assert _route(SESSION, model="lynkr-simple").tier is Tier.SIMPLE
    assert _route(SESSION, model="lynkr-auto").tier is Tier.MEDIUM


def test_a_pinned_model() -> None:
    """First of all, with what its tier offers behind it; one outside all tiers stands alone."""
    found = _route(Pin("project:web", target=SPARE, until_ms=5))
    assert found.targets[:2] == ((SPARE, Tier.COMPLEX), (BIG, Tier.COMPLEX))
    assert found.reason == "a:spare: pinned by you for this project for a time."
    assert _route(Pin("all", target=AWAY)).targets == ((AWAY, None),)


def _settled(facts: Facts, before: Pin | None, now: Pin | None) -> Target:
    """The model of a turn in a conversation that BIG served under one pin, while another one holds."""
    standing = Standing(BIG, Tier.COMPLEX, Tier.COMPLEX, True, 60_000, 0.0, ROUTING, before)
    around = Surroundings(ROUTING, 1000, 1.0, lambda _: True, lambda _: None, lambda *_: None, now)
    fresh = route(ROUTING, facts, Score(52), "m", pin=now)
    return settled(fresh, facts, standing, around).targets[0][0]


RESULTS = msgspec.structs.replace(FACTS, is_tool_turn=True)


def test_a_new_pin_holds_from_the_next_request_on() -> None:
    """Also in a loop of tools: it is an order. An older pin leaves the loop where a failover put it."""
    assert _settled(RESULTS, None, SESSION) == DEEP
    assert _settled(RESULTS, ALL, SESSION) == DEEP
    assert _settled(RESULTS, SESSION, SESSION) == BIG


def test_a_pin_that_ends_lets_its_loop_end() -> None:
    """Nobody ordered a change then; the next ask is free."""
    low = Standing(BIG, Tier.COMPLEX, Tier.COMPLEX, True, 60_000, 0.0, ROUTING, PROJECT)
    around = Surroundings(ROUTING, 1000, 1.0, lambda _: True, lambda _: None, lambda *_: None)
    simple = route(ROUTING, FACTS, Score(40), "m")
    assert settled(simple, RESULTS, low, around).targets[0][0] == BIG
    assert settled(simple, FACTS, low, around) == simple, "though 40 is near enough to COMPLEX to stay otherwise"


@pytest.mark.parametrize(
    ("pins", "field"),
    [
        ((Pin("everything", Tier.SIMPLE),), "pins[0].scope"),
        ((Pin("project:", Tier.SIMPLE),), "pins[0].scope"),
        ((Pin("all"),), "pins[0]"),
        ((Pin("all", Tier.SIMPLE, SMALL),), "pins[0]"),
        ((ALL, Pin("all", Tier.MEDIUM)), "pins[1].scope"),
    ],
)
def test_what_is_no_pin_is_refused(pins: tuple[Pin, ...], field: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        validate(Settings(pins=pins))
    assert refusal.value.field == field
