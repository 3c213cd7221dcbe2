"""Add or edit an account: choose, paste the key, it is tested before it is saved. Saves nothing itself; shows no key."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Account, Settings
from lynkr_desktop.engine.api import ProbeResult
from lynkr_desktop.engine.providers import auth, catalogue
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.engine.providers.places import address_of, values_of
from lynkr_desktop.engine.providers.provider import Auth, Provider
from lynkr_desktop.errors import ConfigError, LynkrError
from lynkr_desktop.ui import text, text_setup
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.account_edits import free_id
from lynkr_desktop.ui.pages.account_edits import origin as origin_of
from lynkr_desktop.ui.pages.key_list import KeyList
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.choice import Choice
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.model_field import ModelField

_WIDTH: Final = 620


class AccountForm(Card):
    """`passed` carries the account, its typed keys and the test's result; `cancelled` comes when the user leaves."""

    passed = Signal(object, object, object)  # Account, keys by their id (those that are not there stay), ProbeResult or None
    cancelled = Signal()

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(text_setup.ADD_PROVIDER, parent=parent)
        self._desk = desk
        self._before: Account | None = None
        self._probe = Latest[ProbeResult](desk, "test a provider", self._show_result, self._show_error)
        self._models = Latest[tuple[ModelFacts, ...]](desk, "list models", self._offer_models, lambda _: None)
        self.setMaximumWidth(_WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.provider = Choice(theme, text_setup.PROVIDER)
        self.title_field = QLineEdit()
        self.keys = KeyList(theme)
        self.address = QLineEdit()
        self.model = ModelField(theme)
        self._get_key = Button(text_setup.GET_KEY, ButtonKind.QUIET)
        self._key_hint = Label("", LabelKind.SMALL, wraps=True)
        self._address_hint = Label("", LabelKind.SMALL, wraps=True)
        self._result = Label("", LabelKind.MUTED, wraps=True)
        self._result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.submit = Button(text_setup.TEST_AND_SAVE, ButtonKind.PRIMARY)
        self.save_anyway = Button(text_setup.SAVE_ANYWAY)
        self._cancel = Button(text_setup.CANCEL, ButtonKind.QUIET)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(SPACE_16)
        form.setVerticalSpacing(SPACE_12)
        key_row = QWidget()
        across = QHBoxLayout(key_row)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(SPACE_8)
        across.addWidget(self.keys, 1)
        across.addWidget(self._get_key, 0, Qt.AlignmentFlag.AlignTop)
        self.places = {name: QLineEdit() for name in text_setup.PLACES}
        rows: tuple[tuple[str, QWidget, Label | None], ...] = (
            (text_setup.PROVIDER, self.provider, None),
            (text_setup.NAME, self.title_field, None),
            (text_setup.KEY, key_row, self._key_hint),
            *((text_setup.PLACES[name], field, None) for name, field in self.places.items()),
            (text_setup.ADDRESS, self.address, self._address_hint),
            (text_setup.MODEL, self.model, None),
        )
        self._rows: dict[str, QWidget] = {}
        for name, field, hint in rows:
            field.setAccessibleName(name)
            self._rows[name] = _with_hint(field, hint)
            form.addRow(Label(name, LabelKind.MUTED), self._rows[name])
        self._form = form
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_8)
        for button in (self.submit, self.save_anyway, self._cancel):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.body.setSpacing(SPACE_16)
        self.body.addLayout(form)
        self.body.addWidget(self._result)
        self.body.addLayout(buttons)

    def _connect(self) -> None:
        self.provider.chosen.connect(self._provider_chosen)
        self._get_key.clicked.connect(self._open_key_page)
        for field in (self.address, self.title_field, self.model):
            field.textEdited.connect(self._edited)
            field.returnPressed.connect(self._submit)
        for field in self.places.values():
            field.textEdited.connect(self._place_edited)
            field.returnPressed.connect(self._submit)
            field.editingFinished.connect(self._ask_models)
        self.keys.edited.connect(self._edited)
        self.keys.submitted.connect(self._submit)
        self.keys.finished.connect(self._ask_models)
        self.address.editingFinished.connect(self._ask_models)
        self.model.textChanged.connect(self._edited)
        self.submit.clicked.connect(self._submit)
        self.save_anyway.clicked.connect(lambda: self._pass(None))
        self._cancel.clicked.connect(self._leave)

    # ------------------------------------------------------------ opening

    def add(self, settings: Settings, *, account: Account | None = None) -> None:
        """Begin a new account, perhaps with something filled in."""
        taken = {each.provider for each in settings.accounts}
        entries = [entry for entry in catalogue.PROVIDERS.values() if not (entry.is_embedded and entry.id in taken)]
        self._before = None
        self._settings = settings
        self.set_title(text_setup.ADD_PROVIDER)
        self._form.setRowVisible(self._rows[text_setup.PROVIDER], True)
        chosen = account.provider if account else next((entry.id for entry in entries if entry.needs_key), "")
        self.provider.offer([(entry.id, entry.title) for entry in entries], chosen)
        self._fill(account or Account("", self.provider.key))

    def edit(self, account: Account) -> None:
        """Change an account. Its provider stays."""
        self._before = account
        entry = self._entry(account.provider)
        self.set_title(text_setup.edit_title(account.title or entry.title))
        self.provider.offer([(entry.id, entry.title)])
        self._form.setRowVisible(self._rows[text_setup.PROVIDER], False)
        self._fill(account)

    def drop_cancel(self) -> None:
        """Offer no way out: whoever shows the form has one."""
        self._cancel.hide()

    def show_failure(self, result: ProbeResult) -> None:
        """Show the result of a test that was made elsewhere."""
        self._show_result(result)

    def _provider_chosen(self) -> None:
        self._fill(Account("", self.provider.key))

    def _fill(self, account: Account) -> None:
        entry = self._entry(account.provider)
        is_known = self._before is not None
        known = account if is_known else Account("", account.provider)
        self.keys.fill(known, self._desk.key_hint, lambda hint: text_setup.key_placeholder(entry, hint))
        self.title_field.setText(account.title)
        self.title_field.setPlaceholderText(entry.title)
        self.address.setText(account.base_url)
        hint = text_setup.PROGRAM_HINT if entry.is_program else text_setup.ADDRESS_HINT
        self.address.setPlaceholderText(entry.base_url or entry.example or hint)
        self._fill_places(entry, account.base_url or entry.base_url)
        self.model.setText(account.model or ("" if is_known else entry.default_model))
        self.model.offer([entry.default_model] if entry.default_model else [])
        self.submit.setText(text_setup.SAVE if entry.is_embedded else text_setup.TEST_AND_SAVE)
        self._get_key.setVisible(bool(entry.key_page))
        for name in (text_setup.KEY, text_setup.ADDRESS):
            self._form.setRowVisible(self._rows[name], not entry.is_embedded)
        self._form.setRowVisible(self._rows[text_setup.KEY], not entry.is_embedded and entry.auth is not Auth.NONE)
        self._reset()
        self._ask_models()
        (self.key if entry.needs_key and not self.keys.rows[0].kept.hint else self.model).setFocus()

    def _fill_places(self, entry: Provider, address: str) -> None:
        """The parts of the address that have names, where it is made of such."""
        values = values_of(entry, address)
        wanted = {place.name: place for place in entry.places}
        for name, field in self.places.items():
            field.setText(values.get(name, ""))
            field.setPlaceholderText(wanted[name].usual if name in wanted else "")
            self._form.setRowVisible(self._rows[text_setup.PLACES[name]], name in wanted)

    def _place_edited(self) -> None:
        """The address follows its parts."""
        self._edited()
        try:
            address = address_of(self._entry(self.provider.key), {name: field.text() for name, field in self.places.items()})
        except ConfigError as error:
            self._show_address_problem(error)
            return
        self.address.setText(address)
        self.address.setCursorPosition(0)

    # ------------------------------------------------------------ the account as it stands

    @property
    def key(self) -> QLineEdit:
        """The first key's field."""
        return self.keys.first

    def account(self) -> Account:
        """The account as it stands in the form. Raises `ConfigError` where the address is none."""
        entry = self._entry(self.provider.key)
        address = self.address.text().strip()
        address = address if address.endswith("://") else address.rstrip("/")
        if not address and not entry.base_url and not (entry.is_embedded or entry.is_program):
            raise ConfigError(text_setup.NO_ADDRESS, field="base_url")
        start = self._before or Account(free_id(entry.id, self._settings), entry.id)
        account = replace(start, title=self.title_field.text().strip(), base_url=address, model=self.model.model)
        if entry.is_embedded or entry.is_program:
            return account
        return replace(account, keys=self.keys.keys(auth.origin_of(address or entry.base_url)))

    def _entry(self, provider: str) -> Provider:
        entry = catalogue.provider(provider)
        if entry is None:
            raise ConfigError(text_setup.unknown_provider(provider))
        return entry

    # ------------------------------------------------------------ testing

    def _submit(self) -> None:
        account = self._checked()
        if account is None or self._probe.is_waiting:
            return
        if self._entry(account.provider).is_embedded:
            self._pass(None)  # it is started once it is among the settings; before that there is nothing to test
            return
        self._say(text_setup.TESTING, LabelKind.MUTED)
        self.submit.setEnabled(False)
        self.save_anyway.hide()
        self._probe.ask(self._tested(account, self.keys.typed))

    async def _tested(self, account: Account, typed: Mapping[str, str]) -> ProbeResult:
        """A call with each key that was typed, else with the first that is kept: what failed first, or the last one's answer."""
        if not typed:
            return await self._desk.probe_candidate(account, "")
        for key in account.keys:
            if key.id not in typed:
                continue
            result = await self._desk.probe_candidate(account, typed[key.id])
            if not result.is_ok:
                break
        return result if len(account.keys) < 2 else text_setup.named_result(key, result)

    def _checked(self) -> Account | None:
        """The account, if it can be tested; else what is missing is said at its place."""
        try:
            account = self.account()
        except ConfigError as error:
            self._show_address_problem(error)
            self.address.setFocus()
            return None
        if self._entry(account.provider).needs_key and not account.keys:
            self._key_hint.setText(text_setup.NO_KEY_TYPED)
            self._key_hint.set_kind(LabelKind.BAD)
            self._key_hint.show()
            self.key.setFocus()
            return None
        return account

    def _show_address_problem(self, error: ConfigError) -> None:
        self._address_hint.setText(text.refused(error))
        self._address_hint.set_kind(LabelKind.BAD)
        self._address_hint.show()

    def _show_result(self, result: ProbeResult) -> None:
        if result.is_ok:
            self._pass(result)
            return
        self.submit.setEnabled(True)
        self.save_anyway.show()
        self._say(text_setup.probe_words(result), LabelKind.BAD)

    def _show_error(self, error: LynkrError) -> None:
        self.submit.setEnabled(True)
        self.save_anyway.show()
        self._say(text.refused(error), LabelKind.BAD)

    def _pass(self, result: ProbeResult | None) -> None:
        account = self._checked()
        if account is not None:
            typed = self.keys.typed
            self.keys.clear()
            self.passed.emit(account, typed, result)

    def _leave(self) -> None:
        self._probe.forget()
        self.keys.clear()
        self.cancelled.emit()

    def _edited(self) -> None:
        """What was tested is no longer what stands here."""
        if self._probe.is_waiting:
            self._probe.forget()
        self._reset()

    def _reset(self) -> None:
        self.submit.setEnabled(True)
        self.save_anyway.hide()
        self._say("", LabelKind.MUTED)
        self._address_hint.hide()
        drops = self._before is not None and self._drops_key()
        self._key_hint.setText(text_setup.KEY_DROPPED if drops else text_setup.key_kept_in(self._desk.key_place()))
        self._key_hint.set_kind(LabelKind.WARNING if drops else LabelKind.SMALL)
        self._key_hint.show()

    def _drops_key(self) -> bool:
        try:
            return self.keys.drops(origin_of(self.account()))
        except ConfigError:
            return False

    def _say(self, words: str, kind: LabelKind) -> None:
        self._result.setText(words)
        self._result.set_kind(kind)
        self._result.setVisible(bool(words))

    # ------------------------------------------------------------ models

    def _ask_models(self) -> None:
        """List what the account offers, as soon as that can be asked. Failing is no news here: the test will tell."""
        try:
            account = self.account()
        except ConfigError:
            return
        entry = self._entry(account.provider)
        typed = next(iter(self.keys.typed.values()), "")
        if not entry.is_embedded and (typed or self._before is not None or entry.is_local):
            self._models.ask(self._desk.candidate_models(account, typed))

    def _offer_models(self, models: Sequence[ModelFacts]) -> None:
        names = [model.id for model in models]
        self.model.offer(names)
        if self._before is None and names and self.model.model not in names and self._entry(self.provider.key).is_local:
            self.model.setText(names[0])

    def _open_key_page(self) -> None:
        QDesktopServices.openUrl(QUrl(self._entry(self.provider.key).key_page))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Escape leaves the form."""
        if event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)


def _with_hint(field: QWidget, hint: Label | None) -> QWidget:
    """A field with a small line under it."""
    if hint is None:
        return field
    both = QWidget()
    layout = QVBoxLayout(both)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    layout.addWidget(field)
    layout.addWidget(hint)
    return both
