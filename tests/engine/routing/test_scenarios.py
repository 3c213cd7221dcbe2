"""Eleven situations in which routers go wrong, as the original's own suite names them, and ours in each."""

from lynkr_desktop.config.settings import Boundaries, Routing, Target, Tier, TierTargets
from lynkr_desktop.engine.routing.route import Facts, Route
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.sessions import Standing
from lynkr_desktop.engine.routing.sticky import Surroundings, settled
from lynkr_desktop.engine.routing.tiers import choose, route
from tests.engine.routing.asks import CLAUDE_CODE, CLAUDE_TOOLS, REMINDER, bare, facts, loop, text, tier

S, M, C, R = Tier.SIMPLE, Tier.MEDIUM, Tier.COMPLEX, Tier.REASONING
TARGETS = {each: Target("a", each.value) for each in Tier}
ROUTING = Routing(tiers=TierTargets(*((TARGETS[each],) for each in Tier)))
CAREFUL = Routing(tiers=ROUTING.tiers, is_careful=True)


def fresh(known: Facts, routing: Routing = ROUTING) -> Route:
    return route(routing, known, score(known), "m")


def in_session(known: Facts, served: Tier, *, settled_before: bool = True) -> Route:
    """The route of a turn in a conversation that this tier has served."""
    standing = Standing(TARGETS[served], served, served, settled_before, 30_000, 0.0, ROUTING)
    around = Surroundings(ROUTING, 30_000, 10.0, lambda _: True, lambda _: None, lambda *_: None)
    return settled(fresh(known), known, standing, around)


def test_1_a_greeting_is_simple_inside_any_envelope() -> None:
    assert tier(bare("hi there, how are you?")) is S
    assert fresh(facts([("user", text(REMINDER, "hello!"))], CLAUDE_CODE, tools=CLAUDE_TOOLS, system="Think hard.")).tier is S


def test_2_a_banks_tokens_are_no_simple_matter() -> None:
    ask = "Review the JWT validation of our bank's login for security holes and fix what you find in all services."
    assert tier(bare(ask)).rank >= C.rank
    change = facts([("user", "Add a refund flag to the payment of the bank's API")])
    assert fresh(change, CAREFUL).tier is C, "with care switched on, a change of payments is no small matter"


def test_3_a_refactoring_of_everything_is_complex() -> None:
    assert tier(bare("Refactor the whole pipeline: split ingest, transform and load, keep the API and move the tests.")) is C


def test_4_a_small_fix_in_a_frightening_file_stays_small() -> None:
    assert tier(bare("fix the typo in the log message in src/auth/jwt.py")) is S
    assert tier(bare("src/auth/session.py line 12: rename tok to token")) is S


def test_5_a_reminder_does_not_make_a_sum_hard() -> None:
    known = facts([("user", text(REMINDER, "what is 17 + 25?"))], CLAUDE_CODE, tools=CLAUDE_TOOLS)
    assert fresh(known).tier is S


def test_6_a_side_request_is_cheap_and_leaves_the_session_alone() -> None:
    turns = [
        *loop("Prove that the merge is associative.", 2),
        ("user", "[SUGGESTION MODE: suggest what the user might type next.]"),
    ]
    known = facts(turns, CLAUDE_CODE, tools=CLAUDE_TOOLS)
    assert known.is_side_request
    assert fresh(known).tier is S


def test_7_an_autonomous_loop_gets_a_model_that_keeps_the_thread() -> None:
    known = facts([("user", "Figure out why the tests fail and keep trying until all of them pass.")])
    assert fresh(known).tier is C
    assert score(known).work == "autonomous"


def test_8_a_trivial_opener_does_not_bind_the_session() -> None:
    hard = [("user", "hi"), ("assistant", "Hello!"), ("user", "Find out why two nodes both believe they are the leader, fix it.")]
    found = in_session(facts(hard, CLAUDE_CODE), S, settled_before=False)
    assert found.tier is not None
    assert found.tier.rank >= C.rank


def test_9_a_force_phrase_in_mid_session_is_obeyed() -> None:
    turns = [("user", "rename a to b"), ("assistant", "Done."), ("user", "ultrathink: is the lock fair?")]
    found = in_session(facts(turns, CLAUDE_CODE), S)
    assert (found.tier, found.method) == (R, "force")


def test_10_the_same_ask_with_and_without_an_envelope() -> None:
    for ask in ("what does SIGTERM do?", "Write a debounce function with tests.", "Our pods restart at random. Find out why."):
        wrapped = facts([("user", text(REMINDER, ask))], CLAUDE_CODE, tools=CLAUDE_TOOLS, system="You are an architect. " * 200)
        assert fresh(wrapped).tier is tier(bare(ask))


def test_11_the_same_ask_after_a_long_tool_loop() -> None:
    ask = "Our pods restart at random. Find out why."
    tiers = {choose(score(facts(loop(ask, rounds), CLAUDE_CODE, tools=CLAUDE_TOOLS)), Boundaries()) for rounds in (0, 1, 5, 40)}
    assert tiers == {tier(bare(ask))}
