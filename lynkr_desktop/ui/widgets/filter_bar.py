"""The Activity page's filters: tier, program, time, failed only, and a text. Turns them into a query; asks nothing."""

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup, QIcon
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.ui import text
from lynkr_desktop.ui.theme import SPACE_8, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.icons import pixmap
from lynkr_desktop.ui.widgets.pills import MenuPill

_HOUR_MS: Final = 3_600_000
_TIMES: Final = {"": 0, "1h": _HOUR_MS, "24h": 24 * _HOUR_MS, "7d": 7 * 24 * _HOUR_MS, "30d": 30 * 24 * _HOUR_MS}


class FilterBar(QWidget):
    """`changed` follows a choice, `typed` each letter of the text."""

    changed = Signal()
    typed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tier, self._client, self._time = MenuPill(theme), MenuPill(theme), MenuPill(theme)
        self._failed = Button(text.FAILED_ONLY, ButtonKind.PILL)
        self._failed.setCheckable(True)
        self._text = QLineEdit()
        self._text.setProperty("kind", "pill")
        self._text.setPlaceholderText(text.FILTER)
        self._text.setToolTip(text.FILTER_HINT)
        self._text.setAccessibleName(text.FILTER_HINT)
        self._text.setClearButtonEnabled(True)
        self._text.setMinimumWidth(90)
        self._text.setMaximumWidth(240)
        self._glass = QAction(self._text)
        self._text.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._tiers = {tier.value: _checkable(self._tier, tier.value) for tier in TIERS}
        self._clients: dict[str, QAction] = {}
        self._times = {key: _checkable(self._time, text.SPAN_NAMES.get(key, text.ANY_TIME)) for key in _TIMES}
        group = QActionGroup(self)
        for action in self._times.values():
            group.addAction(action)
        self._times[""].setChecked(True)
        self._lay_out()
        for action in (*self._tiers.values(), *self._times.values()):
            action.triggered.connect(self._choose)
        self._failed.clicked.connect(self._choose)
        self._text.textEdited.connect(self.typed)
        self._text.textChanged.connect(self._note_cleared)
        theme.changed.connect(self._recolour)
        self._recolour()
        self._name_pills()

    def query(self, now_ms: float) -> ActivityQuery:
        """What the filters let through."""
        length = _TIMES[self._chosen_time]
        return ActivityQuery(
            text=self._text.text().strip(),
            tiers=_checked(self._tiers),
            clients=_checked(self._clients),
            only_failed=self._failed.isChecked(),
            since_ms=round(now_ms - length) if length else 0,
        )

    @property
    def is_active(self) -> bool:
        """Is anything filtered?"""
        return self.query(0) != ActivityQuery()

    def offer_clients(self, clients: Iterable[str]) -> None:
        """Let the user choose these programs too."""
        for client in sorted(set(clients) - set(self._clients)):
            action = self._clients[client] = _checkable(self._client, text.client_title(client))
            action.triggered.connect(self._choose)

    def focus_text(self) -> None:
        """Put the keyboard into the text."""
        self._text.setFocus()
        self._text.selectAll()

    def clear(self) -> None:
        """Let everything through."""
        for action in (*self._tiers.values(), *self._clients.values()):
            action.setChecked(False)
        self._times[""].setChecked(True)
        self._failed.setChecked(False)
        self._text.setText("")
        self._choose()

    @property
    def _chosen_time(self) -> str:
        return next(key for key, action in self._times.items() if action.isChecked())

    def _choose(self) -> None:
        self._name_pills()
        self.changed.emit()

    def _note_cleared(self, words: str) -> None:
        if not words:
            self.typed.emit()

    def _name_pills(self) -> None:
        self._tier.setText(text.tier_filter(_checked(self._tiers)))
        self._client.setText(text.client_filter(_checked(self._clients)))
        self._time.setText(text.SPAN_NAMES.get(self._chosen_time, text.ANY_TIME))

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_8)
        for pill in (self._tier, self._client, self._time, self._failed):
            layout.addWidget(pill)
        layout.addStretch(1)
        layout.addWidget(self._text, 2)

    def _recolour(self) -> None:
        self._glass.setIcon(QIcon(pixmap("search", self._theme.palette.muted, 16, self.devicePixelRatioF())))


def _checkable(pill: MenuPill, words: str) -> QAction:
    action = pill.choices.addAction(words)
    action.setCheckable(True)
    return action


def _checked(actions: dict[str, QAction]) -> tuple[str, ...]:
    return tuple(key for key, action in actions.items() if action.isChecked())
