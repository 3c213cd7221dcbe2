"""The Activity page over a real ledger: live rows, pages, filters, the why card."""

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.models.exchange_table import Column, ExchangeTable, matches
from lynkr_desktop.ui.pages.activity import PAGE_ROWS, ActivityPage
from lynkr_desktop.ui.theme import Theme
from tests.ui.ledger_desk import NOW_MS, LedgerDesk, an_exchange

MINUTE = 60_000


@pytest.fixture
def page(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> ActivityPage:
    """The page, not shown yet."""
    page = ActivityPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    return page


def _column(page: ActivityPage, column: Column) -> list[str]:
    model = page._model
    return [model.index(row, column).data() for row in range(model.rowCount())]


# ---------------------------------------------------------------- the table


def _table(theme: Theme) -> ExchangeTable:
    model = ExchangeTable(theme, lambda: NOW_MS)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    return model


def test_newest_first_live_on_top_and_nothing_twice(theme: Theme) -> None:
    model = _table(theme)
    exchanges = [an_exchange(number, ago_ms=(10 - number) * MINUTE) for number in range(8)]
    model.show_first(exchanges[3:6][::-1], [exchanges[5], exchanges[6]], has_more=True)
    assert model.add_live([exchanges[6], exchanges[7]]) == 1
    model.add_older([exchanges[3], exchanges[2], exchanges[1]], has_more=False)
    shown = [model.exchange(row).id for row in range(model.rowCount())]
    assert shown == [exchanges[number].id for number in (7, 6, 5, 4, 3, 2, 1)]
    assert model.oldest_id == exchanges[1].id
    assert model.row_of(exchanges[4].id) == 3
    assert model.row_of(exchanges[0].id) == -1


def test_older_rows_are_asked_for_once_at_a_time(theme: Theme) -> None:
    model = _table(theme)
    asked: list[bool] = []
    model.older_wanted.connect(lambda: asked.append(True))
    model.show_first([an_exchange(1)], has_more=True)
    root = QModelIndex()
    model.fetchMore(root)
    model.fetchMore(root)
    assert asked == [True]
    model.add_older([an_exchange(0)], has_more=False)
    assert not model.canFetchMore(root)


def test_what_a_row_says(theme: Theme) -> None:
    model = _table(theme)
    model.show_first([an_exchange()], has_more=False)
    row = [model.index(0, column).data() for column in Column]
    assert row == [
        "15:01:30",
        "Claude Code",
        "COMPLEX",
        "claude-sonnet-4-5",
        "38.2k / 1.1k",
        "92 %",
        "$0.031",
        "0.9 s",
        "4.1 s",
        "ok",
    ]
    assert model.index(0, Column.COST).data(Qt.ItemDataRole.AccessibleTextRole) == "Cost $0.031"


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"cost_usd": None, "cost_basis": "unpriced"}, Column.COST, "unpriced"),
        ({"cost_usd": "0", "cost_basis": "free"}, Column.COST, "free"),
        ({"cost_basis": "estimated"}, Column.COST, "≈ $0.031"),
        ({"error": "rate", "status": 429, "output_tokens": None, "cost_usd": None}, Column.COST, "–"),
        ({"error": "rate", "status": 429}, Column.STATUS, "429"),
        ({"error": "client", "status": 499}, Column.STATUS, "left"),
        ({"tier": "", "score": None}, Column.TIER, "DIRECT"),
        ({"client": ""}, Column.CLIENT, "Unknown program"),
        ({"input_tokens": None, "cache_read_tokens": None, "cache_write_tokens": None}, Column.TOKENS, "– / 1.1k"),
        ({"cache_read_tokens": 0}, Column.CACHED, "–"),
    ],
)
def test_cells_are_honest(theme: Theme, changes: dict[str, Any], column: Column, words: str) -> None:
    model = _table(theme)
    model.show_first([an_exchange(**changes)], has_more=False)
    assert model.index(0, column).data() == words


