"""One account on the Providers page: how it does, where its key is, and what can be done. Asks for actions; does none."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import Account, AccountKey
from lynkr_desktop.engine.api import AccountState, ProbeResult
from lynkr_desktop.ui import text, text_setup
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, SPACE_12, SPACE_16, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.health import health_sign
from lynkr_desktop.ui.widgets.label import ElidedLabel, Label, LabelKind


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account with everything that its card tells. `models` is None while they have not been counted."""

    account: Account
    title: str
    state: AccountState | None
    key_line: str
    model: str
    address: str
    models: int | None
    is_direct: bool
    keys: tuple["ShownKey", ...] = ()  # in the order of use, where there are several


@dataclass(frozen=True, slots=True)
class ShownKey:
    """One of several keys: how it does as a sign, and in words. `detail` is the provider's own."""

    state: str
    words: str
    detail: str


class AccountCard(QFrame):
    """State, key, model, address; Test, Edit and the rarer actions in a menu."""

    test_wanted = Signal()
    edit_wanted = Signal()
    direct_wanted = Signal()
    switch_wanted = Signal()
    removal_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._state = "unknown"
        self._account_id = ""
        self._is_testing = False
        self.setProperty("kind", "card")
        self._sign = Label()
        self._title = ElidedLabel("", LabelKind.STRONG)
        self._state_words = Label("", LabelKind.SMALL)
        self._values = [ElidedLabel() for _ in range(4)]
        self._hour = ElidedLabel("", LabelKind.SMALL)
        self._keys = QVBoxLayout()
        self._keys.setSpacing(SPACE_4)
        self._shown_keys: tuple[ShownKey, ...] = ()
        self._key_signs: list[tuple[Label, str]] = []
        self.result = Label("", LabelKind.MUTED, wraps=True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.result.hide()
        self.test = Button(text_setup.TEST)
        self.test.clicked.connect(self.test_wanted)
        self._edit = Button(text_setup.EDIT)
        self._edit.clicked.connect(self.edit_wanted)
        self._menu = QMenu(self)
        self._direct = self._menu.addAction(text_setup.USE_DIRECT)
        self._direct.triggered.connect(self.direct_wanted)
        self._switch = self._menu.addAction("")
        self._switch.triggered.connect(self.switch_wanted)
        self._menu.addSeparator()
        self._menu.addAction(text_setup.REMOVE).triggered.connect(self.removal_wanted)
        self._more = Button(text_setup.MORE, ButtonKind.QUIET)
        self._more.setMenu(self._menu)
        self._lay_out()
        theme.changed.connect(self._recolour)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(SPACE_8)
        head.addWidget(self._sign)
        head.addWidget(self._title, 1)
        head.addWidget(self._state_words)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_12)
        grid.setVerticalSpacing(SPACE_4)
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(zip(text_setup.CARD_ROWS, self._values, strict=True)):
            grid.addWidget(Label(name, LabelKind.MUTED), row, 0)
            grid.addWidget(value, row, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE_8)
        buttons.addWidget(self.test)
        buttons.addWidget(self._edit)
        buttons.addWidget(self._more)
        buttons.addWidget(self._hour, 1)
        self._hour.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_16, SPACE_12, SPACE_16, SPACE_12)
        layout.setSpacing(SPACE_12)
        layout.addLayout(head)
        layout.addLayout(grid)
        layout.addLayout(self._keys)
        layout.addWidget(self.result)
        layout.addStretch(1)
        layout.addLayout(buttons)

    @property
    def account_id(self) -> str:
        """Whose card it is."""
        return self._account_id

    def show_account(self, shown: ShownAccount) -> None:
        """Show an account as it is now."""
        account = shown.account
        self._account_id = account.id
        self._state = shown.state.state if shown.state else "unknown"
        if not account.is_enabled:
            self._state = "disabled"
        self._title.setText(shown.title)
        self._state_words.setText(text.ACCOUNT_STATES.get(self._state, self._state))
        self._state_words.setToolTip(shown.state.detail if shown.state else "")
        lines = (shown.model, shown.key_line, shown.address, text_setup.models_found(shown.models))
        for label, line in zip(self._values, lines, strict=True):
            label.setText(line)
        self._hour.setText(text_setup.hour_line(shown.state))
        if shown.keys != self._shown_keys:
            self._show_keys(shown.keys)
        self._direct.setText(text_setup.IS_DIRECT if shown.is_direct else text_setup.USE_DIRECT)
        self._direct.setEnabled(not shown.is_direct and account.is_enabled)
        self._switch.setText(text_setup.switch_words(is_enabled=account.is_enabled))
        self.test.setEnabled(account.is_enabled and not self._is_testing)
        self.setAccessibleName(f"{shown.title}, {self._state_words.text()}")
        self._recolour()

    def _show_keys(self, keys: tuple[ShownKey, ...]) -> None:
        self._shown_keys, self._key_signs = keys, []
        while (item := self._keys.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.hide()
                row.deleteLater()
        for key in keys:
            row, sign, words = QWidget(), Label(), ElidedLabel(key.words, LabelKind.SMALL)
            row.setToolTip(key.detail)
            across = QHBoxLayout(row)
            across.setContentsMargins(0, 0, 0, 0)
            across.setSpacing(SPACE_8)
            across.addWidget(sign)
            across.addWidget(words, 1)
            self._key_signs.append((sign, key.state))
            self._keys.addWidget(row)

    def show_testing(self) -> None:
        """A test runs."""
        self._is_testing = True
        self.test.setEnabled(False)
        self._say(text_setup.TESTING, LabelKind.MUTED)

    def show_result(self, result: ProbeResult) -> None:
        """What the test gave."""
        self._end_test()
        self._say(text_setup.probe_words(result), LabelKind.GOOD if result.is_ok else LabelKind.BAD)

    def show_results(self, results: Sequence[tuple[AccountKey, ProbeResult]]) -> None:
        """What the tests of several keys gave."""
        self._end_test()
        is_ok = all(result.is_ok for _, result in results)
        self._say(text_setup.tested_keys(results), LabelKind.GOOD if is_ok else LabelKind.BAD)

    def show_refusal(self, words: str) -> None:
        """The test could not be made."""
        self._end_test()
        self._say(words, LabelKind.BAD)

    def _end_test(self) -> None:
        self._is_testing = False
        self.test.setEnabled(True)

    def _say(self, words: str, kind: LabelKind) -> None:
        self.result.setText(words)
        self.result.set_kind(kind)
        self.result.setVisible(bool(words))

    def _recolour(self) -> None:
        for sign, state in ((self._sign, self._state), *self._key_signs):
            sign.setPixmap(health_sign(self._theme.palette, state, self.devicePixelRatioF()))
