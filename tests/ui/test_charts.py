"""Charts over a real ledger: latency, the strip's week, and what lies in an exported file."""

import csv
import io
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from lynkr_desktop.ui.pages.chart_export import SCALE, csv_of
from lynkr_desktop.ui.pages.latency_card import LatencyCard
from lynkr_desktop.ui.pages.overview import OverviewPage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.score_strip import ScoreStrip
from tests.ui.ledger_desk import LedgerDesk, an_exchange

HOUR = 3_600_000


@pytest.fixture
def latency(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> LatencyCard:
    card = LatencyCard(theme, desk, desk.clock)
    qtbot.addWidget(card)
    card.resize(700, 300)
    card.show()
    return card


@pytest.fixture
def page(theme: Theme, desk: LedgerDesk, qtbot: QtBot) -> OverviewPage:
    page = OverviewPage(theme, desk, desk.clock)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    return page


def test_latency_tells_the_middle_and_the_95th_of_each_bar(latency: LatencyCard, desk: LedgerDesk) -> None:
    times = [float(100 * number) for number in range(1, 101)]
    desk.record([an_exchange(number, first_token_ms=time) for number, time in enumerate(times)])
    desk.record([an_exchange(200, first_token_ms=None, error="timeout")])
    latency.refresh()
    (bar,) = [bar for bar in latency._chart._bars if bar.requests]
    assert (bar.requests, bar.values["p50"], bar.total) == (100, 5100.0, 9500.0)
    assert latency._chart.accessibleDescription() == "Last 24 hours: first tokens after 5.1 s, at worst 9.5 s for 95 of 100."
    latency._twin.button.click()
    table = latency._twin._table.model()
    row = [table.index(0, column).data() for column in range(1, 4)]
    assert row == ["100", "5.1 s", "9.5 s"]


def test_latency_without_answers_says_so(latency: LatencyCard) -> None:
    latency.refresh()
    assert latency._chart.accessibleDescription() == "Last 24 hours: No answers in this time."


def test_the_strip_looks_back_over_a_week(page: OverviewPage, desk: LedgerDesk) -> None:
    desk.record([an_exchange(1), an_exchange(2, ago_ms=20 * HOUR), an_exchange(3, ago_ms=6 * 24 * HOUR)])
    page.show()
    strip = page.findChild(ScoreStrip)
    assert strip is not None
    for words, number in (("24 h", 2), ("7 d", 3), ("1 h", 1)):
        next(button for button in page._strip_spans._group.buttons() if button.text() == words).click()
        assert len(strip.exchanges) == number, words
        oldest = strip.position_of(strip.exchanges[0])
        assert strip.exchange_at(oldest) == strip.exchanges[0]
    assert strip.accessibleDescription() == "Last hour: 1 request, 0 of them failed."


def test_a_chart_is_written_as_picture_and_numbers(page: OverviewPage, desk: LedgerDesk, tmp_path: Path) -> None:
    desk.record([an_exchange(1, cost_usd="1.5"), an_exchange(2, ago_ms=2 * HOUR, cost_usd="0.25", tier="SIMPLE")])
    page.show()
    QTest.qWait(10)
    export = page._spend_card.export
    export.write_picture(str(tmp_path / "spend.png"))
    picture = QImage(str(tmp_path / "spend.png"))
    chart = page._spend_card._chart
    assert (picture.width(), picture.height()) == (SCALE * chart.width(), SCALE * chart.height())
    colours = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}
    assert len(colours) > 3, "the picture is empty"
    export.write_numbers(str(tmp_path / "spend.csv"))
    rows = list(csv.reader((tmp_path / "spend.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["From", "SIMPLE", "COMPLEX", "Total"]
    assert len(rows) == 25
    assert sum(float(row[-1]) for row in rows[1:]) == 1.75
    page._strip_export.write_numbers(str(tmp_path / "strip.csv"))
    strip = list(csv.reader((tmp_path / "strip.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert strip[1][1:4] == ["COMPLEX", "61", "claude-sonnet-4-5"]


def test_a_file_that_cannot_be_written_is_said(page: OverviewPage, tmp_path: Path) -> None:
    page.show()
    page._spend_card.export.write_numbers(str(tmp_path / "no" / "such" / "folder.csv"))
    page._latency_card.export.write_picture(str(tmp_path / "no" / "such" / "folder.png"))
    for card in (page._spend_card, page._latency_card):
        assert "could not be written" in card._note.text()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_name_becomes_a_formula(name: str) -> None:
    content = csv_of(("Model", "Cost"), [(name, -1.5)]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline="")))[1] == [f"'{name}", "-1.5"]
