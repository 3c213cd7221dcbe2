"""The Settings page: its cards in two columns or one, and the licences in their place. Decides nothing itself."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from lynkr_desktop.ui import text
from lynkr_desktop.ui import text_settings as words
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.pages.budget_card import BudgetCard
from lynkr_desktop.ui.pages.learning_card import LearningCard
from lynkr_desktop.ui.pages.notification_card import NotificationCard
from lynkr_desktop.ui.pages.savings_card import SavingsCard
from lynkr_desktop.ui.pages.settings_cards import EndpointCard, GeneralCard, KeychainCard
from lynkr_desktop.ui.pages.settings_more import AboutCard, AdvancedCard, PrivacyCard, TransferCard
from lynkr_desktop.ui.premises import Premises
from lynkr_desktop.ui.theme import SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.button import Button
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.page_scroll import PageScroll

_TWO_COLUMNS_FROM: Final = 900  # pixels of width


class SettingsPage(QWidget):
    """Each change is used and saved at once; there is no button to save."""

    def __init__(self, theme: Theme, desk: Desk, premises: Premises, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._premises = premises
        self._across = 0
        self.setProperty("kind", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.general = GeneralCard(theme, desk, premises)
        self.endpoint = EndpointCard(desk, premises)
        self.keychain = KeychainCard(theme, desk, premises)
        self.budgets = BudgetCard(theme, desk)
        self.savings = SavingsCard(theme, desk)
        self.notifications = NotificationCard(theme, desk)
        self.learning = LearningCard(theme, desk)
        self.transfer = TransferCard(desk, premises)
        self.privacy = PrivacyCard(desk, premises)
        self.advanced = AdvancedCard(theme, desk)
        self.about = AboutCard(desk, premises)
        self.about.licences_wanted.connect(lambda: desk.spawn(self._show_licences(), "read the licences"))
        self._row, self._columns = QHBoxLayout(), (QVBoxLayout(), QVBoxLayout())
        self._lay_out()

    def _lay_out(self) -> None:
        columns = self._row
        columns.setSpacing(SPACE_12)
        for column in self._columns:
            column.setSpacing(SPACE_12)
            column.addStretch(1)
            columns.addLayout(column, 1)
        self._licences = QPlainTextEdit()
        self._licences.setReadOnly(True)
        self._licences.setAccessibleName(words.LICENCES)
        self._back = Button(words.BACK)
        self._back.clicked.connect(self._close_licences)
        licences = QWidget()
        below = QVBoxLayout(licences)
        below.setContentsMargins(0, 0, SPACE_24, SPACE_24)
        below.setSpacing(SPACE_12)
        below.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        below.addWidget(self._licences, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(PageScroll(columns))
        self._stack.addWidget(licences)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_16, 0, 0)
        layout.setSpacing(SPACE_12)
        title = Label(text.SETTINGS, LabelKind.TITLE)
        title.setMinimumHeight(31)  # as high as the buttons in other pages' headers
        layout.addWidget(title)
        layout.addWidget(self._stack, 1)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Two columns where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Ask the system how its own switch stands: the user may have turned it elsewhere."""
        super().showEvent(event)
        self.setFocus()  # else the first field wears the focus ring before anybody asked
        self.general.ask_system()
        self.keychain.show_settings()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  Qt's name
        """Escape leaves the licences."""
        if event.key() == Qt.Key.Key_Escape and self._stack.currentIndex() == 1:
            self._close_licences()
            return
        super().keyPressEvent(event)

    def _arrange(self) -> None:
        across = 2 if self.width() >= _TWO_COLUMNS_FROM else 1
        if across == self._across:
            return
        self._across = across
        left = (self.general, self.notifications, self.endpoint, self.keychain, self.transfer, self.about)
        right = (self.budgets, self.savings, self.learning, self.privacy, self.advanced)
        one = (*left[:-1], *right, self.about)
        for column, cards in zip(self._columns, (left, right) if across == 2 else (one, ()), strict=True):
            for place, card in enumerate(cards):
                column.insertWidget(place, card)
        self._row.setStretch(1, 1 if across == 2 else 0)

    async def _show_licences(self) -> None:
        try:
            content = await self._premises.licences()
        except OSError:
            content = words.LICENCES_ERROR
        self._licences.setPlainText(content)
        self._stack.setCurrentIndex(1)
        self._back.setFocus()

    def _close_licences(self) -> None:
        self._stack.setCurrentIndex(0)
        self.setFocus()
