"""What is remembered of conversations: bounded, forgotten in time, told apart, without a word of them."""

from hypothesis import given
from hypothesis import strategies as st

from lynkr_desktop.config.settings import Routing, Target, Tier
from lynkr_desktop.engine.routing.sessions import KEPT_SECONDS, MOST_SESSIONS, Sessions, Turn, key_of
from tests.engine.routing.asks import CLAUDE_TOOLS, facts, loop, request

TARGET = Target("anthropic", "claude-sonnet-5")
ROUTING = Routing()


def _remember(sessions: Sessions, name: bytes, now: float) -> None:
    sessions.remember(Turn(name, Tier.COMPLEX, is_settled=True, routing=ROUTING), TARGET, Tier.COMPLEX, 1000, now)


def test_never_more_than_the_bound() -> None:
    """The one used least recently goes, not the oldest."""
    sessions = Sessions()
    for number in range(MOST_SESSIONS):
        _remember(sessions, b"%d" % number, 0.0)
    _remember(sessions, b"0", 1.0)
    _remember(sessions, b"another", 2.0)
    assert len(sessions) == MOST_SESSIONS
    assert sessions.standing(b"0", 2.0) is not None
    assert sessions.standing(b"1", 2.0) is None


@given(st.floats(0, 1e6), st.floats(0, 4 * KEPT_SECONDS))
def test_forgotten_in_time(start: float, later: float) -> None:
    """After six hours without a turn."""
    sessions = Sessions()
    _remember(sessions, b"one", start)
    now = start + later
    assert (sessions.standing(b"one", now) is not None) == (now - start <= KEPT_SECONDS)


@given(st.text(min_size=1, max_size=2000), st.integers(1, 4), st.text(max_size=100))
def test_all_turns_of_a_conversation_share_its_key(ask: str, rounds: int, later: str) -> None:
    """However it grows; and the key holds no word of it."""
    first = request([("user", ask)], tools=CLAUDE_TOOLS)
    turns = [*loop(ask, rounds), ("assistant", "Done."), ("user", later)]
    key = key_of("s-1", first)
    assert key_of("s-1", request(turns, tools=CLAUDE_TOOLS)) == key
    assert len(key) == 16


def test_helpers_under_the_same_name_are_others() -> None:
    """A sub-agent carries its parent's session id but begins with its own task."""
    parent, helper = request([("user", "Fix the build.")]), request([("user", "List all callers of parse.")])
    assert key_of("s-1", parent) != key_of("s-1", helper)
    assert key_of("s-1", parent) != key_of("s-2", parent)


def test_no_standing_holds_a_prompt() -> None:
    """Everything that is kept, written out."""
    words = "the very private wording of an ask"
    sessions, asked = Sessions(), request([("user", words)])
    key = key_of(facts([("user", words)]).session, asked)
    _remember(sessions, key, 0.0)
    assert "private" not in repr((key, sessions.standing(key, 0.0)))
