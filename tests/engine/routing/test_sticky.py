"""Staying with a conversation's model: tools' results always, new asks within reason; and a whole simulated day."""

import dataclasses
import random
from collections.abc import Mapping
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import TIERS, Mode, ModeKind, Routing, Target, Tier, TierTargets
from lynkr_desktop.engine.routing.facts import facts_of
from lynkr_desktop.engine.routing.gate import Rates
from lynkr_desktop.engine.routing.route import Facts, Method, Route, Score
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.sessions import Sessions, Standing, Turn, key_of
from lynkr_desktop.engine.routing.sticky import Surroundings, settled
from lynkr_desktop.engine.routing.tiers import ladder_of, route
from tests.engine.routing.asks import CLAUDE_CODE, CLAUDE_TOOLS, loop, request

SMALL, SECOND, BIG, OTHER, HUGE = (Target("a", name) for name in ("small", "second", "big", "other-big", "huge"))
ROUTING = Routing(tiers=TierTargets((SMALL,), (SECOND,), (BIG, OTHER), (HUGE,)))
_PRICES = {SMALL: "1", SECOND: "2", BIG: "3", OTHER: "3", HUGE: "15"}


def _rates(target: Target) -> Rates:
    price = Decimal(_PRICES[target])
    return Rates(price, 5 * price, price / 10, price * Decimal("1.25"))


def _around(
    tokens: int = 1000,
    now: float = 60.0,
    routing: Routing = ROUTING,
    dead: frozenset[Target] = frozenset(),
    windows: Mapping[Target, int] | None = None,
    *,
    is_priced: bool = True,
) -> Surroundings:
    known = windows or {}
    return Surroundings(
        routing,
        tokens,
        now,
        lambda target: target not in dead,
        known.get,
        lambda target, _: _rates(target) if is_priced else None,
    )


def _fresh(value: int, method: Method = "score", floor: Tier | None = None) -> Route:
    tier = ROUTING.boundaries.tier_of(value)
    return Route(ladder_of(ROUTING, tier), tier, Score(value, floor=floor), method, f"{tier}: {value} of 100.")


def _standing(target: Target = BIG, tier: Tier | None = Tier.COMPLEX, warm: int = 60_000, wanted: Tier | None = None) -> Standing:
    return Standing(target, tier, wanted or tier, is_settled=True, warm_tokens=warm, used_at=0.0, routing=ROUTING)


ASK, RESULT = Facts("ask"), Facts("ask", is_tool_turn=True)


@given(st.integers(0, 100), st.sampled_from((SMALL, SECOND, BIG, OTHER, HUGE)), st.booleans())
def test_results_of_tools_never_change_the_model(value: int, served: Target, is_settled: bool) -> None:
    """Whatever the score says, and however young the conversation is."""
    tier = next(each for each in TIERS if served in ROUTING.tiers.of(each))
    standing = msgspec.structs.replace(_standing(served, tier), is_settled=is_settled)
    chosen = settled(_fresh(value), RESULT, standing, _around())
    assert chosen.targets[0] == (served, tier)
    assert (chosen.tier, chosen.method) == (tier, "sticky")
    assert sorted(map(str, chosen.targets)) == sorted(map(str, _fresh(value).targets)), "the others still stand behind it"


def test_unless_it_cannot_serve() -> None:
    """It rests after failures, its account is gone, or the settings are others."""
    fresh = _fresh(30)
    assert settled(fresh, RESULT, _standing(), _around(dead=frozenset({BIG}))) == fresh
    gone = dataclasses.replace(ROUTING, tiers=ROUTING.tiers.with_tier(Tier.COMPLEX, (OTHER,)))
    assert settled(fresh, RESULT, _standing(), _around(routing=gone)) == fresh
    pinned = dataclasses.replace(ROUTING, mode=Mode(ModeKind.PIN, Tier.SIMPLE))
    assert settled(fresh, RESULT, _standing(), _around(routing=pinned)) == fresh


def test_a_client_that_names_its_model_gets_it() -> None:
    """Even in the middle of a loop."""
    named = Route(((SMALL, None),), None, None, "requested", "The client asked for it.")
    assert settled(named, RESULT, _standing(), _around()) == named


@given(st.integers(36, 100))
def test_the_margin(value: int) -> None:
    """COMPLEX is 51 to 75: up to 15 points beyond, the ask stays; further up it moves."""
    chosen = settled(_fresh(value), ASK, _standing(), _around())
    if value > 90:
        assert (chosen.tier, chosen.method) == (Tier.REASONING, "score")
    else:
        assert chosen.tier is Tier.COMPLEX
        assert chosen.targets[0][0] == BIG
    assert (chosen.method == "sticky") == (value <= 90 and not 51 <= value <= 75)


def test_rules_and_floors_are_no_near_misses() -> None:
    """Who asks for hard thinking gets it, and so does work that goes on by itself."""
    settled_low = _standing(SECOND, Tier.MEDIUM)
    assert settled(_fresh(60), ASK, settled_low, _around()).tier is Tier.MEDIUM
    assert settled(_fresh(60, "force"), ASK, settled_low, _around()).tier is Tier.COMPLEX
    assert settled(_fresh(60, floor=Tier.COMPLEX), ASK, settled_low, _around()).tier is Tier.COMPLEX


