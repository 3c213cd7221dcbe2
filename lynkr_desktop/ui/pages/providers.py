"""The Providers page: a card for each account, local servers that were found, and the form. Changes go through the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSpacerItem, QStackedWidget, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Account, AccountKey, ModeKind, Settings, Target
from lynkr_desktop.engine.api import AccountState, LocalServer, ProbeResult
from lynkr_desktop.errors import FailureKind, LynkrError
from lynkr_desktop.ui import text, text_setup
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.account_card import AccountCard, ShownAccount, ShownKey
from lynkr_desktop.ui.pages.account_edits import address_of, free_id, lost_refs, provider_of, with_account, without_account
from lynkr_desktop.ui.pages.account_form import AccountForm
from lynkr_desktop.ui.pages.tier_draft import account_title, model_of
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.notice import Notice
from lynkr_desktop.ui.widgets.page_scroll import PageScroll
from lynkr_desktop.ui.widgets.states import StateStack

_TWO_COLUMNS_FROM: Final = 760  # pixels of width
_UNDO_MS: Final = 20_000


class OfferRow(QFrame):
    """One sentence with one button."""

    pressed = Signal()

    def __init__(self, words: str, button: str) -> None:
        super().__init__()
        self.setProperty("kind", "inset")
        self.words = Label(words, wraps=True)
        self.button = Button(button)
        self.button.clicked.connect(self.pressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_16, SPACE_8, SPACE_8, SPACE_8)
        row.setSpacing(SPACE_12)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)


class ProvidersPage(QWidget):
    """Accounts: see, test, add, edit, switch off, remove with undo."""

    page_wanted = Signal(str)

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._desk = desk
        self._cards: dict[str, AccountCard] = {}
        self._model_counts: dict[str, int] = {}
        self._found: tuple[LocalServer, ...] = ()
        self._offered: tuple[LocalServer, ...] = ()
        self._arranged: tuple[int, list[str]] = (0, [])
        self._discovery = Latest[tuple[LocalServer, ...]](desk, "look for local servers", self._show_found, lambda _: None)
        self.setProperty("kind", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.add_button = Button(text_setup.ADD_PROVIDER, ButtonKind.PRIMARY)
        self.add_button.clicked.connect(self.open_form)
        self._notice = Notice(theme)
        self.undo_row = OfferRow("", text_setup.UNDO)
        self.undo_row.pressed.connect(lambda: desk.spawn(self._undo(), "undo a removal"))
        self.undo_row.hide()
        self._undo_end = QTimer(self, singleShot=True, interval=_UNDO_MS)
        self._undo_end.timeout.connect(self.undo_row.hide)
        self._found_box = QWidget()
        self._found_rows = QVBoxLayout(self._found_box)
        self._found_rows.setContentsMargins(0, 0, 0, 0)
        self._found_rows.setSpacing(SPACE_8)
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACE_12)
        self._states = StateStack(self._list(), text.LOADING)
        self._states.pressed.connect(lambda _: self.open_form())
        self.form = AccountForm(theme, desk)
        self.form.cancelled.connect(self._close_form)
        self.form.passed.connect(self._form_passed)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._states)
        self._stack.addWidget(self._form_area())
        self._lay_out()
        desk.signals.settings_changed.connect(self._show_accounts)
        desk.signals.snapshot_changed.connect(self._show_accounts)
        self._show_accounts()

    # ------------------------------------------------------------ building

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(0, 0, SPACE_24, 0)
        header.addWidget(Label(text.PROVIDERS, LabelKind.TITLE))
        header.addSpacerItem(QSpacerItem(0, self.add_button.sizeHint().height()))
        header.addStretch(1)
        header.addWidget(self.add_button)
        strips = QVBoxLayout()
        strips.setContentsMargins(0, 0, SPACE_24, 0)
        strips.setSpacing(SPACE_8)
        strips.addWidget(self._notice)
        strips.addWidget(self.undo_row)
        strips.addWidget(self._found_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_16, 0, 0)
        layout.setSpacing(SPACE_12)
        layout.addLayout(header)
        layout.addLayout(strips)
        layout.addWidget(self._stack, 1)

    def _list(self) -> PageScroll:
        layout = QVBoxLayout()
        layout.addLayout(self._grid)
        layout.addStretch(1)
        return PageScroll(layout)

    def _form_area(self) -> PageScroll:
        layout = QVBoxLayout()
        layout.addWidget(self.form)
        layout.addStretch(1)
        return PageScroll(layout)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Two cards beside each other where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Look for local servers, and count the models of accounts that have not been counted."""
        super().showEvent(event)
        self.setFocus()  # else the first button wears the focus ring before anybody asked
        self._discovery.ask(self._desk.discover())
        for account in self._desk.settings.accounts:
            if account.is_enabled and account.id not in self._model_counts:
                self._desk.spawn(self._count_models(account.id), "count models")

    def _arrange(self) -> None:
        across = 2 if self.width() >= _TWO_COLUMNS_FROM else 1
        order = [account.id for account in self._desk.settings.accounts if account.id in self._cards]
        if self._arranged == (across, order):
            return
        self._arranged = (across, order)
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < across else 0)
        for number, account_id in enumerate(order):
            self._grid.addWidget(self._cards[account_id], number // across, number % across)

    # ------------------------------------------------------------ showing

    @property
    def cards(self) -> dict[str, AccountCard]:
        """The cards by account id."""
        return self._cards

    def _show_accounts(self) -> None:
        settings = self._desk.settings
        known = {account.id for account in settings.accounts}
        for gone in set(self._cards) - known:
            card = self._cards.pop(gone)
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
            self._model_counts.pop(gone, None)
        for account in settings.accounts:
            if account.id not in self._cards:
                self._cards[account.id] = self._new_card(account.id)
            self._cards[account.id].show_account(self._shown(account, settings))
        self._arrange()
        if settings.accounts:
            self._states.show_content()
        else:
            self._states.show_empty(text_setup.PROVIDERS_EMPTY, text_setup.PROVIDERS_EMPTY_DETAIL, text_setup.ADD_PROVIDER)
        self._show_found(self._found)

    def _shown(self, account: Account, settings: Settings) -> ShownAccount:
        entry = provider_of(account)
        state = next((each for each in self._desk.snapshot().accounts if each.id == account.id), None)
        direct, mode = settings.routing.direct, settings.routing.mode
        return ShownAccount(
            account=account,
            title=text_setup.card_title(account_title(account), entry.title if entry else account.provider),
            state=state,
            key_line=text_setup.key_line(entry, self._hints(account), self._desk.key_place()),
            model=model_of(account) or text_setup.NO_MODEL,
            address=address_of(account) or text_setup.own_place(entry),
            models=self._model_counts.get(account.id),
            keys=self._shown_keys(account, state),
            is_direct=direct is not None and direct.account == account.id and mode.kind in (ModeKind.DIRECT, ModeKind.OBSERVE),
        )

    def _hints(self, account: Account) -> list[str]:
        return [hint for hint in map(self._desk.key_hint, account.refs or (account.id,)) if hint]

    def _shown_keys(self, account: Account, state: AccountState | None) -> tuple[ShownKey, ...]:
        hints = {key.id: self._desk.key_hint(account.ref(key.id)) for key in account.keys}
        found = state.keys if state is not None else ()
        return tuple(ShownKey(key.state, text_setup.key_health(key, hints.get(key.id, "")), key.detail) for key in found)

    def _new_card(self, account_id: str) -> AccountCard:
        card = AccountCard(self._theme)
        spawn = self._desk.spawn
        card.test_wanted.connect(lambda: spawn(self._test(account_id), "test a provider"))
        card.edit_wanted.connect(lambda: self._open_editor(account_id))
        card.direct_wanted.connect(lambda: spawn(self._use_directly(account_id), "use a provider directly"))
        card.switch_wanted.connect(lambda: spawn(self._switch(account_id), "switch a provider"))
        card.removal_wanted.connect(lambda: spawn(self._remove(account_id), "remove a provider"))
        return card

    def _show_found(self, servers: Sequence[LocalServer]) -> None:
        self._found = tuple(servers)
        used = {address_of(account) for account in self._desk.settings.accounts}
        offered = tuple(server for server in self._found if server.base_url not in used)
        if offered != self._offered:
            self._offered = offered
            self._show_offers()
        self._show_header()

    def _show_offers(self) -> None:
        while (item := self._found_rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.hide()
                row.deleteLater()
        for server in self._offered:
            offer = OfferRow(text_setup.found_server(server), text_setup.ADD)
            offer.pressed.connect(lambda server=server: self._desk.spawn(self._add_found(server), "add a local server"))
            self._found_rows.addWidget(offer)

    async def _count_models(self, account_id: str) -> None:
        try:
            self._model_counts[account_id] = len(await self._desk.models(account_id))
        except LynkrError:
            return  # the card's state says what is wrong with the account
        self._show_accounts()

    # ------------------------------------------------------------ the form

    def open_form(self) -> None:
        """Begin a new account."""
        self.form.add(self._desk.settings)
        self._show_form()

    def _open_editor(self, account_id: str) -> None:
        account = self._desk.settings.account(account_id)
        if account is not None:
            self.form.edit(account)
            self._show_form()

    def _show_form(self) -> None:
        self._stack.setCurrentIndex(1)
        self._show_header()

    def _close_form(self) -> None:
        self._stack.setCurrentIndex(0)
        self._show_header()

    def _show_header(self) -> None:
        is_listing = self._stack.currentIndex() == 0
        self.add_button.setVisible(is_listing and bool(self._desk.settings.accounts))
        self._found_box.setVisible(is_listing and self._found_rows.count() > 0)

    def _form_passed(self, account: Account, keys: Mapping[str, str], result: ProbeResult | None) -> None:
        self._desk.spawn(self._save(account, keys, result), "save a provider")

    # ------------------------------------------------------------ acting

    async def _change(self, settings: Settings) -> bool:
        """Use other settings; a refusal is shown on the page."""
        try:
            await self._desk.change(settings)
        except LynkrError as error:
            self._notice.say(say_back(error.title), say_back(error.detail))
            return False
        self._notice.say("")
        return True

    async def _save(self, account: Account, keys: Mapping[str, str], result: ProbeResult | None) -> None:
        lost = lost_refs(self._desk.settings.account(account.id), account)
        if not await self._change(with_account(self._desk.settings, account)):
            return
        for key_id, key in keys.items():
            await self._desk.set_key(account.ref(key_id), key)
        for ref in lost:
            await self._desk.delete_key(ref)
        self._close_form()
        if result is not None:
            self._cards[account.id].show_result(result)
        self._model_counts.pop(account.id, None)
        await self._count_models(account.id)

    async def _add_found(self, server: LocalServer) -> None:
        settings = self._desk.settings
        model = server.models[0] if server.models else ""
        account = Account(free_id(server.provider, settings), server.provider, base_url=server.base_url, model=model)
        try:
            result = await self._desk.probe_candidate(account, "")
        except LynkrError as error:
            self._notice.say(say_back(error.title), say_back(error.detail))
            return
        if result.is_ok:
            await self._save(account, {}, result)
        else:
            self.form.add(settings, account=account)
            self.form.show_failure(result)
            self._show_form()

    async def _test(self, account_id: str) -> None:
        card = self._cards[account_id]
        card.show_testing()
        try:
            account = self._desk.settings.account(account_id)
            if account is not None and len(account.keys) > 1:
                card.show_results([(key, await self._tested(account_id, key)) for key in account.keys])
            else:
                card.show_result(await self._desk.probe(account_id))
        except LynkrError as error:
            card.show_refusal(text.refused(error))

    async def _tested(self, account_id: str, key: AccountKey) -> ProbeResult:
        try:
            return await self._desk.probe(account_id, key.id)
        except LynkrError as error:
            return ProbeResult(False, f"{error.title} {error.detail}".strip(), 0, kind=FailureKind.AUTH)

    async def _use_directly(self, account_id: str) -> None:
        settings = self._desk.settings
        account = settings.account(account_id)
        if account is not None:
            mode = replace(settings.routing.mode, kind=ModeKind.DIRECT, tier=None)
            routing = replace(settings.routing, mode=mode, direct=Target(account_id, model_of(account)))
            await self._change(replace(settings, routing=routing))

    async def _switch(self, account_id: str) -> None:
        settings = self._desk.settings
        account = settings.account(account_id)
        if account is not None:
            await self._change(with_account(settings, replace(account, is_enabled=not account.is_enabled)))

    async def _remove(self, account_id: str) -> None:
        settings = self._desk.settings
        account = settings.account(account_id)
        if account is None or not await self._change(without_account(settings, account_id)):
            return
        for ref in account.refs:
            await self._desk.delete_key(ref)
        self.undo_row.words.setText(text_setup.removed(account_title(account)))
        self.undo_row.show()
        self._undo_end.start()

    async def _undo(self) -> None:
        self.undo_row.hide()
        try:
            await self._desk.undo()
        except LynkrError as error:
            self._notice.say(say_back(error.title), say_back(error.detail))