def test_only_what_is_seen_is_formatted(theme: Theme, qtbot: QtBot, desk: LedgerDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ActivityPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    page.show()
    formatted: list[str] = []
    words = ExchangeTable._words

    def count(self: ExchangeTable, exchange: Exchange, column: Column) -> str:
        formatted.append(exchange.id)
        return words(self, exchange, column)

    monkeypatch.setattr(ExchangeTable, "_words", count)
    page._model.show_first([an_exchange(number) for number in range(100_000)], has_more=False)
    page._states.show_content()
    page._view.scrollToBottom()
    page.grab()
    assert page._model.rowCount() == 100_000
    assert 0 < len(formatted) < 5000


QUERIES = (
    ActivityQuery(tiers=("SIMPLE",)),
    ActivityQuery(tiers=("SIMPLE", "MEDIUM"), clients=("codex",)),
    ActivityQuery(only_failed=True),
    ActivityQuery(text="QWEN several"),
    ActivityQuery(text="overload"),
    ActivityQuery(text="100%"),
    ActivityQuery(accounts=("ollama",)),
    ActivityQuery(since_ms=NOW_MS - 5 * MINUTE),
)


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_live_rows_are_filtered_as_the_ledger_does(desk: LedgerDesk, query: ActivityQuery) -> None:
    exchanges = [
        an_exchange(1, ago_ms=9 * MINUTE, tier="SIMPLE", model="qwen2.5", account="ollama"),
        an_exchange(2, ago_ms=7 * MINUTE, tier="MEDIUM", client="codex"),
        an_exchange(3, ago_ms=3 * MINUTE, error="overloaded", status=529),
        an_exchange(4, ago_ms=2 * MINUTE, reason="It is 100% code."),
    ]
    desk.record(exchanges)
    found: list[str] = []

    async def ask() -> None:
        found.extend(exchange.id for exchange in await desk.activity(query))

    desk.spawn(ask(), "ask")
    assert found
    assert sorted(found) == [exchange.id for exchange in exchanges if matches(query, exchange)]


# ---------------------------------------------------------------- live


def _fill(desk: LedgerDesk, count: int = 60) -> None:
    desk.record([an_exchange(number, ago_ms=(count + 5 - number) * MINUTE, model=f"model-{number}") for number in range(count)])


def test_live_rows_come_in_on_top(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 3)
    page.show()
    desk.finish(an_exchange(90, ago_ms=2000, model="first"), an_exchange(91, ago_ms=1000, model="second"))
    assert _column(page, Column.MODEL) == ["second", "first", "model-2", "model-1", "model-0"]


def test_live_rows_move_neither_selection_nor_scroll_position(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk)
    page.show()
    page._view.selectRow(30)
    chosen = page._model.exchange(30)
    bar = page._view.verticalScrollBar()
    bar.setValue(700)
    top = page._model.exchange(page._view.rowAt(2)).id
    offset = page._view.rowViewportPosition(page._view.rowAt(2))
    desk.finish(*(an_exchange(90 + number, ago_ms=1000) for number in range(7)))
    assert page._model.exchange(page._view.rowAt(2)).id == top
    assert page._view.rowViewportPosition(page._view.rowAt(2)) == offset
    assert page._view.selectionModel().selectedRows()[0].row() == 37
    assert page._card.exchange == chosen


def test_at_the_top_new_rows_are_seen_at_once(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk)
    page.show()
    desk.finish(an_exchange(90, ago_ms=1000))
    assert page._view.verticalScrollBar().value() == 0


def test_what_the_ledger_has_not_written_yet_survives_a_reload(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 2)
    page.show()
    desk.finish(an_exchange(90, ago_ms=1000, total_ms=900, model="fresh"))
    page.reload()
    assert _column(page, Column.MODEL)[0] == "fresh"


def test_the_first_live_request_ends_the_empty_state(page: ActivityPage, desk: LedgerDesk) -> None:
    page.show()
    assert page._states.state == "empty"
    assert "http://127.0.0.1:8081" in page._states._panel.accessibleDescription()
    desk.finish(an_exchange())
    assert page._states.state == "content"


def test_rows_that_came_while_the_page_was_hidden_are_read(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 2)
    page.show()
    page._view.selectRow(1)
    chosen = page._card.exchange
    page.hide()
    desk.record([an_exchange(90, ago_ms=30_000, model="meanwhile")])
    page.show()
    assert _column(page, Column.MODEL)[0] == "meanwhile"
    assert page._view.selectionModel().selectedRows()[0].row() == 2
    assert page._card.exchange == chosen


# ---------------------------------------------------------------- pages and filters


def test_scrolling_reads_older_pages(page: ActivityPage, desk: LedgerDesk, qtbot: QtBot) -> None:
    _fill(desk, PAGE_ROWS + 50)
    page.show()
    assert page._model.rowCount() == PAGE_ROWS
    page._view.scrollToBottom()
    qtbot.waitUntil(lambda: page._model.rowCount() == PAGE_ROWS + 50)
    assert len(set(_column(page, Column.MODEL))) == PAGE_ROWS + 50
    assert not page._model.canFetchMore(QModelIndex())


def test_filters_narrow_the_rows_and_live_ones_too(page: ActivityPage, desk: LedgerDesk) -> None:
    desk.record(
        [an_exchange(1, tier="SIMPLE"), an_exchange(2, tier="COMPLEX"), an_exchange(3, tier="SIMPLE", error="rate", status=429)]
    )
    page.show()
    page._filters._tiers["SIMPLE"].trigger()
    assert _column(page, Column.TIER) == ["SIMPLE", "SIMPLE"]
    assert page._filters._tier.text() == "Tier: SIMPLE"
    page._filters._tiers["MEDIUM"].trigger()
    assert page._filters._tier.text() == "Tier: S, M"
    page._filters._failed.click()
    assert _column(page, Column.STATUS) == ["429"]
    desk.finish(an_exchange(90, tier="SIMPLE"), an_exchange(91, tier="COMPLEX", error="rate", status=429))
    assert len(_column(page, Column.STATUS)) == 1
    desk.finish(an_exchange(92, tier="SIMPLE", error="rate", status=429))
    assert len(_column(page, Column.STATUS)) == 2


def test_programs_are_offered_as_they_are_seen(page: ActivityPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1, client="codex"), an_exchange(2)])
    page.show()
    assert set(page._filters._clients) == {"codex", "claude-code"}
    page._filters._clients["codex"].trigger()
    assert _column(page, Column.CLIENT) == ["Codex"]
    assert page._filters._client.text() == "Program: Codex"


