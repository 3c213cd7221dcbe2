"""Widgets: what is painted where, what a mouse and a keyboard do, what a screen reader hears."""

import sys
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPixmap
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QLabel, QToolTip
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import TIERS, Boundaries, Mode, ModeKind, Routing, Settings, Tier
from lynkr_desktop.config.settings import Theme as Choice
from lynkr_desktop.engine.api import AccountState, Snapshot
from lynkr_desktop.engine.events import Alternative, Attempt, Exchange, ScoredDimension, Trouble
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.health import health_sign
from lynkr_desktop.ui.widgets.icons import ASSETS, pixmap
from lynkr_desktop.ui.widgets.notice import Notice
from lynkr_desktop.ui.widgets.pills import EndpointPill, HealthPill, ModePill
from lynkr_desktop.ui.widgets.score_strip import HOUR_MS, ScoreStrip
from lynkr_desktop.ui.widgets.stacked_bars import Bar, Series, StackedBars, nice_step, time_ticks
from lynkr_desktop.ui.widgets.states import StatePanel, StateStack
from lynkr_desktop.ui.widgets.tier import TierChip, chip_words, paint_shape, shape_path
from lynkr_desktop.ui.widgets.why_card import WhyCard
from lynkr_desktop.ui.widgets.why_charts import DimensionBars, ScoreOnBand, Waterfall
from tests.ui.ledger_desk import NOW_MS, SETTINGS, URL, an_exchange

MINUTE = 60_000


def test_pyside_keeps_none_alive() -> None:
    """PySide6 6.12.0 lost a reference to None with each call that returns nothing, until the process aborted (seen 2026-11)."""
    if sys.version_info >= (3, 12):
        pytest.skip("None is immortal here")
    target = QPixmap(8, 8)
    painter = QPainter(target)
    before = sys.getrefcount(None)
    for _ in range(300):
        painter.drawPoint(1, 1)
    lost = before - sys.getrefcount(None)
    painter.end()
    assert lost < 50


# ---------------------------------------------------------------- tiers


def test_each_tier_has_its_own_shape(theme: Theme) -> None:
    centre = QPointF(20, 20)
    outlines = [shape_path(tier, centre, 10).toFillPolygon() for tier in (*TIERS, None)]
    assert all(outlines[first] != outlines[second] for first in range(5) for second in range(first))
    corner = QPointF(24, 16)  # inside the square only
    assert [shape_path(tier, centre, 10).contains(corner) for tier in TIERS] == [False, True, False, False]


def test_a_shape_is_painted_in_its_colour(theme: Theme) -> None:
    picture = QPixmap(20, 20)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    paint_shape(painter, Tier.COMPLEX, QPointF(10, 10), 10, "#7c52d3")
    painter.end()
    assert picture.toImage().pixelColor(10, 10).name() == "#7c52d3"


def test_a_chip_says_its_tier_in_words(theme: Theme, qtbot: QtBot) -> None:
    chip = TierChip(theme, Tier.COMPLEX)
    qtbot.addWidget(chip)
    narrow = chip.sizeHint().width()
    chip.show_tier(Tier.REASONING, "88")
    assert chip.accessibleName() == "REASONING 88"
    full = TierChip(theme, Tier.REASONING, is_full=True)
    qtbot.addWidget(full)
    assert full.sizeHint().width() > narrow
    assert [chip_words(tier, is_full=False) for tier in (*TIERS, None)] == ["S", "M", "C", "R", "D"]


def test_every_health_looks_different(theme: Theme) -> None:
    signs = [health_sign(theme.palette, state, 1.0).toImage() for state in ("healthy", "slow", "failing", "no_key", "unknown")]
    assert all(signs[first] != signs[second] for first in range(5) for second in range(first))


def test_every_icon_can_be_drawn(theme: Theme) -> None:
    names = sorted(path.stem for path in ASSETS.glob("*.svg"))
    assert {"overview", "activity", "tiers", "providers"} <= set(names)
    for name in names:
        image = pixmap(name, "#ff0000", 16, 2.0).toImage()
        assert image.width() == 32
        assert any(image.pixelColor(x, y).alpha() for x in range(32) for y in range(32)), name
    with pytest.raises(FileNotFoundError):
        pixmap("no-such-icon", "#ff0000", 16)


