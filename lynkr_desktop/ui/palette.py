"""The colours of the window, for light and dark, and the arithmetic of contrast. Holds no sizes, no words and no widgets."""

from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtGui import QColor

from lynkr_desktop.config.settings import Tier


@dataclass(frozen=True, slots=True)
class Palette:
    """One set of colours, as #rrggbb. Text colours reach 4.5:1 on `window`, `card`, `raised` and on the tiers' tinted zones."""

    is_dark: bool
    window: str  # behind everything
    card: str  # cards, inputs, menus
    raised: str  # hovered and selected rows
    hairline: str  # borders and rules
    grid: str  # lines inside charts
    text: str
    muted: str  # secondary text
    accent: str  # the system's: focus, primary buttons
    on_accent: str  # text on `accent`
    good: str
    warning: str
    bad: str
    simple: str
    medium: str
    complex: str
    reasoning: str
    simple_fill: str  # the tiers as areas and shapes: 3:1 is enough there, so they may be brighter
    medium_fill: str
    complex_fill: str
    reasoning_fill: str
    zone_strength: float = 0.08  # how much of a tier's colour its zone holds

    def tier(self, tier: Tier | None) -> str:
        """The text colour of a tier; of None (no tier: Direct mode) the muted one."""
        if tier is None:
            return self.muted
        return (self.simple, self.medium, self.complex, self.reasoning)[tier.rank]

    def tier_fill(self, tier: Tier | None) -> str:
        """The colour of a tier's shape and bars."""
        if tier is None:
            return self.muted
        return (self.simple_fill, self.medium_fill, self.complex_fill, self.reasoning_fill)[tier.rank]

    def zone(self, tier: Tier) -> str:
        """The tinted background of a tier's zone in charts."""
        return mixed(self.tier_fill(tier), self.card, self.zone_strength)


LIGHT: Final = Palette(
    is_dark=False,
    window="#f6f6f4",
    card="#ffffff",
    raised="#efeeea",
    hairline="#e2e1dc",
    grid="#e6e6e2",
    text="#1d1d1f",
    muted="#63636a",
    accent="#2766d4",
    on_accent="#ffffff",
    good="#0b7a69",
    warning="#955700",
    bad="#c22a3a",
    simple="#0b7a69",
    medium="#2766d4",
    complex="#7347c9",
    reasoning="#955700",
    simple_fill="#129180",
    medium_fill="#2f6fdf",
    complex_fill="#7c52d3",
    reasoning_fill="#c2770f",
)
DARK: Final = Palette(
    is_dark=True,
    window="#1b1b1d",
    card="#242427",
    raised="#2e2e33",
    hairline="#37373b",
    grid="#333338",
    text="#ededf0",
    muted="#a0a0a8",
    accent="#6ea0f8",
    on_accent="#10131a",
    good="#3cc2ad",
    warning="#e9a04b",
    bad="#f2788a",
    simple="#3cc2ad",
    medium="#6ea0f8",
    complex="#ab8cf5",
    reasoning="#e9a04b",
    simple_fill="#3cc2ad",
    medium_fill="#6ea0f8",
    complex_fill="#ab8cf5",
    reasoning_fill="#e9a04b",
    zone_strength=0.10,
)
# Other things than tiers in a stacked chart (accounts, models, clients) take these in turn, the most expensive first.
_SERIES: Final = ("medium_fill", "simple_fill", "complex_fill", "reasoning_fill", "bad", "muted")


def series_colour(palette: Palette, index: int) -> str:
    """The colour of the series at `index` where series are no tiers."""
    return str(getattr(palette, _SERIES[min(index, len(_SERIES) - 1)]))


def see_through(colour: str, share: float) -> str:
    """A colour of which so much (0 to 1) covers what is behind it, as Qt reads it."""
    return f"#{round(255 * share):02x}{colour[1:]}"


def mixed(colour: str, ground: str, strength: float) -> str:
    """`colour` laid over `ground` with an opacity of 0 to 1, as #rrggbb."""
    top, bottom = QColor(colour), QColor(ground)
    pairs = ((top.red(), bottom.red()), (top.green(), bottom.green()), (top.blue(), bottom.blue()))
    return "#" + "".join(f"{round(over * strength + under * (1 - strength)):02x}" for over, under in pairs)


def contrast(first: str, second: str) -> float:
    """Contrast of two colours, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    value = QColor(colour)
    channels = (value.redF(), value.greenF(), value.blueF())
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def with_accent(palette: Palette, accent: str) -> Palette:
    """The palette with the system's accent, if that can be told apart from the background (3:1); else unchanged."""
    if not accent or contrast(accent, palette.card) < 3:
        return palette
    on_accent = max("#ffffff", "#10131a", key=lambda colour: contrast(colour, accent))
    return replace(palette, accent=accent, on_accent=on_accent)
