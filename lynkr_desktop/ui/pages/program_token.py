"""The row of a program's own token: make one, make another, revoke it. Knows no widget around it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from lynkr_desktop.config.client_tokens import today, with_token, without_token
from lynkr_desktop.config.secrets import Secret
from lynkr_desktop.config.settings import ClientToken, Settings
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.ui import text_clients as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_4
from lynkr_desktop.ui.widgets.button import Button
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.setting_row import SureButton, buttons


class ProgramTokenRow(QWidget):
    """Follows the settings. `changed` comes when the token of the program shown is another one, or none."""

    changed = Signal()

    def __init__(self, desk: Desk, premises: Premises) -> None:
        super().__init__()
        self._desk, self._premises = desk, premises
        self._program = ""
        self._own: ClientToken | None = None
        self._state = Label("", LabelKind.SMALL, wraps=True)
        self.make = Button(words.OWN_TOKEN)
        self.make.clicked.connect(self._make)
        self.revoke = SureButton(words.REVOKE, words.REVOKE_SURE)
        self.revoke.on_asked = lambda is_asking: self._say(words.REVOKE_HINT if is_asking else "", LabelKind.WARNING)
        self.revoke.confirmed.connect(self._revoke)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_4)
        layout.addWidget(self._state)
        layout.addWidget(buttons(self.make, self.revoke))
        desk.signals.settings_changed.connect(self._show)

    def show_program(self, program: str) -> None:
        """Show another program's token."""
        self._program = program
        self._own = None
        self._show()

    @property
    def token(self) -> Secret | None:
        """What the program must show; None if it is known no more."""
        return self._premises.token if self._own is None else self._known()

    def _known(self) -> Secret | None:
        """The token made since the start, if it is still the one in force."""
        made = self._premises.program_token(self._program)
        is_in_force = made is not None and self._own is not None and made.reveal().endswith(self._own.hint)
        return made if is_in_force else None

    def _show(self) -> None:
        before = self._own
        self._own = next((each for each in self._desk.settings.client_tokens if each.name == self._program), None)
        self.make.setText(words.OWN_TOKEN if self._own is None else words.ANOTHER_TOKEN)
        self.revoke.setVisible(self._own is not None)
        self._say("")
        if before != self._own:
            self.changed.emit()

    def _say(self, sentence: str, kind: LabelKind = LabelKind.SMALL) -> None:
        """An outcome, or how it stands."""
        own = self._own
        stands = words.SHARED_TOKEN if own is None else words.own_token(own.hint, own.made_on)
        more = "" if own is None else words.TOKEN_GONE if self._known() is None else words.TOKEN_MADE
        self._state.setText(sentence or f"{stands} {more}".rstrip())
        self._state.set_kind(kind if sentence else LabelKind.SMALL)

    def _make(self) -> None:
        token = self._premises.make_program_token(self._program)
        self._change(with_token(self._desk.settings, self._program, token, today()))

    def _revoke(self) -> None:
        self._change(without_token(self._desk.settings, self._program))

    def _change(self, settings: Settings) -> None:
        Latest[None](self._desk, "change a program's token", lambda _: None, self._refuse).ask(self._desk.change(settings))

    def _refuse(self, error: LynkrError) -> None:
        self._say(f"{error.title} {error.detail}".strip(), LabelKind.BAD)
