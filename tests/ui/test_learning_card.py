"""The Learning card: verdicts in a real ledger, what they ask for, what it would have meant, and the user's word."""

import pytest
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Boundaries, Cascade, Learning, Settings
from lynkr_desktop.engine.events import Alternative, Attempt
from lynkr_desktop.engine.routing.learners.fingerprint import fingerprint
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.pages.learning_card import LearningCard
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from tests.ui.ledger_desk import LedgerDesk, an_exchange


@pytest.fixture
def card(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> LearningCard:
    card = LearningCard(theme, desk)
    qtbot.addWidget(card)
    card.show()
    return card


def test_nothing_said_nothing_changed(card: LearningCard) -> None:
    assert card.boundaries.text() == "No verdict yet."
    assert not card.apply.isEnabled()


def test_verdicts_are_replayed_before_they_apply(desk: LedgerDesk, card: LearningCard) -> None:
    desk.record([an_exchange(number, score=18 + number, tier="SIMPLE", verdict=1) for number in range(3)])
    desk.record([an_exchange(10 + number, score=5, tier="SIMPLE") for number in range(4)])
    before = desk.settings
    card.refresh()
    assert card.boundaries.text().startswith("SIMPLE to 17, MEDIUM to 50, COMPLEX to 75: 3 would agree instead of 0.")
    assert "Over the last 30 days: 3 of 7 requests move" in card.boundaries.text()
    assert desk.settings is before, "shown, not applied"
    card.apply.click()
    assert desk.settings.routing.boundaries == Boundaries(17, 50, 75)
    assert card.boundaries.text().startswith("3 of 3 verdicts agree with the boundaries in force")
    card.undo.click()
    assert desk.settings == before


def test_verdicts_that_say_nothing_of_boundaries(desk: LedgerDesk, card: LearningCard) -> None:
    """What a rule or a pin decided is no matter of boundaries."""
    desk.record(
        [an_exchange(number, score=20, tier="SIMPLE", verdict=1, method=method) for number, method in enumerate(("force", "pin"))]
    )
    card.refresh()
    assert card.boundaries.text() == "No verdict yet."


def test_switches_and_their_effects(desk: LedgerDesk, card: LearningCard) -> None:
    """Off and empty at first; then what the ledger says, whoever switched what on."""
    assert card.history_effect.text() == "Off: nothing is kept."
    assert card.trials.text() == "No trial in the last 30 days."
    assert card.order_effect.text() == "No tier with several models was used in the last two weeks."
    notes = [f"Write the release notes for the {name} service" for name in ("billing", "search", "login")]
    desk.record(
        [
            an_exchange(number, tier="MEDIUM", score=40, verdict=-1, fingerprint=f"{fingerprint(text):064x}")
            for number, text in enumerate(notes)
        ]
    )
    desk.record(
        [
            an_exchange(
                10, tier="SIMPLE", method="cascade", cost_usd="0.001", alternatives=(Alternative("MEDIUM", "a:b", "0.021"),)
            ),
            an_exchange(11, attempts=(Attempt("a", "b", "SIMPLE", 0, None, 9, 200, "unverified", "x", cost_usd="0.005"),)),
        ]
    )
    card.history.box.click()
    assert desk.settings.learning == Learning(history=True)
    assert card.history_effect.text().startswith("3 of 3 verdicts would have been met by the other ones; without, none.")
    assert card.trials.text() == "Last 30 days: 1 of 2 answers passed, $0.015 saved."
    card.cascade._pick("whole")
    card.order.box.click()
    assert desk.settings.learning == Learning(history=True, order=True, cascade=Cascade.WHOLE)
    card.undo.click()
    assert not card.order.box.isChecked()


def test_a_switch_that_is_refused_goes_back(desk: LedgerDesk, card: LearningCard, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(_: Settings) -> None:
        raise ConfigError("The settings cannot be saved.", "The disk is full.")

    monkeypatch.setattr(desk, "change", refused)
    card.history.box.click()
    assert not card.history.box.isChecked()
    assert "The settings cannot be saved. The disk is full." in [label.text() for label in card.findChildren(Label)]


def test_the_order_of_a_tier(desk: LedgerDesk, card: LearningCard) -> None:
    """By what its models did, before anybody follows it."""
    first, second = desk.settings.routing.tiers.complex
    failed = Attempt(first.account, first.model, "COMPLEX", 0, None, 9, 500, "overloaded")
    desk.record(
        [an_exchange(each, account=second.account, model=second.model, tier="COMPLEX", attempts=(failed,)) for each in range(6)]
    )
    card.refresh()
    line = next(line for line in card.order_effect.text().splitlines() if line.startswith("COMPLEX"))
    assert line.startswith(f"COMPLEX: {first.model} 6 tries, 100 % failed; {second.model} 6 tries, none failed, ")
    assert line.endswith(f"First by this: {second.model}.")
