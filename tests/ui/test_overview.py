"""The Overview page over a real ledger."""

import dataclasses

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import Boundaries, Mode, ModeKind, Tier
from lynkr_desktop.engine.api import Figures
from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.pages.overview import OverviewPage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.figure import Figure
from lynkr_desktop.ui.widgets.stacked_bars import StackedBars
from tests.ui.ledger_desk import SETTINGS, URL, LedgerDesk, an_exchange

MINUTE = 60_000


@pytest.fixture
def page(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> OverviewPage:
    """The page, not shown yet."""
    page = OverviewPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    return page


def _figures(page: OverviewPage) -> dict[str, tuple[str, str]]:
    """Each figure's number and the line beneath."""
    names = {}
    for figure in page.findChildren(Figure):
        name, _, number = figure.accessibleName().partition(": ")
        names[name] = (number, figure.accessibleDescription())
    return names


def test_todays_numbers(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record(
        [
            an_exchange(1, ago_ms=MINUTE, cost_usd="1.5", first_token_ms=400),
            an_exchange(2, ago_ms=2 * MINUTE, cost_usd="0.34", first_token_ms=1200),
            an_exchange(3, ago_ms=3 * MINUTE, cost_usd=None, cost_basis="unpriced", first_token_ms=500),
            an_exchange(4, ago_ms=4 * MINUTE, cost_usd=None, cost_basis="", error="timeout", status=504, first_token_ms=None),
            an_exchange(5, ago_ms=40 * 60 * MINUTE, cost_usd="99"),
        ]
    )
    page.show()
    figures = _figures(page)
    assert figures["Spent today"][0] == "$1.84"
    assert figures["Spent today"][1].startswith("without 1 unpriced")
    assert figures["Requests today"][0] == "4"
    assert figures["Failed today"] == ("1", "25 % of 4")
    assert figures["First token, median"][0] == "0.5 s"


def test_savings_take_the_place_of_failures_once_they_are_known(page: OverviewPage) -> None:
    page._show_figures(Figures("1.84", 0, 10, 1, 400, saved_usd="6.31", baseline="always COMPLEX"))
    assert _figures(page)["Saved today"] == ("+$6.31", "against always COMPLEX")


def test_live_requests_appear_in_the_strip_before_the_ledger_has_them(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1)])
    page.show()
    desk.finish(an_exchange(2, ago_ms=1000))
    assert len(page._strip.exchanges) == 2
    page.refresh()  # the ledger still knows one only
    assert len(page._strip.exchanges) == 2


def test_a_click_in_the_strip_asks_for_the_exchange(page: OverviewPage, desk: LedgerDesk) -> None:
    wanted = an_exchange(1, ago_ms=20 * MINUTE)
    desk.record([wanted, an_exchange(2, ago_ms=40 * MINUTE)])
    page.show()
    spy = QSignalSpy(page.exchange_wanted)
    QTest.mouseClick(page._strip, Qt.MouseButton.LeftButton, pos=page._strip.position_of(wanted).toPoint())
    assert spy.at(0)[0] == wanted.id


def test_boundaries_follow_the_settings(page: OverviewPage, desk: LedgerDesk) -> None:
    page.show()
    routing = dataclasses.replace(SETTINGS.routing, boundaries=Boundaries(10, 20, 30))
    desk.spawn(desk.change(dataclasses.replace(SETTINGS, routing=routing)), "change")
    assert page._strip._boundaries == Boundaries(10, 20, 30)


def test_the_mode_menu_changes_the_settings(page: OverviewPage, desk: LedgerDesk) -> None:
    page.show()
    next(action for action in page._mode.choices.actions() if action.text() == "Pin MEDIUM").trigger()
    assert desk.settings.routing.mode == Mode(ModeKind.PIN, Tier.MEDIUM)
    assert page._mode.text() == "Pin MEDIUM"


def test_a_change_that_is_refused_is_said(page: OverviewPage, desk: LedgerDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    page.show()

    async def refuse(_: object) -> None:
        raise ConfigError("The settings cannot be saved.", "The disk is full.")

    monkeypatch.setattr(desk, "change", refuse)
    next(action for action in page._mode.choices.actions() if action.text() == "Pin MEDIUM").trigger()
    desk.signals.snapshot_changed.emit()
    assert page._notice.accessibleName() == "The settings cannot be saved. The disk is full."
    assert page._mode.text() == "Auto tiers"


def test_the_spend_chart_follows_span_and_key(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1, cost_usd="1"), an_exchange(2, ago_ms=26 * 60 * MINUTE, cost_usd="2", client="codex")])
    page.show()
    card = page._spend_card
    assert [series.key for series in card._series] == ["COMPLEX"]
    assert sum(bar.total for bar in card._bars) == 1
    assert len(card._bars) == 24
    next(button for button in card._spans._group.buttons() if button.text() == "7 d").click()
    assert sum(bar.total for bar in card._bars) == 3
    next(action for action in card._key.choices.actions() if action.text() == "by program").trigger()
    assert [series.title for series in card._series] == ["Codex", "Claude Code"]  # the largest first
    chart = page.findChild(StackedBars)
    assert chart is not None
    assert chart.accessibleDescription() == "Last 7 days: $3.00."


