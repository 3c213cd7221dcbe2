"""Lines to paste into another program, with the button that copies them. A secret in them is shown masked and copied whole."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from lynkr_desktop.ui import text_clients as words
from lynkr_desktop.ui.theme import SPACE_4, SPACE_8
from lynkr_desktop.ui.widgets.button import Button
from lynkr_desktop.ui.widgets.label import Label, LabelKind

_SIZE: Final = 12
_SAYS_COPIED_MS: Final = 1500
_AROUND: Final = 24  # pixels of padding, border and margins


class CodeBlock(QWidget):
    """`whole` gives what is copied, at the moment of copying."""

    def __init__(self, where: str, visible: str, whole: Callable[[], str]) -> None:
        super().__init__()
        self._whole = whole
        self.copy = Button(words.COPY)
        self.copy.setAccessibleName(words.copy_name(where))
        self.copy.clicked.connect(self._copy)
        self._copied = QTimer(self, singleShot=True, interval=_SAYS_COPIED_MS)
        self._copied.timeout.connect(lambda: self.copy.setText(words.COPY))
        self.code = QPlainTextEdit(visible)
        self.code.setReadOnly(True)
        self.code.setTabChangesFocus(True)
        self.code.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.code.setAccessibleName(where)
        self.code.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(_SIZE)
        font.setStyleHint(QFont.StyleHint.Monospace)
        self.code.setFont(font)
        self.code.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        head = QHBoxLayout()
        head.setSpacing(SPACE_8)
        head.addWidget(Label(where, LabelKind.MUTED, wraps=True), 1)
        head.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_4)
        layout.addLayout(head)
        layout.addWidget(self.code)
        self.code.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        """As high as its lines are at this width."""
        lines = max(1, round(self.code.document().documentLayout().documentSize().height()))
        self.code.setFixedHeight(lines * self.code.fontMetrics().lineSpacing() + _AROUND)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._whole())
        self.copy.setText(words.COPIED)
        self._copied.start()