# ---------------------------------------------------------------- score strip


@pytest.fixture
def strip(theme: Theme, qtbot: QtBot) -> ScoreStrip:
    """A strip of 1000 × 240 pixels."""
    strip = ScoreStrip(theme, lambda: NOW_MS)
    qtbot.addWidget(strip)
    strip.resize(1000, 240)
    strip.show()
    return strip


def _point(strip: ScoreStrip, exchange: Exchange) -> QPoint:
    return strip.position_of(exchange).toPoint()


def test_time_runs_right_and_the_score_runs_up(strip: ScoreStrip) -> None:
    early, late = an_exchange(ago_ms=50 * MINUTE, score=10), an_exchange(ago_ms=5 * MINUTE, score=90)
    strip.set_exchanges([late, early])
    assert strip.position_of(early).x() < strip.position_of(late).x()
    assert strip.position_of(early).y() > strip.position_of(late).y()
    assert [exchange.id for exchange in strip.exchanges] == [early.id, late.id]


def test_a_mark_lies_in_its_tiers_zone(strip: ScoreStrip, theme: Theme) -> None:
    strip.set_boundaries(Boundaries(10, 20, 30))
    mark = an_exchange(score=15)
    strip.set_exchanges([mark])
    y = _point(strip, mark).y()
    ground = strip.grab().toImage().pixelColor(200, y).name()
    assert ground == theme.palette.zone(Tier.MEDIUM)


def test_a_click_picks_the_nearest_exchange(strip: ScoreStrip) -> None:
    marks = [an_exchange(number, ago_ms=number * 10 * MINUTE, score=number * 15) for number in range(1, 6)]
    strip.set_exchanges(marks)
    spy = QSignalSpy(strip.picked)
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=_point(strip, marks[2]) + QPoint(4, -3))
    assert [spy.at(0)[0], spy.count()] == [marks[2].id, 1]
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=_point(strip, marks[2]) + QPoint(40, 40))
    assert spy.count() == 1


def test_hovering_tells_why(strip: ScoreStrip) -> None:
    mark = an_exchange(reason="Four files are in play.", method="sticky")
    strip.set_exchanges([mark])
    QTest.mouseMove(strip, QPoint(300, 20))
    QTest.mouseMove(strip, _point(strip, mark))
    assert "Four files are in play." in QToolTip.text()
    assert "COMPLEX 61" in QToolTip.text()
    assert "Kept on the session's model." in QToolTip.text()


def test_arrow_keys_walk_the_marks(strip: ScoreStrip) -> None:
    marks = [an_exchange(number, ago_ms=(9 - number) * MINUTE, reason=f"Reason {number}.") for number in range(3)]
    strip.set_exchanges(marks)
    spy = QSignalSpy(strip.picked)
    QTest.keyClick(strip, Qt.Key.Key_Left)  # from nowhere: the newest
    assert "Reason 2." in strip.accessibleDescription()
    for _ in range(5):
        QTest.keyClick(strip, Qt.Key.Key_Left)
    assert "Reason 0." in strip.accessibleDescription()
    QTest.keyClick(strip, Qt.Key.Key_Right)
    QTest.keyClick(strip, Qt.Key.Key_Return)
    assert spy.at(0)[0] == marks[1].id
    QTest.keyClick(strip, Qt.Key.Key_End)
    QTest.keyClick(strip, Qt.Key.Key_Return)
    assert spy.at(1)[0] == marks[2].id


def test_live_marks_are_added_once_and_old_ones_leave(strip: ScoreStrip) -> None:
    old, kept = an_exchange(ago_ms=HOUR_MS + 1), an_exchange(ago_ms=MINUTE)
    strip.set_exchanges([old, kept])
    strip.add([kept, an_exchange(1, ago_ms=10, error="overloaded")])
    assert len(strip.exchanges) == 2
    assert strip.accessibleDescription() == "Last hour: 2 requests, 1 of them failed."


def test_a_failed_and_a_kept_mark_look_different(strip: ScoreStrip) -> None:
    plain = an_exchange()
    point = strip.position_of(plain)
    area = QRectF(point.x() - 12, point.y() - 12, 24, 24).toRect()
    pictures = []
    for changes in ({}, {"method": "sticky"}, {"error": "overloaded", "status": 529}):
        strip.set_exchanges([an_exchange(**changes)])
        pictures.append(strip.grab(area).toImage())
    assert all(pictures[first] != pictures[second] for first in range(3) for second in range(first))


