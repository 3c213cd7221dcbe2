"""Pinning in the window: from the why card and on the Tiers page; and verdicts on a request."""

from dataclasses import replace

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Pin, Settings, Target, Tier
from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui import text_pins
from lynkr_desktop.ui.pages.activity import ActivityPage
from lynkr_desktop.ui.pages.pins_card import PinsCard
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from lynkr_desktop.ui.widgets.overrule import Overrule
from tests.ui.ledger_desk import NOW_MS, LedgerDesk, an_exchange

HOUR = 3_600_000


def _line(menu: QMenu, words: str) -> QAction:
    return next(action for action in menu.actions() if action.text().startswith(words))


@pytest.fixture
def activity(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> ActivityPage:
    """The page with one request of a project, whose card is open."""
    desk.record([an_exchange(session="s-1", project="web")])
    page = ActivityPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    page.show()
    page.open_exchange(an_exchange().id)
    return page


@pytest.fixture
def overrule(activity: ActivityPage) -> Overrule:
    """Its part with the buttons."""
    return activity.findChildren(Overrule)[0]


def test_a_session_is_pinned_from_its_request(desk: LedgerDesk, overrule: Overrule) -> None:
    """To a tier, to the very model, and free again; the menu shows how it stands."""
    _line(overrule.menu, "REASONING").trigger()
    assert _pins(desk) == [Pin("session:s-1", Tier.REASONING)]
    assert _line(overrule.menu, "REASONING").isChecked()
    _line(overrule.menu, "This model").trigger()
    assert _pins(desk) == [Pin("session:s-1", target=Target("anthropic", "claude-sonnet-4-5"))]
    _line(overrule.menu, text_pins.NO_PIN).trigger()
    assert _pins(desk) == []


def test_its_project_too(desk: LedgerDesk, overrule: Overrule) -> None:
    below = _line(overrule.menu, "Pin project web").menu()
    assert isinstance(below, QMenu)
    _line(below, "SIMPLE").trigger()
    assert _pins(desk) == [Pin("project:web", Tier.SIMPLE)]


def test_a_verdict_is_kept_and_can_be_taken_back(desk: LedgerDesk, activity: ActivityPage, overrule: Overrule) -> None:
    overrule.higher_button.click()
    assert _kept(desk) == 1
    overrule.lower_button.click()
    assert (_kept(desk), overrule.higher_button.isChecked()) == (-1, False)
    activity.reload()
    assert overrule.lower_button.isChecked(), "the ledger knows it"
    overrule.lower_button.click()
    assert _kept(desk) == 0


def _kept(desk: LedgerDesk) -> int:
    (exchange,) = desk._loop.run_until_complete(desk.activity(ActivityQuery()))
    return exchange.verdict


def test_a_verdict_that_cannot_be_kept_is_said(desk: LedgerDesk, activity: ActivityPage, overrule: Overrule) -> None:
    desk.fails_with = ConfigError("The verdict could not be kept.", "The disk is full.")
    overrule.higher_button.click()
    assert not overrule.higher_button.isChecked()
    assert "The disk is full." in [label.text().partition(" kept. ")[2] for label in activity.findChildren(Label)]


def test_what_nobody_chose_has_no_verdict(overrule: Overrule) -> None:
    overrule.show_exchange(an_exchange(method="requested", session=""), Settings())
    assert overrule.higher_button.isHidden()
    assert overrule.pin.isHidden()


@pytest.fixture
def card(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> PinsCard:
    desk.record([an_exchange(session="s-1", project="web")])
    card = PinsCard(theme, desk, desk.clock)
    qtbot.addWidget(card)
    card.show()
    return card


def _pins(desk: LedgerDesk) -> list[Pin]:
    return list(desk.settings.pins)


def _words(card: PinsCard) -> list[str]:
    QApplication.processEvents()  # what is new in a layout is shown with the next event
    return [label.text() for label in card.findChildren(Label) if not label.isHidden()]


def test_pinning_a_project_for_a_time(desk: LedgerDesk, card: PinsCard) -> None:
    """It stands there until it ends; Undo takes it back, but not somebody else's change."""
    assert text_pins.NO_PINS in _words(card)
    card.scope._pick("project:web")
    card.goal._pick("COMPLEX")
    card.time._pick("120")
    card.add.click()
    assert _pins(desk) == [Pin("project:web", Tier.COMPLEX, until_ms=NOW_MS + 2 * HOUR)]
    assert {"Project web", "COMPLEX"} <= set(_words(card))
    card.undo.click()
    assert _pins(desk) == []
    card.add.click()
    assert card.undo.isVisible()
    desk._loop.run_until_complete(desk.change(replace(desk.settings, baseline="")))
    assert not card.undo.isVisible()
    desk.now_ms += 2 * HOUR
    card.show_settings()
    assert text_pins.NO_PINS in _words(card)


def test_taking_one_away(desk: LedgerDesk, card: PinsCard) -> None:
    desk.settings = replace(desk.settings, pins=(Pin("all", Tier.SIMPLE), Pin("session:abcdefghijklmnop", Tier.REASONING)))
    card.show_settings()
    assert {"All requests", "Session abcdefghijkl…"} <= set(_words(card))
    card.takers[0].click()
    assert _pins(desk) == [Pin("session:abcdefghijklmnop", Tier.REASONING)]
