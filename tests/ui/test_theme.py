"""Colours can be read in both themes, and the theme follows the user's choice and the system."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

import lynkr_desktop.ui
from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.config.settings import Theme as Choice
from lynkr_desktop.ui.palette import DARK, LIGHT, Palette, contrast, mixed, series_colour, with_accent
from lynkr_desktop.ui.theme import TABULAR_FIGURES, Theme, font

BOTH = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


@BOTH
def test_text_reaches_four_and_a_half_to_one(palette: Palette) -> None:
    texts = [palette.text, palette.muted, palette.good, palette.warning, palette.bad, *map(palette.tier, TIERS)]
    for ground in (palette.window, palette.card, palette.raised):
        for text in texts:
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(palette.on_accent, palette.accent) >= 4.5


@BOTH
def test_names_of_zones_can_be_read_on_their_zone(palette: Palette) -> None:
    for tier in TIERS:
        assert contrast(palette.tier(tier), palette.zone(tier)) >= 4.5
        assert contrast(palette.muted, palette.zone(tier)) >= 4.5


@BOTH
def test_shapes_and_bars_stand_out(palette: Palette) -> None:
    for tier in TIERS:
        for ground in (palette.window, palette.card, palette.zone(tier)):
            assert contrast(palette.tier_fill(tier), ground) >= 3
    for index in range(9):
        assert contrast(series_colour(palette, index), palette.card) >= 3


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert mixed("#ff0000", "#000000", 0.5) == "#800000"


def test_an_accent_that_cannot_be_seen_is_not_used() -> None:
    assert with_accent(LIGHT, "#fefefe") is LIGHT
    assert with_accent(LIGHT, "") is LIGHT
    orange = with_accent(LIGHT, "#c64600")
    assert orange.accent == "#c64600"
    assert contrast(orange.on_accent, orange.accent) >= 4.5


def test_a_choice_changes_the_colours_at_once(theme: Theme, qapp: QApplication) -> None:
    seen: list[str] = []
    theme.changed.connect(lambda: seen.append(theme.palette.window))
    theme.choose(Choice.DARK)
    theme.choose(Choice.LIGHT)
    assert seen == [DARK.window, LIGHT.window]
    assert LIGHT.window in qapp.styleSheet()
    assert qapp.palette().window().color().name() == LIGHT.window


def test_the_systems_scheme_counts_only_without_a_choice(qapp: QApplication) -> None:
    theme = Theme(qapp, Choice.DARK)
    QGuiApplication.styleHints().colorSchemeChanged.emit(QGuiApplication.styleHints().colorScheme())
    assert theme.palette.is_dark
    theme.choose(Choice.SYSTEM)
    QGuiApplication.styleHints().colorSchemeChanged.emit(QGuiApplication.styleHints().colorScheme())
    assert theme.palette.is_dark == (QGuiApplication.styleHints().colorScheme().name == "Dark")
    theme.deleteLater()


def test_figures_are_tabular(theme: Theme) -> None:
    assert font(13).featureValue(TABULAR_FIGURES) == 1


def test_only_the_palette_names_colours() -> None:
    root = Path(lynkr_desktop.ui.__file__).parent
    painted = [path for path in root.rglob("*.py") if path.name not in {"palette.py", "tray_icons.py", "theme.py"}]
    assert painted
    for path in painted:
        lines = [line for line in path.read_text("utf-8").splitlines() if '"#' in line and "rrggbb" not in line]
        assert lines == [], path
