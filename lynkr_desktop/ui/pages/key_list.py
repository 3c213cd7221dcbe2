"""The keys of an account in its form: type, add, order, remove. Knows which key is kept, never what it is; saves nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import MOST_KEYS, Account, AccountKey
from lynkr_desktop.engine.providers import auth
from lynkr_desktop.ui import text_setup
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind, IconButton
from lynkr_desktop.ui.widgets.label import Label, LabelKind


@dataclass(frozen=True, slots=True)
class _Kept:
    """A key that the account has, and how it ends; one that was never entered ends in nothing."""

    key: AccountKey
    hint: str


class KeyRow(QWidget):
    """One key: its field, and what can be done with it."""

    edited = Signal()
    move_wanted = Signal(int)  # -1 up, 1 down
    removal_wanted = Signal()

    def __init__(self, theme: Theme, kept: _Kept, placeholder: str) -> None:
        super().__init__()
        self.kept = kept
        self.name = Label(text_setup.key_name(kept.key), LabelKind.MUTED)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText(placeholder)
        self.field.setAccessibleName(text_setup.key_field_name(kept.key))
        self.field.textEdited.connect(self.edited)
        self.up = IconButton(theme, "up", text_setup.MOVE_UP, ButtonKind.TOOL)
        self.up.clicked.connect(lambda: self.move_wanted.emit(-1))
        self.down = IconButton(theme, "down", text_setup.MOVE_DOWN, ButtonKind.TOOL)
        self.down.clicked.connect(lambda: self.move_wanted.emit(1))
        self.remove = IconButton(theme, "close", text_setup.REMOVE_KEY, ButtonKind.TOOL)
        self.remove.clicked.connect(self.removal_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_4)
        row.addWidget(self.name)
        row.addWidget(self.field, 1)
        for button in (self.up, self.down, self.remove):
            row.addWidget(button)

    @property
    def typed(self) -> str:
        """The key without the spaces and line ends that pasting brings along."""
        text = self.field.text().strip()
        return text if auth.is_json_key(text) else "".join(text.split())

    def show_place(self, index: int, count: int) -> None:
        """Offer what can be done at this place; a single key shows its field only."""
        for widget in (self.name, self.up, self.down, self.remove):
            widget.setVisible(count > 1)
        self.up.setEnabled(index > 0)
        self.down.setEnabled(index < count - 1)


class KeyList(QWidget):
    """`edited` comes at each change, `submitted` with the Enter key, `finished` when a field is left."""

    edited = Signal()
    submitted = Signal()
    finished = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._placeholder = ""
        self._rows: list[KeyRow] = []
        self.add_button = Button(text_setup.ADD_KEY, ButtonKind.QUIET)
        self.add_button.setToolTip(text_setup.ADD_KEY_TIP)
        self.add_button.clicked.connect(self._add)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SPACE_8)
        self._layout.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)

    @property
    def rows(self) -> list[KeyRow]:
        """The keys in the order of use."""
        return list(self._rows)

    @property
    def first(self) -> QLineEdit:
        """The first key's field."""
        return self._rows[0].field

    def fill(self, account: Account, hint_of: Callable[[str], str], placeholder: Callable[[str], str]) -> None:
        """Show an account's keys. `hint_of` tells how the key of a name ends, `placeholder` what stands in its empty field."""
        for row in self._rows:
            self._layout.removeWidget(row)
            row.deleteLater()
        self._rows = []
        self._placeholder = placeholder("")
        for key in account.keys or (AccountKey(),):
            hint = hint_of(account.ref(key.id))
            self._insert(_Kept(key, hint), placeholder(hint))
        self._arrange()

    def clear(self) -> None:
        """Forget what was typed."""
        for row in self._rows:
            row.field.clear()

    @property
    def typed(self) -> Mapping[str, str]:
        """The typed keys by their id."""
        return {row.kept.key.id: row.typed for row in self._rows if row.typed}

    def keys(self, origin: str) -> tuple[AccountKey, ...]:
        """The keys of an account at that origin: those that were typed now, and the kept ones that may travel there."""
        found = []
        for row in self._rows:
            key = row.kept.key
            if row.typed:
                found.append(AccountKey(origin, key.id, key.title))
            elif row.kept.hint and key.origin in ("", origin):
                found.append(key)
        return tuple(found)

    def drops(self, origin: str) -> bool:
        """Is there a kept key that may not travel to that origin and was not typed anew?"""
        return any(row.kept.hint and not row.typed and row.kept.key.origin not in ("", origin) for row in self._rows)

    def _insert(self, kept: _Kept, placeholder: str) -> KeyRow:
        row = KeyRow(self._theme, kept, placeholder)
        row.edited.connect(self.edited)
        row.field.returnPressed.connect(self.submitted)
        row.field.editingFinished.connect(self.finished)
        row.move_wanted.connect(lambda step: self._move(row, step))
        row.removal_wanted.connect(lambda: self._remove(row))
        self._layout.insertWidget(len(self._rows), row)
        self._rows.append(row)
        return row

    def _add(self) -> None:
        taken = {row.kept.key.id for row in self._rows}
        free = next(str(number) for number in range(2, 100) if str(number) not in taken) if "" in taken else ""
        row = self._insert(_Kept(AccountKey(id=free), ""), self._placeholder)
        self._arrange()
        row.field.setFocus()
        self.edited.emit()

    def _move(self, row: KeyRow, step: int) -> None:
        index = self._rows.index(row)
        self._rows.insert(index + step, self._rows.pop(index))
        self._layout.removeWidget(row)
        self._layout.insertWidget(index + step, row)
        self._arrange()
        self.edited.emit()

    def _remove(self, row: KeyRow) -> None:
        self._rows.remove(row)
        self._layout.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._arrange()
        self.edited.emit()

    def _arrange(self) -> None:
        widest = max((row.name.sizeHint().width() for row in self._rows), default=0)
        for index, row in enumerate(self._rows):
            row.show_place(index, len(self._rows))
            row.name.setMinimumWidth(widest)
        has_key = bool(self._rows) and bool(self._rows[0].kept.hint or self._rows[0].typed or len(self._rows) > 1)
        self.add_button.setVisible(has_key and len(self._rows) < MOST_KEYS)
