"""The kind of work is told from the ask's words, and what is costly to break needs two signs."""

import pytest

from lynkr_desktop.config.settings import Routing, Target, Tier, TierTargets
from lynkr_desktop.engine.routing.score import score
from lynkr_desktop.engine.routing.tiers import route
from tests.engine.routing.asks import CLAUDE_CODE, CLAUDE_TOOLS, bare, facts, tier


@pytest.mark.parametrize(
    ("ask", "work", "least"),
    [
        ("Figure out why the build fails and keep trying until it works.", "autonomous", Tier.COMPLEX),
        ("Keep going until all the tests pass.", "autonomous", Tier.COMPLEX),
        ("Run the linter and repeat until every warning is gone.", "iterative", Tier.MEDIUM),
        ("First write the parser, then add tests, and finally update the docs.", "tool_chain", Tier.MEDIUM),
        ("Mach weiter, bis alle Tests grün sind.", "iterative", Tier.MEDIUM),
        ("What does HTTP 418 mean?", "single_shot", Tier.SIMPLE),
        ('Fix the typo in the word "untill".', "single_shot", Tier.SIMPLE),
    ],
)
def test_work_that_goes_on_by_itself_has_a_least_tier(ask: str, work: str, least: Tier) -> None:
    found = bare(ask)
    assert found.work == work
    assert tier(found).rank >= least.rank


def test_a_tool_list_is_no_work() -> None:
    greeting = score(facts([("user", "hi there, how are you?")], CLAUDE_CODE, tools=CLAUDE_TOOLS))
    assert (greeting.work, tier(greeting)) == ("single_shot", Tier.SIMPLE)


@pytest.mark.parametrize(
    ("ask", "risk"),
    [
        ("Add a refund endpoint to the payment service", "payments"),
        ("rotate the credentials of the mail server", "secrets"),
        ("Write a migration that drops the old table", "stored data"),
        ("给用户表添加权限字段", "permissions"),
        ("Explain how our payments work", ""),
        ("what is a migration?", ""),
        ("Fix the typo in the payment page's title", ""),
        ("add a dark mode", ""),
        ("describe authorship", ""),
    ],
)
def test_a_risk_needs_a_matter_and_a_change(ask: str, risk: str) -> None:
    assert bare(ask).risk == risk


def test_care_is_the_users_to_switch_on() -> None:
    known = facts([("user", "Add a refund endpoint to the payment service")])
    tiers = TierTargets(*(((Target("a", name),)) for name in "abcd"))
    careless, careful = (route(Routing(tiers=tiers, is_careful=each), known, score(known), "m") for each in (False, True))
    assert careless.tier is Tier.MEDIUM
    assert careful.tier is Tier.COMPLEX
    assert careful.reason.startswith("COMPLEX: it changes payments, where you want care; ")
    assert careful.score
    assert careful.score.floor is Tier.COMPLEX
