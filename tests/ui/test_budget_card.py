"""The budgets' card, the Overview's figure and the tray's line, over a real desk."""

import dataclasses

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Budget, BudgetPeriod, Tier, validate
from lynkr_desktop.engine.api import BudgetState
from lynkr_desktop.ui import language, text, text_money
from lynkr_desktop.ui.format import midnight_ms
from lynkr_desktop.ui.pages.budget_card import BudgetCard
from lynkr_desktop.ui.pages.overview import OverviewPage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.tray_menu import state_line
from lynkr_desktop.ui.widgets.figure import Figure
from lynkr_desktop.ui.widgets.label import Label
from tests.ui.ledger_desk import NOW_MS, SETTINGS, LedgerDesk, an_exchange

DAILY = Budget("10", cap_at=90)


@pytest.fixture
def card(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> BudgetCard:
    """The card, over the desk's settings."""
    card = BudgetCard(theme, desk)
    qtbot.addWidget(card)
    card.resize(560, 400)
    card.show()
    return card


def _type(field: QLineEdit, words: str) -> None:
    field.selectAll()
    if words:
        QTest.keyClicks(field, words)
    else:
        QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_a_budget_from_nothing_to_its_end(card: BudgetCard, desk: LedgerDesk) -> None:
    card.add.click()
    assert desk.settings.budgets == (Budget("10"),)
    rows = card.rows[0]
    _type(rows.amount, "2.50")
    _type(rows.steps["cap_at"], "70")
    _type(rows.steps["stop_at"], "")
    rows.tier._pick("SIMPLE")
    rows.period._pick("week")
    expected = Budget("2.50", period=BudgetPeriod.WEEK, cap_at=70, highest_tier=Tier.SIMPLE, stop_at=None)
    assert desk.settings.budgets == (expected,)
    rows.remove.click()
    assert (len(desk.settings.budgets), len(card.rows)) == (0, 0)


def test_an_amount_is_typed_with_the_languages_mark(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> None:
    language.use(language.LANGUAGES[1])
    try:
        card = BudgetCard(theme, desk)
        qtbot.addWidget(card)
        card.add.click()
        for typed, amount in (("2,50", "2.50"), ("3.75", "3.75"), ("4 $", "4")):
            _type(card.rows[0].amount, typed)
            assert desk.settings.budgets[0].amount_usd == amount
    finally:
        language.use(language.ENGLISH)


def test_sessions_have_no_period(card: BudgetCard, desk: LedgerDesk) -> None:
    card.add.click()
    card.rows[0].scope._pick("session")
    assert desk.settings.budgets == (Budget("10", "session", BudgetPeriod.NONE),)
    assert not card.rows[0].period.isEnabled()
    card.rows[0].scope._pick("all")
    assert desk.settings.budgets == (Budget("10"),)
    validate(desk.settings)


@pytest.mark.parametrize(("name", "typed"), [("amount", "ten"), ("amount", "0"), ("cap_at", "101"), ("cap_at", "a lot")])
def test_nonsense_is_refused_with_the_remedy(card: BudgetCard, desk: LedgerDesk, name: str, typed: str) -> None:
    card.add.click()
    rows = card.rows[0]
    _type(rows.amount if name == "amount" else rows.steps[name], typed)
    said = [label.text() for label in rows.findChildren(Label) if not label.isHidden()]
    assert (text_money.NOT_AN_AMOUNT if name == "amount" else text_money.NOT_A_PERCENT) in said
    assert desk.settings.budgets == (Budget("10"),)


def test_the_second_of_two_changes_alone(card: BudgetCard, desk: LedgerDesk) -> None:
    card.add.click()
    card.add.click()
    _type(card.rows[1].amount, "99")
    assert [each.amount_usd for each in desk.settings.budgets] == ["10", "99"]
    card.rows[0].remove.click()
    assert [each.amount_usd for each in desk.settings.budgets] == ["99"]
    assert card.rows[0].amount.text() == "99"


def test_how_full_it_is_shows_everywhere(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> None:
    desk.record([an_exchange(1, cost_usd="1.84")])
    ends = midnight_ms(NOW_MS) + 86_400_000
    desk.settings = dataclasses.replace(SETTINGS, budgets=(DAILY,))
    desk.base = msgspec.structs.replace(desk.base, budgets=(BudgetState(DAILY, "1.84", "0.25", "", ends),))
    card = BudgetCard(theme, desk)
    qtbot.addWidget(card)
    said = [label.text() for label in card.rows[0].findChildren(Label)]
    assert any(words.startswith("$1.84 of $10.00 spent · $0.25 held back for answers that still come · begins") for words in said)
    page = OverviewPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    (figure,) = (each for each in page.findChildren(Figure) if each.accessibleName() == "Spent today: $1.84")
    assert figure.accessibleDescription() == "of $10.00 budget"
    assert state_line(desk.snapshot(), desk.settings).endswith("today $1.84 of $10.00")


def test_a_budget_in_a_few_words() -> None:
    titles = [text_money.budget_title(each) for each in (DAILY, Budget("2.5", "client:claude-code", BudgetPeriod.MONTH))]
    assert titles == ["$10.00 each day", "$2.50 each month for Claude Code"]
    assert text_money.budget_title(Budget("2", "session", BudgetPeriod.NONE)) == "$2.00 each session"


def test_a_refused_request_is_not_the_programs_fault() -> None:
    assert text.failure("budget") == text.BUDGET_USED_UP
