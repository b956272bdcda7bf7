"""The colours of the severity classes and of the metric: the theme's, unless two of them look alike."""

from __future__ import annotations

from itertools import chain

from textual.color import Color, ColorParseError, rgb_to_lab

LEAST_DISTANCE = 30.0
"""CIE76; themes take red and orange for errors and warnings that are 19 apart, which a thin line does not show"""
LEAST_CONTRAST = 30.0
"""from the background"""

LEAST_LIGHTNESS = 38.0
"""how far letters are from the background, of 100: more than the 3 : 1 of WCAG; more would make pink of red"""

CLASSES = {"critical": "success", "masked": "primary", "non-critical": "error", "metric": "warning"}
"""Class -> the theme's variable, the most important first: it keeps its colour, the others give way."""

SPARE = ("#3b82f6", "#e5484d", "#30a46c", "#f5a524", "#d85fd6", "#22b8cf", "#8a5a2b", "#1d4ed8")


def class_variables(theme: dict[str, str]) -> dict[str, str]:
    """From the variables of a theme: `class-masked` and so on for what is drawn, `text-class-masked` for its name."""
    chosen: dict[str, str] = {}
    own = {name: theme[variable] for name, variable in CLASSES.items()}
    for name, colour in own.items():
        later = [own[other] for other in list(own)[len(chosen) + 1 :]]
        if all(distance(colour, other) >= LEAST_DISTANCE for other in chosen.values()):
            chosen[name] = colour
            continue
        spare = chain((theme["accent"], theme["secondary"]), SPARE)
        chosen[name] = next(
            candidate
            for candidate in spare
            if all(distance(candidate, other) >= LEAST_DISTANCE for other in [*chosen.values(), *later])
            and distance(candidate, theme["background"]) >= LEAST_CONTRAST
        )
    drawn = {f"class-{name}": colour for name, colour in chosen.items()}
    return drawn | {f"text-{name}": readable(colour, theme["background"]) for name, colour in drawn.items()}


def readable(colour: str, background: str) -> str:
    """A colour of the same hue, as much lighter or darker as letters need; a terminal's own colour as it is."""
    try:
        ink, paper = Color.parse(colour), Color.parse(background)
    except ColorParseError:
        return colour
    if ink.ansi is not None or paper.ansi is not None:
        return colour
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
