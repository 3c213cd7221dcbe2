"""The Tiers page: where the tiers end, what serves each, a box to try it. Edits a draft; saving is one change of the settings."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from lynkr_desktop.config.settings import TIERS, Account, Boundaries, Mode, ModeKind, Settings, Target, Tier
from lynkr_desktop.engine.providers.models import ModelFacts
from lynkr_desktop.errors import ConfigError, LynkrError
from lynkr_desktop.ui import text, text_setup
from lynkr_desktop.ui.desk import Desk
from lynkr_desktop.ui.language import say_back
from lynkr_desktop.ui.latest import Latest
from lynkr_desktop.ui.pages.pins_card import PinsCard
from lynkr_desktop.ui.pages.tier_column import ShownTarget, TierColumn
from lynkr_desktop.ui.pages.tier_draft import Draft, Preset, TierPlan, account_title, plan_of, presets, problems
from lynkr_desktop.ui.pages.try_it import TryIt
from lynkr_desktop.ui.pages.what_if_line import WhatIfLine
from lynkr_desktop.ui.theme import SPACE_8, SPACE_12, SPACE_16, SPACE_24, Theme
from lynkr_desktop.ui.widgets.button import Button, ButtonKind
from lynkr_desktop.ui.widgets.card import Card
from lynkr_desktop.ui.widgets.label import Label, LabelKind
from lynkr_desktop.ui.widgets.page_scroll import PageScroll
from lynkr_desktop.ui.widgets.score_band import ScoreBand
from lynkr_desktop.ui.widgets.states import StateStack

_WEEK_MS: Final = 7 * 24 * 3600 * 1000
_FOUR_COLUMNS_FROM: Final = 860  # pixels of width


class TiersPage(QWidget):
    """Boundaries, targets, try-it box; Save and Undo. `page_wanted` carries the key of the page where accounts are added."""

    page_wanted = Signal(str)

    def __init__(self, theme: Theme, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._theme = theme
        self._draft = Draft(plan_of(desk.settings.routing))
        self._models: dict[str, tuple[str, ...]] = {}
        self._histogram = Latest[tuple[int, ...]](desk, "read the scores", self._show_histogram, self._show_histogram_error)
        self.setProperty("kind", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._build_header()
        self.what_if = WhatIfLine(desk)
        self.band = ScoreBand(theme)
        self.band.moving.connect(self._boundaries_moving)
        self.band.moved.connect(self._boundaries_moved)
        self.columns = {tier: self._column(tier) for tier in TIERS}
        self.try_it = TryIt(theme, desk)
        self.pins = PinsCard(theme, desk, lambda: time.time() * 1000)
        self._band_card = Card(text_setup.BAND_TITLE, text_setup.BAND_NOTE)
        self._band_card.body.addWidget(self.band)
        self._grid = QGridLayout()
        self._grid.setSpacing(SPACE_12)
        self._states = StateStack(self._content(), text.LOADING)
        self._states.pressed.connect(self._press_empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_24, SPACE_16, 0, 0)
        layout.setSpacing(SPACE_12)
        layout.addLayout(self._header)
        layout.addWidget(self.what_if)
        layout.addWidget(self._notice)
        layout.addWidget(self._states, 1)
        desk.signals.settings_changed.connect(self._settings_changed)
        desk.signals.snapshot_changed.connect(self._show_columns)
        self._arrange()
        self._show_all()

    # ------------------------------------------------------------ building

    def _build_header(self) -> None:
        self._presets = QMenu(self)
        self._presets.aboutToShow.connect(self._fill_presets)
        self._presets_button = Button(text_setup.PRESETS, ButtonKind.PILL)
        self._presets_button.setMenu(self._presets)
        self._unsaved = Label(text_setup.UNSAVED, LabelKind.WARNING)
        self._undo = Button(text_setup.UNDO)
        self._undo.clicked.connect(self.undo)
        self._save = Button(text_setup.SAVE, ButtonKind.PRIMARY)
        self._save.clicked.connect(lambda: self._desk.spawn(self.save(), "save the tiers"))
        self._header = QHBoxLayout()
        self._header.setContentsMargins(0, 0, SPACE_24, 0)
        self._header.setSpacing(SPACE_12)
        self._header.addWidget(Label(text.TIERS, LabelKind.TITLE))
        self._header.addWidget(self._presets_button)
        self._header.addStretch(1)
        for widget in (self._unsaved, self._undo, self._save):
            self._header.addWidget(widget)
        self._notice_label = Label("", LabelKind.BODY, wraps=True)
        self._notice_button = Button(text_setup.USE_AUTO)
        self._notice_button.clicked.connect(lambda: self._desk.spawn(self._use_auto(), "use auto tiers"))
        frame = QFrame()
        frame.setProperty("kind", "notice")
        row = QHBoxLayout(frame)
        row.setContentsMargins(SPACE_16, SPACE_8, SPACE_8, SPACE_8)
        row.addWidget(self._notice_label, 1)
        row.addWidget(self._notice_button)
        self._notice = QWidget()
        around = QHBoxLayout(self._notice)
        around.setContentsMargins(0, 0, SPACE_24, 0)
        around.addWidget(frame)

    def _content(self) -> PageScroll:
        layout = QVBoxLayout()
        layout.setSpacing(SPACE_12)
        layout.addWidget(self._band_card)
        layout.addLayout(self._grid)
        layout.addWidget(self.try_it, 1)
        layout.addWidget(self.pins)
        return PageScroll(layout)

    def _column(self, tier: Tier) -> TierColumn:
        column = TierColumn(self._theme, tier)
        column.move_wanted.connect(lambda source, to, index: self._edit(self._draft.with_move(source, to, index)))
        column.removal_wanted.connect(lambda of, index: self._edit(self._draft.without_target(of, index)))
        column.addition_wanted.connect(lambda of, target: self._edit(self._draft.with_target(of, target)))
        column.models_wanted.connect(self._offer_models)
        return column

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  Qt's name
        """Four columns beside each other, or two by two where it is narrow."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  Qt's name
        """Count the last week's scores anew."""
        super().showEvent(event)
        self.setFocus()  # else the first button wears the focus ring before anybody asked
        self._histogram.ask(self._desk.histogram(round(time.time() * 1000) - _WEEK_MS))

    def _arrange(self) -> None:
        across = 4 if self.width() >= _FOUR_COLUMNS_FROM else 2
        for column in range(4):
            self._grid.setColumnStretch(column, 1 if column < across else 0)
        for number, tier in enumerate(TIERS):
            self._grid.addWidget(self.columns[tier], number // across, number % across)

    # ------------------------------------------------------------ showing

    def _show_all(self) -> None:
        plan = self._draft.plan
        if plan.is_empty and not self._draft.is_changed:
            self._show_empty()
        else:
            self._states.show_content()
        self.band.show_boundaries(plan.boundaries)
        self._show_columns()
        self._show_header()
        self.try_it.show_plan(plan, is_saved=not self._draft.is_changed)

    def _show_empty(self) -> None:
        offered = presets(self._desk.settings)
        button = offered[0].title if offered else text_setup.ADD_PROVIDER
        self._states.show_empty(text_setup.TIERS_EMPTY, text_setup.TIERS_EMPTY_DETAIL, button)

    def _show_header(self) -> None:
        is_changed = self._draft.is_changed
        self.what_if.compare(self._draft.plan if is_changed else None)
        self._unsaved.setVisible(is_changed)
        self._save.setEnabled(is_changed)
        self._undo.setEnabled(self._draft.can_undo)
        mode = self._desk.settings.routing.mode
        is_used = mode.kind not in (ModeKind.DIRECT, ModeKind.OBSERVE)
        self._notice.setVisible(not is_used and self._draft.saved.tiers.are_complete)
        self._notice_label.setText(text_setup.tiers_not_used(mode))
        self._notice_label.set_kind(LabelKind.BODY)
        self._notice_button.setVisible(True)

    def _show_columns(self) -> None:
        plan, settings = self._draft.plan, self._desk.settings
        states = {account.id: account.state for account in self._desk.snapshot().accounts}
        accounts = [(account.id, account_title(account)) for account in settings.accounts if account.is_enabled]
        wrong = problems(plan, settings)
        for tier, column in self.columns.items():
            shown = [self._shown(target, settings, states) for target in plan.tiers.of(tier)]
            column.show_targets(shown, accounts)
            column.show_problem(wrong.get(tier, ""))
        self._show_ranges()

    def _show_ranges(self) -> None:
        for tier, column in self.columns.items():
            column.show_range(*self.band.boundaries.range_of(tier), self.band.count_of(tier))

    def _shown(self, target: Target, settings: Settings, states: dict[str, str]) -> ShownTarget:
        account = settings.account(target.account)
        state = states.get(target.account, "unknown") if account else "failing"
        words = text.ACCOUNT_STATES.get(state, state)
        if account is None:
            return ShownTarget(target, target.account, ModelFacts(target.model), state, words)
        facts = self._desk.facts_of(account.id, target.model)
        return ShownTarget(target, account_title(account), facts, state, words)

    def _show_histogram(self, counts: Sequence[int]) -> None:
        self.band.show_counts(counts)
        self._band_card.set_note(text_setup.BAND_NOTE)
        self._show_ranges()

    def _show_histogram_error(self, error: LynkrError) -> None:
        self._band_card.set_note(say_back(error.title))

    # ------------------------------------------------------------ editing

    def _edit(self, plan: TierPlan) -> None:
        self._draft.edit(plan)
        self._show_all()

    def undo(self) -> None:
        """Take the last step back; saved again it must be."""
        self._draft.undo()
        self._show_all()

    def _boundaries_moving(self, boundaries: Boundaries) -> None:
        self._show_ranges()
        plan = self._draft.with_boundaries(boundaries)
        self.what_if.compare(plan)
        self.try_it.show_plan(plan, is_saved=False)

    def _boundaries_moved(self, boundaries: Boundaries) -> None:
        self._edit(self._draft.with_boundaries(boundaries))

    def _offer_models(self, tier: Tier, account: str) -> None:
        form = self.columns[tier].form
        if account in self._models:
            form.offer_models(account, self._models[account])
            return
        known = self._desk.settings.account(account)
        form.offer_models(account, (known.model,) if known and known.model else ())
        if account:
            self._desk.spawn(self._load_models(tier, account), "list models")

    async def _load_models(self, tier: Tier, account: str) -> None:
        try:
            models = await self._desk.models(account)
        except LynkrError:
            return  # any name can be typed; the Providers page tells what is wrong with the account
        self._models[account] = tuple(model.id for model in models)
        self.columns[tier].form.offer_models(account, self._models[account])

    # ------------------------------------------------------------ presets

    def _fill_presets(self) -> None:
        self._presets.clear()
        for preset in presets(self._desk.settings):
            action = self._presets.addAction(preset.title)
            action.triggered.connect(lambda _checked=False, preset=preset: self._use_preset(preset))
        if not self._presets.actions():
            self._presets.addAction(text_setup.ADD_PROVIDER).triggered.connect(lambda: self.page_wanted.emit("providers"))

    def _press_empty(self) -> None:
        offered = presets(self._desk.settings)
        if offered:
            self._use_preset(offered[0])
        else:
            self.page_wanted.emit("providers")

    def _use_preset(self, preset: Preset) -> None:
        if preset.account is not None:
            self._desk.spawn(self._add_account(preset.account), "add the preset's account")
        self._edit(replace(self._draft.plan, tiers=preset.tiers))

    async def _add_account(self, account: Account) -> None:
        settings = self._desk.settings
        await self._desk.change(replace(settings, accounts=(*settings.accounts, account)))

    # ------------------------------------------------------------ saving

    async def save(self) -> None:
        """Save and use the plan. What is wrong is shown where it is; the edits stay."""
        settings, plan = self._desk.settings, self._draft.plan
        routing = replace(settings.routing, tiers=plan.tiers, boundaries=plan.boundaries)
        try:
            await self._desk.change(replace(settings, routing=routing))
        except LynkrError as error:
            self._show_refusal(error)

    async def _use_auto(self) -> None:
        settings = self._desk.settings
        try:
            await self._desk.change(replace(settings, routing=replace(settings.routing, mode=Mode())))
        except LynkrError as error:
            self._show_refusal(error)

    def _show_refusal(self, error: LynkrError) -> None:
        words = text.refused(error)
        field = error.field if isinstance(error, ConfigError) else ""
        tier = next((tier for tier in TIERS if field.endswith(f".{tier.lower()}")), None)
        if tier is not None:
            self.columns[tier].show_problem(words)
            return
        self._notice_label.setText(words)
        self._notice_label.set_kind(LabelKind.BAD)
        self._notice_button.hide()
        self._notice.show()

    def _settings_changed(self) -> None:
        self._draft.follow(plan_of(self._desk.settings.routing))
        self._show_all()