def test_requests_without_a_score_have_a_lane_of_their_own(strip: ScoreStrip) -> None:
    scored = an_exchange(score=0)
    unscored = an_exchange(1, score=None, tier="", method="direct")
    strip.set_exchanges([scored, unscored])
    assert strip.position_of(unscored).y() > strip.position_of(scored).y()
    assert strip.exchange_at(strip.position_of(unscored)) == unscored


def test_the_strip_rests_while_it_cannot_be_seen(strip: ScoreStrip) -> None:
    assert strip._timer.isActive()
    strip.hide()
    assert not strip._timer.isActive()


def test_another_theme_repaints_the_strip(strip: ScoreStrip, theme: Theme) -> None:
    strip.set_exchanges([an_exchange()])
    light = strip.grab().toImage()
    theme.choose(Choice.DARK)
    assert strip.grab().toImage() != light


# ---------------------------------------------------------------- bars


def test_a_bar_is_found_and_told(theme: Theme, qtbot: QtBot) -> None:
    bars = StackedBars(theme)
    qtbot.addWidget(bars)
    bars.resize(644, 260)
    bars.show()
    hours = [
        Bar(NOW_MS + hour * 3_600_000, NOW_MS + (hour + 1) * 3_600_000, {"SIMPLE": 0.1, "COMPLEX": hour}, 7) for hour in range(6)
    ]
    bars.show_bars(hours, [Series("SIMPLE", "SIMPLE", Tier.SIMPLE), Series("COMPLEX", "COMPLEX", Tier.COMPLEX)])
    assert bars.bar_at(QPointF(44 + 350, 100)) == hours[3]
    assert bars.bar_at(QPointF(10, 100)) is None
    QTest.mouseMove(bars, QPoint(50, 100))
    QTest.mouseMove(bars, QPoint(44 + 350, 100))
    assert "7 requests · $3.10" in QToolTip.text()
    assert "COMPLEX  $3.00\nSIMPLE  $0.10" in QToolTip.text()


def test_stacked_colours_lie_on_each_other(theme: Theme, qtbot: QtBot) -> None:
    bars = StackedBars(theme)
    qtbot.addWidget(bars)
    bars.resize(244, 252)  # the plot is 200 high from 8 to 208
    bars.show_bars(
        [Bar(NOW_MS, NOW_MS + 3_600_000, {"SIMPLE": 1.0, "COMPLEX": 1.0}, 2)],
        [Series("SIMPLE", "SIMPLE", Tier.SIMPLE), Series("COMPLEX", "COMPLEX", Tier.COMPLEX)],
    )
    image = bars.grab().toImage()
    assert image.pixelColor(144, 160).name() == theme.palette.tier_fill(Tier.SIMPLE)
    assert image.pixelColor(144, 60).name() == theme.palette.tier_fill(Tier.COMPLEX)


@pytest.mark.parametrize(("top", "step"), [(0.6, 0.2), (3.5, 1), (24.3, 5), (0.0041, 0.001), (1, 0.2), (100, 20), (1.01, 0.5)])
def test_axis_steps_are_round(top: float, step: float) -> None:
    assert nice_step(top) == pytest.approx(step)


