"""One program: is it here, what to paste into it, and has its first request arrived. Edits nothing of the program's."""

import sys
import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import text_clients as words
from lynkr_desktop.ui.client_guides import Guide, Step
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say
from lynkr_desktop.ui.pages.program_token import ProgramTokenRow
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, Theme
from lynkr_desktop.ui.widgets.button import Button
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.code_block import CodeBlock
from lynkr_desktop.ui.widgets.health import SIZE, health_sign
from lynkr_desktop.ui.widgets.label import Label, LabelKind


def clock_ms() -> float:
    """Now, in milliseconds since 1970."""
    return time.time() * 1000


class ClientCard(Card):
    """Shows one program at a time; `exchange_wanted` carries the id of its last request. `now_ms` is the clock."""

    exchange_wanted = Signal(str)

    def __init__(self, theme: Theme, desk: Desk, premises: Premises, now_ms: Callable[[], float] = clock_ms) -> None:
        super().__init__(" ")
        self._theme, self._desk, self._premises, self._now_ms = theme, desk, premises, now_ms
        self._guide: Guide | None = None
        self._shown: tuple[str, str, bool, bool] | None = None
        self._seen: Exchange | None = None
        self._sign = Label()
        self._sign.setFixedSize(QSize(SIZE, SIZE))
        self.state = Label("", LabelKind.BODY, wraps=True)
        self._why = Button(words.SHOW_REQUEST)
        self._why.clicked.connect(self._show_request)
        self._found = Label("", LabelKind.SMALL, wraps=True)
        self._obstacle = Label("", LabelKind.WARNING, wraps=True)
        self._hint = Label("", LabelKind.SMALL, wraps=True)
        self.token_row = ProgramTokenRow(desk, premises)
        self.token_row.changed.connect(self._show_steps)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._blocks = QVBoxLayout()
        self._blocks.setSpacing(SPACE_16)
        first = QHBoxLayout()
        first.setSpacing(SPACE_8)
        first.addWidget(self._sign)
        first.addWidget(self.state, 1)
        first.addWidget(self._why)
        self.body.setSpacing(SPACE_12)
        self.body.addLayout(first)
        self.body.addWidget(self._found)
        self.body.addWidget(self._obstacle)
        self.body.addWidget(self.token_row)
        self.body.addLayout(self._blocks)
        self.body.addWidget(self._hint)
        theme.changed.connect(self._show_state)
        premises.token_changed.connect(self._show_steps)
        desk.signals.snapshot_changed.connect(self._show_steps)

    def show_guide(self, guide: Guide, found: str, last: Exchange | None) -> None:
        """Show a program: where it was found (empty: not), and its last request."""
        is_other = guide is not self._guide
        self._guide, self._seen = guide, last
        self.set_title(guide.title)
        self._found.setText(words.found_at(found) if found else words.NOT_FOUND)
        self._found.setVisible(not guide.is_library)
        self._hint.setText(say(guide.note) if guide.note else "")
        self._hint.setVisible(bool(guide.note))
        if is_other:
            self._shown = None
            self.token_row.show_program(guide.id)
        self._show_steps()
        self._show_state()

    @property
    def blocks(self) -> list[CodeBlock]:
        """What can be copied."""
        found = (self._blocks.itemAt(index) for index in range(self._blocks.count()))
        return [block for item in found if item is not None and isinstance(block := item.widget(), CodeBlock)]

    def _show_state(self) -> None:
        last = self._seen
        state = "unknown" if last is None else "failing" if last.error else "healthy"
        self._sign.setPixmap(health_sign(self._theme.palette, state, self.devicePixelRatioF()))
        self.state.setText(words.WAITING if last is None else words.seen(last, self._now_ms()))
        self.state.set_kind(LabelKind.MUTED if last is None else LabelKind.BAD if last.error else LabelKind.GOOD)
        self._why.setVisible(last is not None)

    def _show_steps(self) -> None:
        """Make the steps anew where the address changed, or where the token came."""
        if self._guide is None:
            return
        url, has_token = self._desk.snapshot().url, bool(self._premises.token.reveal())
        can_copy = bool(self._token())
        if (self._guide.id, url, has_token, can_copy) == self._shown:
            return
        self._shown = (self._guide.id, url, has_token, can_copy)
        obstacle = words.NOT_SERVING if not url else words.NO_TOKEN_YET if not has_token else ""
        self._obstacle.setText(obstacle)
        self._obstacle.setVisible(bool(obstacle))
        for block in self.blocks:
            self._blocks.removeWidget(block)
            block.hide()
            block.deleteLater()
        for step in self._guide.steps if url else ():
            block = CodeBlock(
                say(step.where),
                step.text(url, words.HIDDEN_TOKEN, is_powershell=_is_windows()),
                partial(self._whole, step, url),
            )
            block.copy.setEnabled(can_copy)
            self._blocks.addWidget(block)

    def _whole(self, step: Step, url: str) -> str:
        return step.text(url, self._token(), is_powershell=_is_windows())

    def _token(self) -> str:
        """What the program must show; empty if it is not known."""
        token = self.token_row.token
        return token.reveal() if token is not None else ""

    def _show_request(self) -> None:
        if self._seen is not None:
            self.exchange_wanted.emit(self._seen.id)


def _is_windows() -> bool:
    return sys.platform == "win32"
