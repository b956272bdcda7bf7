"""Colours that mean something: red critical, amber non-critical, blue-grey masked, whatever the theme."""

from __future__ import annotations

from dataclasses import dataclass

from textual.color import BLACK, WHITE, Color, ColorParseError, rgb_to_lab

LEAST_DISTANCE = 30.0
"""CIE76; themes take red and orange for errors and warnings that are 19 apart, which a thin line does not show"""
LEAST_CONTRAST = 30.0
"""from the background"""

LEAST_LIGHTNESS = 38.0
"""how far letters are from the background, of 100: more than the 3 : 1 of WCAG; more would make pink of red"""


@dataclass(frozen=True)
class Wish:
    """How a colour should look, and what it is where the theme has none that looks so."""

    dark: str
    """on a dark background"""
    light: str
    """on a light one"""
    ansi: str
    """where the terminal's own colours are taken"""
    variable: str = ""
    """of the theme, taken where its hue fits"""
    hues: tuple[float, float] = (0.0, 0.0)
    """degrees, from and to, clockwise"""

    def has(self, colour: str) -> bool:
        """Whether a colour has one of the hues."""
        first, last = self.hues
        hue = Color.parse(colour).hsl.h * 360
        return (hue - first) % 360 <= (last - first) % 360


CLASSES = {
    "critical": Wish("#ff5a52", "#c62828", "ansi_red", "error", (348, 15)),
    "non-critical": Wish("#f5b833", "#a86f00", "ansi_yellow", "warning", (26, 52)),
    "masked": Wish("#7f9fbd", "#4f6f8f", "ansi_blue"),
    "metric": Wish("#b07cf0", "#7a3fc9", "ansi_cyan"),
}
"""Class -> its colour, the most important first: it keeps its own, the others give way."""

OTHERS = {
    "heat": Wish("#ff3838", "#c4101c", "ansi_red"),
    "overlay-0": Wish("#4f96ff", "#0f56d0", "ansi_cyan"),
    "overlay-1": Wish("#5fd068", "#1f7a2a", "ansi_green"),
    "overlay-2": Wish("#f56fdc", "#b8129a", "ansi_magenta"),
    "overlay-3": Wish("#2fd5d5", "#008f8a", "ansi_bright_blue"),
}
"""The hottest of the map, and the lines of several campaigns, none of which looks like a severity."""


def class_variables(theme: dict[str, str]) -> dict[str, str]:
    """From the variables of a theme: `class-masked` and so on for what is drawn, `text-class-masked` for its name.

    And `class-heat`, and `class-overlay-0` and so on.
    """
    background = theme["background"]
    chosen: dict[str, str] = {}
    for name, wish in CLASSES.items():
        others = chosen.values()
        chosen[name] = next(
            colour
            for colour in _candidates(wish, theme)
            if colour == _own(wish, background)
            or (
                all(distance(colour, other) >= LEAST_DISTANCE for other in others)
                and distance(colour, background) >= LEAST_CONTRAST
            )
        )
    drawn = {f"class-{name}": colour for name, colour in chosen.items()}
    others_drawn = {f"class-{name}": _own(wish, background) for name, wish in OTHERS.items()}
    return drawn | {f"text-{name}": readable(colour, background) for name, colour in drawn.items()} | others_drawn


def _candidates(wish: Wish, theme: dict[str, str]) -> list[str]:
    """The theme's colour where its hue fits, then the own one."""
    own, background = _own(wish, theme["background"]), theme["background"]
    if not wish.variable or _is_terminals(background) or _is_terminals(theme[wish.variable]):
        return [own]
    return [theme[wish.variable], own] if wish.has(theme[wish.variable]) else [own]


def _own(wish: Wish, background: str) -> str:
    if _is_terminals(background):
        return wish.ansi
    return wish.dark if rgb_to_lab(Color.parse(background)).L < 50 else wish.light


def _is_terminals(colour: str) -> bool:
    """Whether it is one of the terminal's own colours, of which nobody knows how they look."""
    try:
        return Color.parse(colour).ansi is not None
    except ColorParseError:
        return True


def readable(colour: str, background: str) -> str:
    """A colour of the same hue, as much lighter or darker as letters need; a terminal's own colour as it is."""
    if _is_terminals(colour) or _is_terminals(background):
        return colour
    ink, paper = Color.parse(colour), Color.parse(background)
    steps = (ink.blend(paper.get_contrast_text(1.0), share / 20) for share in range(21))
    lightness = rgb_to_lab(paper).L
    return next(step.hex for step in steps if abs(rgb_to_lab(step).L - lightness) >= LEAST_LIGHTNESS)


def distance(one: str, other: str) -> float:
    """How different two colours look; a terminal's own unknown one is far from everything."""
    try:
        first, second = (rgb_to_lab(Color.parse(colour)) for colour in (one, other))
    except ColorParseError:
        return 100.0
    return float(((first.L - second.L) ** 2 + (first.a - second.a) ** 2 + (first.b - second.b) ** 2) ** 0.5)


def contrast(one: Color, other: Color) -> float:
    """As WCAG has it, 1 to 21; letters are readable from 4.5 on."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def letters_on(ground: Color) -> Color:
    """Black or white, whichever is told apart more; the contrast is at least 4.5 on every ground."""
    return max(BLACK, WHITE, key=lambda ink: contrast(ink, ground))


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
