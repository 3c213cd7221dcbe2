"""The Learning card: verdicts in a real ledger, what they ask for, what it would have meant, and the user's word."""

import pytest
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Boundaries
from lynkr_desktop.ui.pages.learning_card import LearningCard
from lynkr_desktop.ui.theme import Theme
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