def test_typing_filters_after_a_pause(page: ActivityPage, desk: LedgerDesk, qtbot: QtBot) -> None:
    _fill(desk, 12)
    page.show()
    before = len(desk.asked)
    page.focus_filter()
    QTest.keyClicks(page._filters._text, "model-11")
    assert len(desk.asked) == before
    qtbot.waitUntil(lambda: _column(page, Column.MODEL) == ["model-11"])
    assert len(desk.asked) == before + 1


def test_nothing_matches_says_so_and_clears(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 3)
    page.show()
    page._filters._failed.click()
    assert page._states.state == "empty"
    assert page._states._panel.accessibleName() == "No request matches these filters"
    page._states._panel.pressed.emit()
    assert len(_column(page, Column.MODEL)) == 3
    assert not page._filters.is_active


def test_an_answer_to_older_filters_is_dropped(page: ActivityPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1, tier="SIMPLE"), an_exchange(2, tier="MEDIUM")])
    page.show()
    desk.holds = True
    page._filters._tiers["SIMPLE"].trigger()
    page._filters._tiers["SIMPLE"].trigger()
    page._filters._tiers["MEDIUM"].trigger()
    desk.run_held(newest_first=True)
    assert _column(page, Column.TIER) == ["MEDIUM"]


def test_an_error_is_told_and_can_be_tried_again(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 3)
    desk.fails_with = ConfigError("The ledger cannot be read.", "The file is damaged.")
    page.show()
    assert page._states.state == "error"
    desk.fails_with = None
    page._states._panel.pressed.emit()
    assert page._states.state == "content"
    assert page._model.rowCount() == 3