def test_a_slow_answer_for_another_span_is_dropped(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1, cost_usd="1"), an_exchange(2, ago_ms=26 * 60 * MINUTE, cost_usd="2")])
    page.show()
    desk.holds = True
    buttons = {button.text(): button for button in page._spend_card._spans._group.buttons()}
    buttons["7 d"].click()
    buttons["1 h"].click()
    desk.run_held(newest_first=True)  # the older question is answered last
    assert len(page._spend_card._bars) == 30
    assert sum(bar.total for bar in page._spend_card._bars) == 1


def test_many_models_become_five_and_the_others(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(number, model=f"model-{number}", cost_usd=str(number)) for number in range(1, 9)])
    page.show()
    page._spend_card._choose_key("model")
    assert [series.title for series in page._spend_card._series][:2] == ["model-8", "model-7"]
    assert page._spend_card._series[-1].title == "others"
    assert sum(bar.total for bar in page._spend_card._bars) == 36


def test_the_chart_can_be_read_as_a_table(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1, reason="Four files are in play.")])
    page.show()
    page._strip_twin.button.click()
    model = page._strip_twin._model
    row = [model.index(0, column).data() for column in range(model.columnCount())]
    assert row[1:] == ["COMPLEX", "61", "claude-sonnet-4-5", "Four files are in play."]
    page._spend_card._twin.button.click()
    spend = page._spend_card._twin._model
    assert spend.headerData(spend.columnCount() - 1, Qt.Orientation.Horizontal) == "Total"
    assert spend.index(0, spend.columnCount() - 1).data() == "$0.031"


def test_providers_are_told_with_their_honesty(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.health = {"openai": ("failing", "Refused the key")}
    lab = an_exchange(3, account="lab", provider="openai-compatible", cost_usd=None, cost_basis="unpriced")
    local = an_exchange(2, account="ollama", provider="ollama", cost_usd="0", cost_basis="free")
    desk.record([an_exchange(1), local, lab])
    page.show()
    table = page._accounts
    rows = {
        table.index(row, 0).data(): [table.index(row, column).data() for column in range(1, 6)] for row in range(table.rowCount())
    }
    assert rows["Anthropic"][3:] == ["1", "$0.031"]
    assert rows["Ollama"][-1] == "free"
    assert rows["Lab"][-1] == "unpriced"
    assert rows["OpenAI"] == ["failing", "–", "–", "0", "–"]


def test_without_accounts_the_page_says_the_next_step(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> None:
    desk.settings = dataclasses.replace(SETTINGS, accounts=())
    page = OverviewPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    page.show()
    assert page._states.state == "empty"
    spy = QSignalSpy(page.page_wanted)
    page._states._panel.pressed.emit()
    assert spy.at(0)[0] == "providers"
    desk.spawn(desk.change(SETTINGS), "change")
    assert page._states.state == "content"


def test_a_ledger_that_cannot_be_read_is_said_and_can_be_tried_again(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.fails_with = ConfigError("The ledger cannot be read.", "The file is damaged.")
    page.show()
    assert page._states.state == "error"
    assert page._states._panel.accessibleDescription() == "The ledger cannot be read. The file is damaged."
    desk.fails_with = None
    page._states._panel.pressed.emit()
    assert page._states.state == "content"


def test_loading_until_the_first_answer(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.holds = True
    page.show()
    assert page._states.state == "loading"
    desk.run_held()
    assert page._states.state == "content"


def test_troubles_are_shown_on_top_and_go_away(page: OverviewPage, desk: LedgerDesk) -> None:
    page.show()
    assert page._notice.isHidden()
    desk.base = msgspec.structs.replace(desk.base, troubles=(Trouble("keys", "The keychain is locked."),))
    desk.signals.snapshot_changed.emit()
    assert not page._notice.isHidden()
    desk.base = msgspec.structs.replace(desk.base, troubles=())
    desk.signals.snapshot_changed.emit()
    assert page._notice.isHidden()


def test_the_endpoint_can_be_copied(page: OverviewPage) -> None:
    page.show()
    page._endpoint.click()
    assert QGuiApplication.clipboard().text() == URL


def test_an_unchanged_snapshot_leaves_the_table_alone(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1)])
    page.show()
    page._accounts_table.selectRow(1)
    desk.signals.snapshot_changed.emit()
    assert page._accounts_table.selectionModel().selectedRows()[0].row() == 1


def test_nothing_is_asked_while_the_page_is_hidden(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.finish(an_exchange(1))
    page._refresh_if_outdated()
    assert desk.asked == []
    page.show()
    page.hide()
    assert not page._refresh_timer.isActive()


def test_nothing_is_lost_where_it_is_narrow(page: OverviewPage, qtbot: QtBot) -> None:
    page.show()
    page.resize(740, 520)
    qtbot.waitUntil(lambda: page._is_narrow is True)
    content = page._scroll.widget()
    assert content is not None
    assert content.minimumSizeHint().width() <= page._scroll.viewport().width()
    for label in content.findChildren(QLabel):
        assert label.mapTo(content, label.rect().topRight()).x() <= page._scroll.viewport().width()
