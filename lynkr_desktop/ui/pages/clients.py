"""The Clients page: the programs at the left, what connects the chosen one at the right. Edits no file of theirs."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from lynkr_desktop.engine.api import ActivityQuery
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.ui import text
from lynkr_desktop.ui import text_clients as words
from lynkr_desktop.ui.client_guides import GUIDES, Guide, find_programs
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.client_card import ClientCard, clock_ms
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.health import SIZE, health_sign
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.page_scroll import PageScroll

_LIST_WIDTH: Final = 200
Find = Callable[[], Mapping[str, str]]


def find_here() -> Mapping[str, str]:
    """The programs of this machine. Blocks."""
    return find_programs(Path.home(), os.environ.get("PATH", ""))


class ClientsPage(QWidget):
    """`exchange_wanted` carries the id of a request to explain. `find` looks for programs, in a worker thread."""

    exchange_wanted = Signal(str)

    def __init__(
        self,
        theme: Theme,
        desk: Desk,
        premises: Premises,
        *,
        find: Find = find_here,
        now_ms: Callable[[], float] = clock_ms,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._desk = theme, desk
        self._seen: dict[str, Exchange] = {}
        self._found: Mapping[str, str] = {}
        self._chosen = GUIDES[0].id
        self._find = find
        self._programs = Latest[Mapping[str, str]](desk, "look for programs", self._show_found, lambda _: None)
        self._last = Latest[dict[str, Exchange]](desk, "read the programs' last requests", self._show_last, lambda _: None)
        self.setProperty("kind", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.card = ClientCard(theme, desk, premises, now_ms)
        self.card.exchange_wanted.connect(self.exchange_wanted)
        self._group = QButtonGroup(self)
        self.rows = {guide.id: self._row(guide) for guide in GUIDES}
        self._heads = [Label(title, LabelKind.SMALL) for title in (words.ON_THIS_MACHINE, words.OTHER_PROGRAMS, words.LIBRARIES)]
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._lay_out()
        desk.signals.exchange_finished.connect(self._hear)
        theme.changed.connect(self._show_rows)
        self._arrange()
        self.choose(self._chosen)

    def _row(self, guide: Guide) -> Button:
        row = Button(f"  {guide.title}", ButtonKind.NAV)
        row.setIconSize(QSize(SIZE, SIZE))
        row.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row.clicked.connect(lambda: self.choose(guide.id))
        self._group.addButton(row)
        return row

    def _lay_out(self) -> None:
        programs = QWidget()
        programs.setProperty("kind", "bare")
        programs.setLayout(self._list)
        self._list.setContentsMargins(0, 0, SPACE_8, SPACE_24)
        side = QScrollArea()
        side.setFixedWidth(_LIST_WIDTH)
        side.setWidget(programs)
        side.setWidgetResizable(True)
        side.setFrameShape(QScrollArea.Shape.NoFrame)
        side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QVBoxLayout()
        content.addWidget(self.card)
        content.addStretch(1)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(SPACE_16)
        below.addWidget(side)
        below.addWidget(PageScroll(content), 1)
        title = Label(text.CLIENTS, LabelKind.TITLE)
        title.setMinimumHeight(31)  # as high as the buttons in other pages' headers
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_16, 0, 0)
        layout.setSpacing(SPACE_12)
        layout.addWidget(title)
        layout.addLayout(below, 1)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Look again which programs are here and what they sent."""
        super().showEvent(event)
        self.setFocus()  # else the first row wears the focus ring before anybody asked
        self._programs.ask(asyncio.to_thread(self._find))
        self._last.ask(self._last_requests())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Up and down choose another program."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        order = self._order()
        place = order.index(self._chosen) + step
        self.choose(order[max(0, min(place, len(order) - 1))])

    def choose(self, client: str) -> None:
        """Show another program."""
        self._chosen = client
        guide = next(guide for guide in GUIDES if guide.id == client)
        self.rows[client].setChecked(True)
        self.card.show_guide(guide, self._found.get(client, ""), self._seen.get(client))

    # ------------------------------------------------------------ showing

    async def _last_requests(self) -> dict[str, Exchange]:
        found: dict[str, Exchange] = {}
        for guide in GUIDES:
            for exchange in await self._desk.activity(ActivityQuery(clients=(guide.id,), limit=1)):
                found[guide.id] = exchange
        return found

    def _show_last(self, found: dict[str, Exchange]) -> None:
        newer = {client: last for client, last in self._seen.items() if client not in found or last.id > found[client].id}
        self._seen = {**found, **newer}  # the ledger may not have written what came just now
        self._show_rows()

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        """Requests that came just now."""
        self._seen |= {exchange.client: exchange for exchange in exchanges}
        self._show_rows()

    def _show_found(self, found: Mapping[str, str]) -> None:
        is_first = not self._found
        self._found = found
        self._arrange()
        if is_first and self._chosen == GUIDES[0].id:
            self._chosen = self._order()[0]
        self._show_rows()

    def _order(self) -> list[str]:
        return [guide.id for group in self._groups() for guide in group]

    def _groups(self) -> tuple[list[Guide], list[Guide], list[Guide]]:
        here = [guide for guide in GUIDES if guide.id in self._found]
        libraries = [guide for guide in GUIDES if guide.is_library]
        return here, [guide for guide in GUIDES if guide not in here and guide not in libraries], libraries

    def _arrange(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
        for head, guides in zip(self._heads, self._groups(), strict=True):
            if guides:
                self._list.addWidget(head)
                head.setContentsMargins(SPACE_8, SPACE_8 if head is not self._heads[0] else 0, 0, 2)
                head.show()
            for guide in guides:
                self._list.addWidget(self.rows[guide.id])
                self.rows[guide.id].show()
        self._list.addStretch(1)

    def _show_rows(self) -> None:
        ratio = self.devicePixelRatioF()
        for guide in GUIDES:
            last = self._seen.get(guide.id)
            state = "unknown" if last is None else "failing" if last.error else "healthy"
            self.rows[guide.id].setIcon(QIcon(health_sign(self._theme.palette, state, ratio)))
            self.rows[guide.id].setAccessibleName(words.row_name(guide.title, is_seen=last is not None))
        self.choose(self._chosen)
