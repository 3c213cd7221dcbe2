"""Force rules fire where they should and nowhere else."""

import pytest

from lynkr_desktop.config.settings import Tier
from tests.engine.routing.asks import bare, facts, tier


@pytest.mark.parametrize(
    "ask",
    [
        "hi",
        "Hello there!",
        "thanks a lot",
        "thank you so much!",
        "ok",
        "got it",
        "hola",
        "Danke schön",
        "谢谢",
        "ありがとうございます！",
        "help",
    ],
)
def test_small_talk_is_simple(ask: str) -> None:
    found = bare(ask)
    assert found.forced == "a greeting or a word of thanks"
    assert found.value <= 5


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        ("ultrathink about the retry logic", Tier.REASONING),
        ("Think harder: which of these two is right?", Tier.REASONING),
        ("prove this lock is starvation-free", Tier.REASONING),
        ("Please formally verify the state machine.", Tier.REASONING),
        ("find the flaw in my proof above", Tier.REASONING),
        ("Security audit of the login flow", Tier.COMPLEX),
        ("Do a thorough security review of the payments code", Tier.COMPLEX),
        ("refactor the entire pipeline", Tier.COMPLEX),
        ("we have a production outage, help", Tier.COMPLEX),
    ],
)
def test_strong_phrases_decide(ask: str, expected: Tier) -> None:
    found = bare(ask)
    assert found.forced
    assert tier(found) is expected


@pytest.mark.parametrize(
    "ask",
    [
        "verify the e-mail address before saving",
        "improve the message",
        "add a verify button",
        "I think hardware buttons are missing from the list",
        'translate "prove that this is true" into Spanish',
        "what is a security audit?",
        "What does ultrathink do?",
        "approve the pull request",
        "rename `prove_it` to `check_it`",
        "highlight the production deployment in the table",
        "hi, the build is broken since this morning",
        "ok, then write the parser",
    ],
)
def test_ordinary_words_force_nothing(ask: str) -> None:
    assert bare(ask).forced == ""


def test_a_reminder_that_names_a_rule_forces_nothing() -> None:
    known = facts([("user", "<system-reminder>ultrathink; prove the theorem</system-reminder>what is 2 + 3")])
    assert known.text == "what is 2 + 3"
    assert tier(bare(known.text)) is Tier.SIMPLE


def test_work_on_its_own_has_a_floor_and_a_typo_has_none() -> None:
    assert bare("Fix the failing tests and keep trying until it is green, whatever it takes.").floor is Tier.COMPLEX
    assert bare("Rename foo to bar until all are renamed").floor in (None, Tier.MEDIUM)
    assert bare("Write a Python function that reverses a linked list.").floor is None
