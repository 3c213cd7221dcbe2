"""The sentence names what decided: the kind of work, not its looks, and never what only moved the score inside its tier."""

import pytest

from lynkr_desktop.engine.routing.explain import reason_of
from lynkr_desktop.engine.routing.score import score
from tests.engine.routing.asks import facts, tier


def sentence(ask: str, tools: tuple[str, ...] = ()) -> str:
    known = facts([("user", ask)], tools=tools)
    found = score(known)
    return reason_of(known, found, tier(found))


@pytest.mark.parametrize(
    ("ask", "part"),
    [
        ("Write a Python function that groups a list of dicts by a key.", "MEDIUM: code or text is to be written"),
        ("Explain how HTTP caching headers work, with an example.", "MEDIUM: something is to be explained or compared"),
        ("Our workers deadlock now and then under load. Find the cause.", "a cause must be found"),
        ("what does chmod 755 do", "it asks for a fact"),
        ("fix the typo in line 3", "it is a mechanical edit"),
        ("Show that the merge is associative.", "an argument must hold"),
    ],
)
def test_the_sentence_says_what_is_wanted(ask: str, part: str) -> None:
    assert part in sentence(ask)


def test_tools_are_no_reason_for_a_tier() -> None:
    assert "tools" not in sentence("Write a function that sorts dates.", tuple(f"tool_{number}" for number in range(20)))


def test_the_sentence_holds_no_word_of_the_ask() -> None:
    told = sentence("find out why zanzibarian widgets hang under load everywhere")
    assert "zanzibar" not in told
    assert told.endswith(" of 100.")
