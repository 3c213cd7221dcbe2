"""The Tiers page over the real engine: what is edited, shown, tried and saved."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from lynkr_desktop.config.settings import (
    Account,
    AccountKey,
    Boundaries,
    Mode,
    ModeKind,
    Routing,
    Settings,
    Target,
    Tier,
    TierTargets,
)
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.pages.tier_draft import Draft, TierPlan, presets, problems
from lynkr_desktop.ui.pages.tiers import TiersPage
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.widgets.label import Label
from tests.fakes.upstream import Upstream
from tests.ui.engine_room import EngineRoom, opened
from tests.ui.ledger_desk import an_exchange

LOCAL, CLOUD = Account("home", "ollama", model="small"), Account("cloud", "openai", "Cloud", model="gpt-5-mini")
SMALL, LARGE, OTHER = Target("home", "small"), Target("cloud", "gpt-5-mini"), Target("cloud", "gpt-5.1")
TIERS = TierTargets((SMALL, LARGE), (LARGE,), (OTHER, LARGE), (OTHER,))
HARD = "Why does the worker deadlock when two jobs finish at the same time? See queue.py and lock.py."


def settings_of(upstream: Upstream) -> Settings:
    cloud = replace(CLOUD, base_url=upstream.url, keys=(AccountKey(upstream.url),))
    return Settings(accounts=(LOCAL, cloud), routing=Routing(tiers=TIERS, direct=LARGE))


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, openai_upstream: Upstream) -> Iterator[EngineRoom]:
    with opened(qapp, tmp_path, settings_of(openai_upstream), {"cloud": openai_upstream.key}) as room:
        yield room


@pytest.fixture
def page(room: EngineRoom, theme: Theme, qtbot: QtBot) -> TiersPage:
    page = TiersPage(theme, room.bridge)
    qtbot.addWidget(page)
    page.resize(1100, 760)
    room.do(page.show)
    return page


def models(page: TiersPage, tier: Tier) -> list[str]:
    return [card._shown.target.model for card in page.columns[tier].cards]


def words(page: TiersPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(Label) if label.isVisible())


def press(room: EngineRoom, page: TiersPage, button: str) -> None:
    found = next(each for each in page.findChildren(QPushButton) if each.text() == button and each.isVisible())
    assert found.isEnabled(), f"{button} cannot be pressed"
    room.do(found.click)


def test_boundary_moves_by_keys_and_is_saved(room: EngineRoom, page: TiersPage) -> None:
    assert text_setup.UNSAVED not in words(page)
    room.do(lambda: QTest.keyClick(page.band.handles[0], Qt.Key.Key_Right))
    room.do(lambda: QTest.keyClick(page.band.handles[2], Qt.Key.Key_PageDown))
    assert text_setup.UNSAVED in words(page)
    assert "0–26" in words(page)
    assert room.bridge.settings.routing.boundaries == Boundaries()
    press(room, page, text_setup.SAVE)
    room.until(lambda: room.saved, "saving")
    assert room.saved[-1].routing.boundaries == Boundaries(26, 50, 70)
    room.until(lambda: text_setup.UNSAVED not in words(page), "the page to know")


def test_boundary_is_dragged_but_never_past_its_neighbour(room: EngineRoom, page: TiersPage) -> None:
    handle = page.band.handles[0]
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=handle.rect().center())
    for x in (40, 5000):
        QTest.mouseMove(handle, handle.mapFromGlobal(page.band.mapToGlobal(handle.rect().center())))
        handle.setSliderPosition(page.band.score_at(x))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton)
    assert page.band.boundaries == Boundaries(49, 50, 75)
    page.undo()
    assert page.band.boundaries == Boundaries(), "a drag is one step, however far it went"


def test_last_week_is_replayed_while_a_boundary_moves(room: EngineRoom, page: TiersPage) -> None:
    """The line comes with the first change, follows each further one, and goes when nothing is left to save."""
    now, names = round(time.time() * 1000), {"account": "cloud", "provider": "openai", "cache_read_tokens": 0}
    for number, (score, model, cost) in enumerate(((40, "gpt-5-mini", "0.01"), (60, "gpt-5.1", "0.04"), (60, "gpt-5.1", None))):
        changes = names | {"model": model, "cost_usd": cost, "score": score, "method": "score", "cache_write_tokens": 0}
        row = msgspec.structs.replace(an_exchange(), id=f"{number:016x}", started_at_ms=now - 1000, **changes)
        room.engine._ledger.record(row)
    assert room.engine._ledger.flush()
    assert not page.what_if.isVisible()
    room.do(lambda: page.band.handles[0].setValue(24))
    room.until(page.what_if.isVisible, "the comparison")
    same = "≈ $0.050 instead of $0.050 · 0 of 3 requests move · left out: 1 unpriced then, 1 unpriced before"
    assert page.what_if.text() == f"Last week under these tiers: {same}"
    room.do(lambda: page.band.handles[1].setValue(65))
    room.until(lambda: "2 of 3 requests move" in page.what_if.text(), "the comparison after another change")
    assert "≈ $0.014 instead of $0.050" in page.what_if.text()
    assert page.what_if.text().endswith("· left out: 1 unpriced before")
    room.do(page.undo)
    room.do(page.undo)
    assert not page.what_if.isVisible()


def test_without_a_week_nothing_is_compared(room: EngineRoom, page: TiersPage) -> None:
    room.do(lambda: page.band.handles[0].setValue(24))
    latest = page.what_if._latest
    room.until(lambda: latest._asked > 0 and not latest.is_waiting, "the answer")
    assert not page.what_if.isVisible()


def test_last_week_is_counted_by_tier(room: EngineRoom, page: TiersPage) -> None:
    now = round(time.time() * 1000)
    for number, score in enumerate((3, 25, 26, 90)):
        row = msgspec.structs.replace(an_exchange(number), id=f"{number:016x}", started_at_ms=now - 1000, score=score)
        room.engine._ledger.record(row)

    def counted() -> bool:
        page.hide()
        page.show()
        return "0–25 · 2 requests last week" in words(page)

    room.until(counted, "the counts")
    assert "26–50 · 1 request last week" in words(page)
    room.do(lambda: page.band.handles[0].setValue(24))
    assert "0–24 · 1 request last week" in words(page)
    assert "SIMPLE 0 to 24, 1 request" in page.band.accessibleName()


def test_what_is_known_of_a_model_is_shown_and_nothing_more(room: EngineRoom, page: TiersPage) -> None:
    room.do(lambda: page._edit(page._draft.with_target(Tier.SIMPLE, Target("cloud", "no-such-model"))))
    room.until(lambda: "Cloud · unpriced" in words(page), "the new card")  # Qt shows it with its next round
    assert "Ollama · free" in words(page)
    assert "Cloud · $" in words(page)
    assert "$0.00" not in words(page)


def test_target_is_added_by_name_and_saved(room: EngineRoom, page: TiersPage) -> None:
    column = page.columns[Tier.REASONING]
    room.do(column._add.click)
    room.do(lambda: column.form._account._pick("cloud"))
    room.until(lambda: len(column.form._model.names) > 1 or "cloud" in page._models, "the models that the account offers")
    room.do(lambda: QTest.keyClicks(column.form._model, "my-own:70b"))
    press(room, page, text_setup.ADD)
    assert models(page, Tier.REASONING) == ["gpt-5.1", "my-own:70b"]
    press(room, page, text_setup.SAVE)
    room.until(lambda: room.saved, "saving")
    assert room.saved[-1].routing.tiers.reasoning == (OTHER, Target("cloud", "my-own:70b"))


def test_targets_move_and_go_by_keys(room: EngineRoom, page: TiersPage) -> None:
    first = page.columns[Tier.SIMPLE].cards[0]
    room.do(lambda: QTest.keyClick(first, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier))
    assert models(page, Tier.SIMPLE) == ["gpt-5-mini", "small"]
    room.do(lambda: QTest.keyClick(page.columns[Tier.SIMPLE].cards[0], Qt.Key.Key_Delete))
    assert models(page, Tier.SIMPLE) == ["small"]
    press(room, page, text_setup.UNDO)
    press(room, page, text_setup.UNDO)
    assert models(page, Tier.SIMPLE) == ["small", "gpt-5-mini"]


def test_draft_moves_between_tiers_without_doubling() -> None:
    draft = Draft(TierPlan(TIERS, Boundaries()))
    moved = draft.with_move((Tier.SIMPLE, 1), Tier.COMPLEX, 0).tiers
    assert moved.simple == (SMALL,)
    assert moved.complex == (LARGE, OTHER)
    assert draft.with_move((Tier.COMPLEX, 0), Tier.COMPLEX, 2).tiers.complex == (LARGE, OTHER)
    assert draft.with_target(Tier.MEDIUM, LARGE).tiers.medium == (LARGE,)


def test_prompt_is_judged_live_and_under_unsaved_tiers(room: EngineRoom, page: TiersPage, openai_upstream: Upstream) -> None:
    before = len(openai_upstream.chats)
    room.do(lambda: page.try_it.prompt.setPlainText(HARD))
    room.until(page.try_it._score.isVisible, "a score")
    score = int(page.try_it._score.text())
    tier = Boundaries().tier_of(score)
    assert page.try_it._chip.accessibleName() == tier.value
    assert TIERS.of(tier)[0].model in page.try_it._target.text()
    room.do(lambda: page.band.handles[2].setValue(98))
    room.do(lambda: page.band.handles[1].setValue(97))
    room.do(lambda: page.band.handles[0].setValue(96))
    assert page.try_it._chip.accessibleName() == "SIMPLE"
    assert page.try_it._reason.text() == text_setup.under_unsaved(Tier.SIMPLE)
    room.do(page.try_it.prompt.clear)
    room.until(lambda: not page.try_it._score.isVisible(), "the empty state")
    assert len(openai_upstream.chats) == before, "nothing may be sent to a model"


def test_tier_without_a_model_is_told_where_it_is(room: EngineRoom, page: TiersPage) -> None:
    room.do(page.columns[Tier.MEDIUM].cards[0].removal_wanted.emit)
    assert page.columns[Tier.MEDIUM]._problem.text() == text_setup.TIER_EMPTY
    assert page.columns[Tier.SIMPLE]._problem.text() == ""


def test_targets_of_accounts_that_are_gone_or_off_are_told() -> None:
    settings = Settings(accounts=(replace(CLOUD, is_enabled=False),))
    found = problems(TierPlan(TIERS, Boundaries()), settings)
    assert "no provider named home" in problems(TierPlan(replace(TIERS, medium=(SMALL,)), Boundaries()), settings)[Tier.MEDIUM]
    assert "Cloud is switched off" in found[Tier.REASONING]


def test_refusal_keeps_the_edits_and_is_shown(room: EngineRoom, page: TiersPage) -> None:
    room.do(lambda: page.band.handles[0].setValue(30))
    room.refuses = ConfigError("The disk is full.", "Free some space.")
    press(room, page, text_setup.SAVE)
    room.until(lambda: "The disk is full. Free some space." in words(page), "the refusal")
    assert page.band.boundaries == Boundaries(30, 50, 75)
    assert text_setup.UNSAVED in words(page)


def test_change_from_elsewhere_does_not_lose_edits(room: EngineRoom, page: TiersPage) -> None:
    room.do(lambda: page.band.handles[0].setValue(30))
    settings = room.bridge.settings
    routing = replace(settings.routing, mode=Mode(ModeKind.DIRECT))
    room.run(room.bridge.change(replace(settings, routing=routing)))
    assert page.band.boundaries == Boundaries(30, 50, 75)
    assert "The mode is Direct: these tiers are not in use." in words(page)
    press(room, page, text_setup.USE_AUTO)
    room.until(lambda: room.bridge.settings.routing.mode == Mode(), "the mode")


def test_one_click_fills_empty_tiers(room: EngineRoom, theme: Theme, qtbot: QtBot) -> None:
    empty = replace(room.bridge.settings, routing=Routing())
    room.run(room.bridge.change(empty))
    page = TiersPage(theme, room.bridge)
    qtbot.addWidget(page)
    room.do(page.show)
    assert page._states.state == "empty"
    press(room, page, presets(empty)[0].title)
    assert page._states.state == "content"
    press(room, page, text_setup.SAVE)
    room.until(lambda: room.bridge.settings.routing.tiers.are_complete, "saving")
    assert room.bridge.settings.routing.tiers.simple[0].account == "home"
    assert room.bridge.settings.routing.tiers.reasoning[0].account == "cloud"


def test_without_accounts_the_built_in_model_is_offered() -> None:
    offered = presets(Settings())
    assert [preset.title for preset in offered] == [text_setup.PRESET_BUILT_IN]
    assert offered[0].account is not None
    assert offered[0].tiers.are_complete


def test_narrow_page_keeps_everything(room: EngineRoom, page: TiersPage) -> None:
    room.do(lambda: page.resize(620, 560))
    spy = QSignalSpy(page.page_wanted)
    assert spy.count() == 0
    columns = list(page.columns.values())
    assert columns[2].y() > columns[0].y(), "two by two"
    assert all(column.width() > 200 for column in columns)
