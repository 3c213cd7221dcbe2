"""A row of small buttons for how far back a chart goes. Knows no chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from lynkr_desktop.ui import text
from lynkr_desktop.ui.theme import SPACE_8
from lynkr_desktop.ui.widgets.button import Button, ButtonKind

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Span:
    """How far back a chart goes, and in how many bars."""

    length_ms: int
    bars: int


SPANS: Final = {
    "1h": Span(_HOUR_MS, 30),
    "24h": Span(24 * _HOUR_MS, 24),
    "7d": Span(7 * 24 * _HOUR_MS, 28),
    "30d": Span(30 * 24 * _HOUR_MS, 30),
}


class SpanSwitch(QWidget):
    """Offers some of `SPANS`; `chosen` comes when the user takes another one."""

    chosen = Signal(str)

    def __init__(self, key: str, keys: Sequence[str] = tuple(SPANS), about: str = "") -> None:
        super().__init__()
        self.key = key
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_8)
        for each in keys:
            button = Button(text.SPANS[each], ButtonKind.SWITCH)
            button.setAccessibleName(f"{about}: {text.SPAN_NAMES[each]}" if about else text.SPAN_NAMES[each])
            button.setChecked(each == key)
            button.clicked.connect(lambda _=False, each=each: self._choose(each))
            self._group.addButton(button)
            layout.addWidget(button)

    @property
    def span(self) -> Span:
        """What is chosen."""
        return SPANS[self.key]

    def _choose(self, key: str) -> None:
        self.key = key
        self.chosen.emit(key)