# ---------------------------------------------------------------- the why card


def test_choosing_a_row_explains_it(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 5)
    page.show()
    page._view.selectRow(2)
    assert page._card.exchange == page._model.exchange(2)
    QTest.keyClick(page._view, Qt.Key.Key_Down)
    assert page._card.exchange == page._model.exchange(3)


def test_an_exchange_is_explained_even_if_filters_hide_it(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 5)
    wanted = an_exchange(99, ago_ms=120 * MINUTE, tier="SIMPLE", model="wanted")
    desk.record([wanted])
    page._filters._tiers["COMPLEX"].trigger()
    page.show()
    page.open_exchange(wanted.id)
    assert page._card.exchange == wanted
    assert page._view.selectionModel().selectedRows() == []


def test_an_exchange_asked_for_before_the_rows_are_there_is_selected(page: ActivityPage, desk: LedgerDesk) -> None:
    _fill(desk, 5)
    desk.holds = True
    page.show()
    page.open_exchange(an_exchange(3, ago_ms=7 * MINUTE).id)
    desk.run_held()
    assert page._card.exchange is not None
    assert page._card.exchange.model == "model-3"
    assert page._view.selectionModel().selectedRows()[0].row() == 1


def test_the_card_uses_the_boundaries_of_the_settings(page: ActivityPage, desk: LedgerDesk) -> None:
    routing = desk.settings.routing
    boundaries = dataclasses.replace(routing.boundaries, simple=61, medium=62)
    desk.settings = dataclasses.replace(desk.settings, routing=dataclasses.replace(routing, boundaries=boundaries))
    _fill(desk, 1)
    page.show()
    page._view.selectRow(0)
    assert page._card._band.accessibleName() == "Score 61 of 100, SIMPLE"


def test_where_it_is_narrow_the_card_opens_below_and_can_be_closed(page: ActivityPage, desk: LedgerDesk, qtbot: QtBot) -> None:
    _fill(desk, 5)
    page.resize(740, 560)
    page.show()
    qtbot.waitUntil(lambda: page._splitter.orientation() is Qt.Orientation.Vertical)
    assert page._card.isHidden()
    page._view.selectRow(1)
    assert page._card.isVisible()
    page._card._close.click()
    assert page._card.isHidden()
    assert page._view.selectionModel().selectedRows() == []


def test_the_chosen_row_stays_in_sight_when_the_card_opens_below(page: ActivityPage, desk: LedgerDesk, qtbot: QtBot) -> None:
    _fill(desk, 30)
    page.resize(740, 520)
    page.show()
    qtbot.waitUntil(lambda: page._splitter.orientation() is Qt.Orientation.Vertical)
    low = page._view.rowAt(page._view.viewport().height() - 5)
    page._view.selectRow(low)

    def is_in_sight() -> bool:
        bottom = page._view.rowViewportPosition(low) + page._view.rowHeight(low)
        return page._view.viewport().height() < 300 and 0 < bottom <= page._view.viewport().height()

    qtbot.waitUntil(is_in_sight)


def test_columns_give_way_to_the_models_name(page: ActivityPage, desk: LedgerDesk, qtbot: QtBot) -> None:
    _fill(desk, 2)
    page.resize(1700, 760)
    page.show()
    assert not any(page._view.isColumnHidden(column) for column in Column)
    page.resize(900, 760)
    qtbot.waitUntil(lambda: page._view.isColumnHidden(Column.TOTAL))
    assert page._view.columnWidth(Column.MODEL) >= 132
    assert not page._view.isColumnHidden(Column.STATUS)