def test_down_only_if_it_pays() -> None:
    """The reason says what it costs and when it has paid."""
    held = settled(_fresh(30), ASK, _standing(HUGE, Tier.REASONING, warm=150_000), _around())
    assert (held.tier, held.method) == (Tier.MEDIUM, "score"), "from 15 $/M to 2 it pays"
    assert "Leaving REASONING costs $0.38 now and has paid after 2 turns." in held.reason
    stays = settled(_fresh(5), ASK, _standing(SECOND, Tier.MEDIUM, warm=900_000), _around())
    assert (stays.tier, stays.method) == (Tier.MEDIUM, "sticky")
    assert "a switch to SIMPLE would cost $1.13 now and pay only after 12 turns" in stays.reason
    cold = settled(_fresh(5), ASK, _standing(SECOND, Tier.MEDIUM, warm=900_000), _around(now=301.0))
    assert cold.tier is Tier.SIMPLE, "after five minutes nothing is warm any more"


def test_without_prices_the_margin_alone_decides() -> None:
    """Near stays, far goes."""
    around = _around(is_priced=False)
    assert settled(_fresh(40), ASK, _standing(), around).tier is Tier.COMPLEX
    assert settled(_fresh(30), ASK, _standing(warm=10**6), around).tier is Tier.MEDIUM


def test_a_greeting_binds_nobody() -> None:
    """Before work has begun every ask is judged by itself."""
    young = msgspec.structs.replace(_standing(SMALL, Tier.SIMPLE), is_settled=False)
    assert settled(_fresh(30), ASK, young, _around()) == _fresh(30)


def test_after_a_failover() -> None:
    """The one that served keeps the conversation, unless it was a lesser one: then a new ask goes where it belongs."""
    beside = settled(_fresh(60), ASK, _standing(OTHER), _around())
    assert beside.targets[:2] == ((OTHER, Tier.COMPLEX), (BIG, Tier.COMPLEX))
    below = settled(_fresh(60), ASK, _standing(SECOND, Tier.MEDIUM, wanted=Tier.COMPLEX), _around())
    assert below.targets[0][0] == BIG
    assert settled(_fresh(60), RESULT, _standing(SECOND, Tier.MEDIUM, wanted=Tier.COMPLEX), _around()).targets[0][0] == SECOND


def test_a_conversation_that_outgrew_its_window_moves_up() -> None:
    """Even amid a loop of tools, to the nearest tier above that can hold it; 15 % of a window are for the answer."""
    windows = {SECOND: 100_000, BIG: 100_000, OTHER: 200_000, HUGE: 10**6}
    standing = _standing(SECOND, Tier.MEDIUM)
    assert settled(_fresh(40), RESULT, standing, _around(85_000, windows=windows)).method == "sticky"
    grown = settled(_fresh(40), RESULT, standing, _around(85_001, windows=windows))
    assert (grown.targets[0], grown.tier, grown.method) == ((OTHER, Tier.COMPLEX), Tier.COMPLEX, "window")
    easier = settled(_fresh(5), RESULT, _standing(SECOND, Tier.MEDIUM), _around(90_000, windows=windows | {SMALL: 10**6}))
    assert easier.targets[0] == (OTHER, Tier.COMPLEX), "up, although a lesser one could hold it"
    nowhere = settled(_fresh(40), RESULT, standing, _around(10**7, windows=windows))
    assert nowhere.targets[0][0] == SECOND, "who fits nowhere is not refused here"


DAY = (
    ("Fix the typo in README.md", "thanks", "Write a function that parses ISO dates, with tests."),
    ("Find out why the checkout service deadlocks under load and fix it in all modules.", "yes, go on", "Now rename x to y."),
    ("Prove that this lock-free queue is linearizable.", "Add a docstring to queue.py", "What does fsync do?"),
    ("hi", "Design a multi-tenant billing system and migrate our services to it step by step.", "ok"),
    ("Convert this CSV to JSON.", "Add a flag for the delimiter.", "Think hard about the concurrency of the cache."),
)


@given(st.integers(0, 2**32), st.floats(0, 0.3))
def test_a_working_day(seed: int, failures: float) -> None:
    """Five conversations interleaved, failovers among them: the model never changes between an ask and the next one but by
    a failure."""
    chance = random.Random(seed)
    sessions, now = Sessions(), 0.0
    conversations = [_conversation(number, asks, chance) for number, asks in enumerate(DAY)]
    last: dict[int, Target] = {}
    while any(conversations):
        number = chance.choice([index for index, turns in enumerate(conversations) if turns])
        turns = conversations[number].pop(0)
        now += chance.choice((2.0, 20.0, 400.0))
        asked = request(turns, tools=CLAUDE_TOOLS)
        facts = facts_of(asked, {**CLAUDE_CODE, "x-claude-code-session-id": f"s-{number % 2}"})
        key = key_of(facts.session, asked)
        fresh = route(ROUTING, facts, score(facts), "claude-sonnet-4-5")
        chosen = settled(fresh, facts, sessions.standing(key, now), _around(facts.body_bytes // 4, now))
        if facts.is_tool_turn:
            assert chosen.targets[0][0] == last[number]
        served = 1 if chance.random() < failures else 0
        target, tier = chosen.targets[served]
        last[number] = target
        sessions.remember(Turn(key, chosen.tier, facts.message_count > 2, ROUTING), target, tier, 20_000, now)


def _conversation(number: int, asks: tuple[str, ...], chance: random.Random) -> list[list[tuple[str, object]]]:
    """Every request of one conversation, in order."""
    turns: list[tuple[str, object]] = []
    requests = []
    for ask in asks:
        before = list(turns)
        whole = loop(f"[{number}] {ask}" if not before else ask, chance.randrange(4))
        requests += [[*before, *whole[: end + 1]] for end in range(0, len(whole), 2)]
        turns = [*before, *whole, ("assistant", "Done.")]
    return requests