def test_times_below_bars_are_round_and_few() -> None:
    day = 24 * 3_600_000
    ticks = time_ticks(NOW_MS - day, NOW_MS, most=5)
    assert 2 <= len(ticks) <= 6
    assert all((tick // MINUTE) % 60 == 0 for tick in ticks)
    assert len({later - earlier for earlier, later in pairwise(ticks)}) == 1
    assert len(time_ticks(NOW_MS - 30 * day, NOW_MS, most=5)) <= 6


# ---------------------------------------------------------------- why card


def _words(card: WhyCard) -> str:
    return "\n".join(label.text() for label in card.findChildren(QLabel) if label.isVisibleTo(card))


def test_the_why_card_tells_everything(theme: Theme, qtbot: QtBot) -> None:
    card = WhyCard(theme, lambda provider, model: "2026-11-10" if (provider, model) == ("anthropic", "claude-sonnet-4-5") else "")
    qtbot.addWidget(card)
    card.show_exchange(an_exchange(losses=("cache markers",), fidelity="translated"))
    words = _words(card)
    assert "Why COMPLEX" in words
    assert "Several files and steps depend on each other." in words
    assert "200 in · 35.1k from cache · 2.9k to cache · 1.1k out" in words
    assert "$0.031 · priced by our dated table, as of 2026-11-10" in words
    assert "translated · not carried: cache markers" in words
    assert card.findChild(ScoreOnBand).accessibleName() == "Score 61 of 100, COMPLEX"  # type: ignore[union-attr]


def test_the_road_not_taken_has_its_price(theme: Theme, qtbot: QtBot) -> None:
    """Estimates are marked, what served shows what it cost, and an unknown price is said."""
    card = WhyCard(theme, lambda *_: "")
    qtbot.addWidget(card)
    alternatives = (
        Alternative("SIMPLE", "ollama:qwen2.5:7b", "0", "0"),
        Alternative("MEDIUM", "lab:unheard-of", None, None),
        Alternative("COMPLEX", "anthropic:claude-sonnet-4-5", "0.0299", ""),
        Alternative("REASONING", "anthropic:claude-opus-4-5", "0.0519", "0.2333"),
    )
    card.show_exchange(an_exchange(alternatives=alternatives))
    instead = card._instead
    assert [(row.model.text(), row.cost.text(), row.switch.text()) for row in instead.rows] == [
        ("qwen2.5:7b", "free", "free"),
        ("unheard-of", "unpriced", "unpriced"),
        ("claude-sonnet-4-5", "$0.031", "served"),
        ("claude-opus-4-5", "≈ $0.052", "≈ $0.23"),
    ]
    card.show_exchange(an_exchange(alternatives=alternatives[:1]))
    assert [row.model.isVisibleTo(card) for row in instead.rows] == [True, False, False, False]
    card.show_exchange(an_exchange())
    assert not instead.isVisibleTo(card)


def test_what_auto_would_have_chosen(theme: Theme, qtbot: QtBot) -> None:
    """Only where it was observed."""
    card = WhyCard(theme, lambda *_: "")
    qtbot.addWidget(card)
    card.show_exchange(an_exchange(tier="", method="observe", shadow_tier="MEDIUM", shadow_target="openai:gpt-5-mini"))
    assert "Auto would have chosen MEDIUM, openai:gpt-5-mini." in _words(card)
    card.show_exchange(an_exchange())
    assert "Auto would" not in _words(card)


def test_the_largest_dimension_comes_first(theme: Theme, qtbot: QtBot) -> None:
    bars = DimensionBars(theme)
    qtbot.addWidget(bars)
    dimensions = [ScoredDimension(str(points), points, f"Reason {points}.") for points in (3, 0.2, -12, 30)]
    bars.show_dimensions(dimensions, Tier.COMPLEX)
    assert bars.accessibleName() == "Reason 30. +30; Reason -12. −12; Reason 3. +3"


def test_a_failure_shows_the_providers_own_words_and_the_next_step(theme: Theme, qtbot: QtBot) -> None:
    card = WhyCard(theme, lambda *_: "")
    qtbot.addWidget(card)
    attempts = (
        Attempt("anthropic", "claude-sonnet-4-5", "COMPLEX", 0, None, 900, 529, "overloaded", "Overloaded"),
        Attempt("lab", "qwen3", "COMPLEX", 900, None, 2400, None, "unreachable", "Connection refused"),
    )
    failed = an_exchange(
        error="unreachable", status=502, error_detail="Connection refused", attempts=attempts, output_tokens=None, cost_usd=None
    )
    card.show_exchange(failed)
    words = _words(card)
    assert "The provider could not be reached." in words
    assert "Check the network and the provider's address." in words
    assert "502: Connection refused" in words
    assert "unpriced" not in words  # nothing was served: there is nothing to price
    waterfall = card.findChild(Waterfall)
    assert waterfall is not None
    assert "anthropic · claude-sonnet-4-5: 529 overloaded after 0.9 s" in waterfall.accessibleName()
    card.show_exchange(an_exchange())
    assert "could not be reached" not in _words(card)


def test_copy_as_text_holds_the_whole_story(theme: Theme, qtbot: QtBot) -> None:
    card = WhyCard(theme, lambda *_: "")
    qtbot.addWidget(card)
    card.show_exchange(an_exchange())
    card._copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "COMPLEX → anthropic:claude-sonnet-4-5 · by score" in copied
    assert "+48  It is about several files." in copied
    assert "anthropic · claude-sonnet-4-5: served after 4.1 s" in copied


# ---------------------------------------------------------------- pills, states, notices


def test_the_mode_pill_offers_only_what_is_set_up(theme: Theme, qtbot: QtBot) -> None:
    pill = ModePill(theme)
    qtbot.addWidget(pill)
    pill.show_settings(Settings(routing=Routing(mode=Mode(ModeKind.PIN, Tier.MEDIUM), tiers=SETTINGS.routing.tiers)))
    assert pill.text() == "Pin MEDIUM"
    actions = {action.text(): action for action in pill.choices.actions()}
    assert [text for text, action in actions.items() if action.isChecked()] == ["Pin MEDIUM"]
    assert actions["Auto tiers"].isEnabled()
    assert not actions["Direct"].isEnabled()
    assert actions["Direct"].toolTip() == "Choose the model of Direct mode first."
    spy = QSignalSpy(pill.chosen)
    actions["Pin REASONING"].trigger()
    assert spy.at(0)[0] == Mode(ModeKind.PIN, Tier.REASONING)


def test_a_click_copies_the_endpoint_and_says_so(theme: Theme, qtbot: QtBot) -> None:
    pill = EndpointPill(theme)
    qtbot.addWidget(pill)
    pill.show_url(URL)
    pill.click()
    assert QGuiApplication.clipboard().text() == URL
    assert pill.text() == "Copied"
    qtbot.waitUntil(lambda: pill.text() == URL)
    pill.show_url("")
    assert pill.isHidden()


@pytest.mark.parametrize(
    ("states", "is_serving", "words"),
    [
        (("healthy", "healthy"), True, "2 providers healthy"),
        (("healthy", "unknown"), True, "1 provider healthy"),
        (("unknown", "unknown"), True, "2 providers not used yet"),
        (("healthy", "failing", "slow"), True, "1 of 3 providers failing"),
        (("healthy", "no_key"), True, "1 of 2 providers without a key"),
        (("healthy", "disabled"), True, "1 provider healthy"),
        (("healthy",), False, "Not serving"),
        ((), True, "No providers"),
    ],
)
def test_health_claims_the_worst(theme: Theme, qtbot: QtBot, states: tuple[str, ...], is_serving: bool, words: str) -> None:
    pill = HealthPill(theme)
    qtbot.addWidget(pill)
    accounts = tuple(AccountState(str(number), "", "", "", False, state) for number, state in enumerate(states))
    pill.show_snapshot(Snapshot(is_serving=is_serving, accounts=accounts))
    assert pill.text() == words


def test_a_notice_is_there_only_while_something_is_wrong(theme: Theme, qtbot: QtBot) -> None:
    notice = Notice(theme)
    qtbot.addWidget(notice)
    assert notice.isHidden()
    notice.show_troubles([Trouble("ledger", "Requests are not kept.", "The disk is full.")])
    assert not notice.isHidden()
    assert notice.accessibleName() == "Requests are not kept. The disk is full."
    notice.show_troubles([Trouble("ledger", "Requests are not kept.", is_over=True)])
    assert notice.isHidden()


def test_loading_is_shown_only_when_it_takes_long(qtbot: QtBot) -> None:
    content = QLabel("content")
    stack = StateStack(content, "Loading")
    qtbot.addWidget(stack)
    stack.show_loading()
    assert stack.currentWidget() is content
    qtbot.waitUntil(lambda: stack.currentWidget() is not content)
    stack.show_content()
    assert stack.currentWidget() is content


def test_a_states_button_says_which_state_it_belongs_to(qtbot: QtBot) -> None:
    stack = StateStack(QLabel("content"), "Loading")
    qtbot.addWidget(stack)
    spy = QSignalSpy(stack.pressed)
    stack.show_error("It failed.", "The disk is full.", "Try again")
    panel = stack.currentWidget()
    assert isinstance(panel, StatePanel)
    panel.pressed.emit()
    assert spy.at(0)[0] == "error"
    assert panel.accessibleDescription() == "The disk is full."
