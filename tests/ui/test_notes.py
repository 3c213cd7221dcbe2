"""What becomes a notification: the kinds that are switched on, once a minute each, few at a time, and none at quiet hours."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from lynkr_desktop.config.settings import Mode, ModeKind, Notifications, Tier, validate
from lynkr_desktop.engine.events import FailedOver, Trouble
from lynkr_desktop.errors import ConfigError
from lynkr_desktop.ui.notes import MANY_SECONDS, MOST, SAME_SECONDS, Notes
from tests.ui.engine_room import EngineRoom, opened
from tests.ui.ledger_desk import SETTINGS

LEDGER = Trouble("ledger", "The disk is full.", "Free some space.")


class Listener:
    """Notes with a clock that stands still until a test moves it."""

    def __init__(self, room: EngineRoom) -> None:
        self.room, self.seconds, self.now = room, 0.0, datetime(2026, 11, 18, 15, 2, tzinfo=UTC)
        self.heard: list[tuple[str, str]] = []
        self.notes = Notes(room.bridge, clock=lambda: self.seconds, day_clock=lambda: self.now)
        self.notes.noted.connect(lambda title, detail: self.heard.append((title, detail)))

    @property
    def titles(self) -> list[str]:
        return [title for title, _ in self.heard]

    def fail_over(self, name: str = "openai:gpt") -> None:
        self.room.bridge.failed_over.emit([FailedOver("1", name, "anthropic:claude", "rate")])

    def use(self, **changes: bool | str) -> None:
        settings = self.room.bridge.settings
        notifications = replace(settings.desktop.notifications, **changes)  # type: ignore[arg-type]
        self.room.run(self.room.bridge.change(replace(settings, desktop=replace(settings.desktop, notifications=notifications))))

    def use_mode(self, mode: Mode) -> None:
        settings = self.room.bridge.settings
        self.room.run(self.room.bridge.change(replace(settings, routing=replace(settings.routing, mode=mode))))


@pytest.fixture
def listener(qapp: QApplication, tmp_path: Path) -> Iterator[Listener]:
    for room in opened_rooms(qapp, tmp_path):
        yield Listener(room)


def opened_rooms(qapp: QApplication, folder: Path) -> Iterator[EngineRoom]:
    with opened(qapp, folder, SETTINGS) as room:
        yield room


def test_each_kind_is_told_and_can_be_switched_off(listener: Listener) -> None:
    trouble = listener.room.bridge.signals.trouble
    budget = Trouble("budget-all-day-10-stop", "The daily budget is 100 % used.", "Requests are refused.")
    listener.fail_over()
    trouble.emit(LEDGER)
    trouble.emit(budget)
    listener.use_mode(Mode(ModeKind.PIN, Tier.SIMPLE))
    assert listener.titles == [
        "anthropic:claude serves instead of openai:gpt",
        "The disk is full.",
        "The daily budget is 100 % used.",
        "Mode: Pin SIMPLE",
    ]
    assert listener.heard[-1][1] == "It was Auto tiers."
    listener.heard.clear()
    listener.seconds += MANY_SECONDS
    listener.use(failover=False, budget=False, trouble=False, mode=False)
    listener.fail_over()
    trouble.emit(LEDGER)
    trouble.emit(budget)
    listener.use_mode(Mode())
    assert listener.heard == []


def test_the_same_is_told_once_a_minute_and_again_once_it_was_over(listener: Listener) -> None:
    trouble = listener.room.bridge.signals.trouble
    for _ in range(3):
        trouble.emit(LEDGER)
    assert len(listener.heard) == 1
    trouble.emit(Trouble("ledger", "", is_over=True))
    trouble.emit(LEDGER)
    assert len(listener.heard) == 2
    listener.seconds += SAME_SECONDS
    trouble.emit(LEDGER)
    assert len(listener.heard) == 3


def test_a_storm_is_cut_off(listener: Listener) -> None:
    for number in range(3 * MOST):
        listener.fail_over(f"openai:{number}")
    assert len(listener.heard) == MOST
    listener.seconds += MANY_SECONDS
    listener.fail_over("openai:later")
    assert len(listener.heard) == MOST + 1


def test_nothing_is_told_at_quiet_hours(listener: Listener) -> None:
    listener.use(quiet_from="22:00", quiet_until="07:00")
    for number, (hour, is_told) in enumerate(((21, True), (22, False), (2, False), (6, False), (7, True))):
        listener.seconds += MANY_SECONDS
        listener.now = datetime(2026, 11, 18, hour, 0, tzinfo=UTC)
        listener.fail_over(f"openai:{number}")
        assert bool(listener.heard) == is_told, hour
        listener.heard.clear()


def test_a_mode_chosen_in_the_open_window_is_no_news(listener: Listener) -> None:
    listener.notes.is_watched = lambda: True
    listener.use_mode(Mode(ModeKind.PIN, Tier.SIMPLE))
    assert listener.heard == []


@pytest.mark.parametrize(
    ("start", "end", "quiet", "loud"),
    [("12:00", "13:30", (720, 809), (719, 810)), ("22:00", "7:00", (1320, 0, 419), (420, 1319)), ("", "7:00", (), (0, 400))],
)
def test_quiet_hours_may_go_over_midnight(start: str, end: str, quiet: tuple[int, ...], loud: tuple[int, ...]) -> None:
    hours = Notifications(quiet_from=start, quiet_until=end)
    assert all(map(hours.is_quiet, quiet))
    assert not any(map(hours.is_quiet, loud))


@pytest.mark.parametrize("clock", ["24:00", "9", "7:60", "noon", "٢٢:٠٠"])
def test_what_is_no_time_of_day_is_refused(clock: str) -> None:
    desktop = replace(SETTINGS.desktop, notifications=Notifications(quiet_from=clock))
    with pytest.raises(ConfigError, match="no time of day"):
        validate(replace(SETTINGS, desktop=desktop))
