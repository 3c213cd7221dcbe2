"""The first start: four steps, each skippable. What is here, a provider, tiers, a program. A page, never in the way."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Account, Mode, Settings
from lynkr_desktop.engine.api import LocalServer, ProbeResult
from lynkr_desktop.engine.events import Exchange
from lynkr_desktop.engine.providers import catalogue
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text, text_setup
from lynkr_desktop.ui import text_clients as words
from lynkr_desktop.ui.client_guides import GUIDES
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.account_edits import address_of, free_id, with_account
from lynkr_desktop.ui.pages.account_form import AccountForm
from lynkr_desktop.ui.pages.client_card import ClientCard
from lynkr_desktop.ui.pages.clients import Find, find_here
from lynkr_desktop.ui.pages.providers import OfferRow
from lynkr_desktop.ui.pages.tier_draft import Preset, presets
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.notice import Notice
from lynkr_desktop.ui.widgets.page_scroll import PageScroll

_WIDTH: Final = 684
_HEIGHT: Final = 640
FOUND, PROVIDER, TIERS, PROGRAM = range(4)


class WelcomePage(QWidget):
    """`finished` comes when the user is through, or skips the rest. `find` looks for programs, in a worker thread."""

    finished = Signal()

    def __init__(
        self, theme: Theme, desk: Desk, premises: Premises, *, find: Find = find_here, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._desk, self._premises, self._find = desk, premises, find
        self._found: Mapping[str, str] = {}
        self._programs = Latest[Mapping[str, str]](desk, "look for programs", self._show_programs, lambda _: None)
        self._servers = Latest[tuple[LocalServer, ...]](desk, "look for local servers", self._show_servers, lambda _: None)
        self.setProperty("kind", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._step = Label("", LabelKind.STRONG)
        self._words = Label("", LabelKind.MUTED, wraps=True)
        self._notice = Notice(theme)
        self.back = Button(words.BACK)
        self.skip = Button(words.SKIP_ALL, ButtonKind.QUIET)
        self.next = Button(words.NEXT, ButtonKind.PRIMARY)
        self.back.clicked.connect(lambda: self.show_step(self.step - 1))
        self.skip.clicked.connect(self.finished)
        self.next.clicked.connect(self._go_on)
        self.form = AccountForm(theme, desk)
        self.form.passed.connect(lambda account, key, result: desk.spawn(self._save(account, key, result), "save a provider"))
        self.form.cancelled.connect(self._go_on)  # Escape
        self._added = Label("", LabelKind.GOOD, wraps=True)
        self.card = ClientCard(theme, desk, premises)
        self.program = Choice(theme, words.PROGRAM)
        self.program.chosen.connect(self._choose_program)
        self.arrival = Label("", LabelKind.GOOD, wraps=True)
        self._stack = QStackedWidget()
        for page in (self._found_step(), self._provider_step(), self._tiers_step(), self._program_step()):
            self._stack.addWidget(page)
        self._lay_out()
        desk.signals.exchange_finished.connect(self._hear)
        desk.signals.settings_changed.connect(self._show_presets)
        self.show_step(FOUND)

    # ------------------------------------------------------------ building

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, SPACE_24, 0)
        head.addWidget(Label(words.WELCOME, LabelKind.TITLE), 1)
        head.addWidget(self.skip)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, SPACE_24, 0)
        foot.setSpacing(SPACE_8)
        foot.addWidget(self.back)
        foot.addStretch(1)
        foot.addWidget(self.next)
        column = QWidget()
        column.setMaximumSize(_WIDTH, _HEIGHT)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        inside = QVBoxLayout(column)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(SPACE_12)
        inside.addLayout(head)
        inside.addWidget(self._step)
        inside.addWidget(self._words)
        inside.addWidget(self._notice)
        inside.addWidget(self._stack, 1)
        inside.addLayout(foot)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_16, 0, SPACE_24)
        layout.addStretch(1)
        layout.addWidget(column, 100)
        layout.addStretch(1)
        self.form.drop_cancel()
        self.form.setMaximumWidth(_WIDTH)

    def _found_step(self) -> QWidget:
        self._built_in = Label("", LabelKind.BODY, wraps=True)
        self._programs_line = Label("", LabelKind.BODY, wraps=True)
        self._servers_line = Label(words.SEARCHING, LabelKind.BODY, wraps=True)
        self._keys_line = Label("", LabelKind.BODY, wraps=True)
        self._server_rows, self._key_rows = QVBoxLayout(), QVBoxLayout()
        layout = QVBoxLayout()
        layout.setSpacing(SPACE_12)
        layout.addWidget(self._built_in)
        layout.addWidget(self._programs_line)
        layout.addWidget(self._servers_line)
        layout.addLayout(self._server_rows)
        layout.addWidget(self._keys_line)
        layout.addLayout(self._key_rows)
        layout.addStretch(1)
        return PageScroll(layout)

    def _provider_step(self) -> QWidget:
        layout = QVBoxLayout()
        layout.setSpacing(SPACE_12)
        layout.addWidget(self.form)
        layout.addStretch(1)
        return PageScroll(layout)

    def _tiers_step(self) -> QWidget:
        self._preset_rows = QVBoxLayout()
        self._preset_rows.setSpacing(SPACE_8)
        self._no_presets = Label(words.NO_PRESETS, LabelKind.BODY, wraps=True)
        self._tiers_line = Label("", LabelKind.GOOD, wraps=True)
        layout = QVBoxLayout()
        layout.setSpacing(SPACE_12)
        layout.addWidget(self._added)
        layout.addWidget(self._no_presets)
        layout.addLayout(self._preset_rows)
        layout.addWidget(self._tiers_line)
        layout.addStretch(1)
        return PageScroll(layout)

    def _program_step(self) -> QWidget:
        layout = QVBoxLayout()
        layout.setSpacing(SPACE_12)
        layout.addWidget(self.program)
        layout.addWidget(self.arrival)
        layout.addWidget(self.card)
        layout.addStretch(1)
        return PageScroll(layout)

    # ------------------------------------------------------------ steps

    @property
    def step(self) -> int:
        """Which step is shown: FOUND, PROVIDER, TIERS or PROGRAM."""
        return self._stack.currentIndex()

    def show_step(self, step: int) -> None:
        """Show a step."""
        self._stack.setCurrentIndex(step)
        self._step.setText(words.step_title(step))
        self._words.setText(words.STEP_WORDS[step])
        self._notice.say("")
        self.back.setVisible(step > FOUND)
        self.next.setText(words.FINISH if step == PROGRAM else words.SKIP_STEP if step == PROVIDER else words.NEXT)
        self.next.set_kind(ButtonKind.PLAIN if step == PROVIDER else ButtonKind.PRIMARY)
        if step == PROVIDER:
            self.form.add(self._desk.settings)
        self._show_presets()
        self.arrival.setVisible(bool(self.arrival.text()))
        self._added.setVisible(bool(self._added.text()))

    def _go_on(self) -> None:
        if self.step == PROGRAM:
            self.finished.emit()
        else:
            self.show_step(self.step + 1)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Look around."""
        super().showEvent(event)
        self.setFocus()  # else the first button wears the focus ring before anybody asked
        self._programs.ask(asyncio.to_thread(self._find))
        self._servers.ask(self._desk.discover())
        self._show_settings()
        self._show_keys()

    # ------------------------------------------------------------ what is here

    def _show_settings(self) -> None:
        accounts = self._desk.settings.accounts
        is_ready = any((entry := catalogue.provider(each.provider)) is not None and entry.is_embedded for each in accounts)
        self._built_in.setText(words.BUILT_IN_READY if is_ready else words.BUILT_IN_MISSING)

    def _show_programs(self, found: Mapping[str, str]) -> None:
        self._found = found
        titles = [guide.title for guide in GUIDES if guide.id in found]
        self._programs_line.setText(words.programs_found(titles))
        ordered = sorted(GUIDES, key=lambda guide: guide.id not in found)
        self.program.offer([(guide.id, guide.title) for guide in ordered], self.program.key)
        self._choose_program(self.program.key)

    def _show_servers(self, servers: Sequence[LocalServer]) -> None:
        used = {address_of(account) for account in self._desk.settings.accounts}
        new = [server for server in servers if server.base_url not in used]
        self._servers_line.setText("" if servers else words.NO_SERVERS)
        self._servers_line.setVisible(not servers)
        _clear(self._server_rows)
        for server in new:
            row = OfferRow(text_setup.found_server(server), text_setup.ADD)
            row.pressed.connect(lambda server=server, row=row: self._desk.spawn(self._add_server(server, row), "add a server"))
            self._server_rows.addWidget(row)

    def _show_keys(self) -> None:
        keys = self._premises.keys_found()
        self._keys_line.setText("" if keys else words.NO_KEYS)
        self._keys_line.setVisible(not keys)
        _clear(self._key_rows)
        for variable, provider in keys:
            entry = catalogue.provider(provider)
            row = OfferRow(words.key_found(variable, entry.title if entry else provider), words.USE)
            row.pressed.connect(lambda variable=variable, row=row: self._desk.spawn(self._add_key(variable, row), "use a key"))
            self._key_rows.addWidget(row)

    async def _add_server(self, server: LocalServer, row: OfferRow) -> None:
        model = server.models[0] if server.models else ""
        settings = self._desk.settings
        account = Account(free_id(server.provider, settings), server.provider, base_url=server.base_url, model=model)
        if await self._change(with_account(settings, account)):
            _mark_used(row)

    async def _add_key(self, variable: str, row: OfferRow) -> None:
        try:
            found = self._premises.read_key(variable, self._desk.settings)
        except LynkrError as error:
            self._notice.say(say_back(error.title), say_back(error.detail))
            return
        wanted = found.settings
        for account in wanted.accounts:
            wanted = with_account(wanted, account)
        if not await self._change(wanted):
            return
        for account_id, key in found.secrets.items():
            await self._desk.set_key(account_id, key.reveal())
        _mark_used(row)

    # ------------------------------------------------------------ provider and tiers

    async def _save(self, account: Account, keys: Mapping[str, str], result: ProbeResult | None) -> None:
        if not await self._change(with_account(self._desk.settings, account)):
            return
        for key_id, key in keys.items():
            await self._desk.set_key(account.ref(key_id), key)
        self._added.setText(text_setup.probe_words(result) if result is not None else words.ADDED)
        self.show_step(TIERS)

    def _show_presets(self) -> None:
        """Offer what can be chosen now; what is chosen is marked."""
        _clear(self._preset_rows)
        settings = self._desk.settings
        offered = presets(settings)
        self._no_presets.setVisible(not offered)
        chosen = ""
        for preset in offered:
            if preset.tiers == settings.routing.tiers:
                chosen = chosen or preset.title
            button = Button(preset.title)
            button.setCheckable(True)
            button.setChecked(preset.tiers == settings.routing.tiers)
            button.clicked.connect(lambda _=False, preset=preset: self._desk.spawn(self._use(preset), "use a preset"))
            self._preset_rows.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self._tiers_line.setText(words.tiers_chosen(chosen) if chosen else "")
        self._tiers_line.setVisible(bool(chosen))

    async def _use(self, preset: Preset) -> None:
        settings = self._desk.settings
        if preset.account is not None:
            settings = replace(settings, accounts=(*settings.accounts, preset.account))
        routing = replace(settings.routing, tiers=preset.tiers, mode=Mode())
        await self._change(replace(settings, routing=routing))
        self._show_presets()

    async def _change(self, settings: Settings) -> bool:
        try:
            await self._desk.change(settings)
        except LynkrError as error:
            self._notice.say(say_back(error.title), say_back(error.detail))
            return False
        self._notice.say("")
        return True

    # ------------------------------------------------------------ a program

    def _choose_program(self, client: str) -> None:
        guide = next((guide for guide in GUIDES if guide.id == client), GUIDES[0])
        self.card.show_guide(guide, self._found.get(guide.id, ""), None)

    def _hear(self, exchanges: Sequence[Exchange]) -> None:
        last = exchanges[-1]
        self.arrival.setText(words.arrived(text.client_title(last.client), last))
        self.arrival.show()
        self.arrival.set_kind(LabelKind.BAD if last.error else LabelKind.GOOD)
        guide = next((guide for guide in GUIDES if guide.id == last.client), None)
        if guide is not None:
            self.program.choose(guide.id)
            self.card.show_guide(guide, self._found.get(guide.id, ""), last)


def _clear(rows: QVBoxLayout) -> None:
    while (item := rows.takeAt(0)) is not None:
        if (row := item.widget()) is not None:
            row.hide()
            row.deleteLater()


def _mark_used(row: OfferRow) -> None:
    row.button.setText(words.USED)
    row.button.setEnabled(False)
