"""Numbers as a person reads them."""

from __future__ import annotations

UNITS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def short_count(number: float) -> str:
    """Three digits and a unit: 950, 16.5k, 165M; whole thousands without a fraction: 10k."""
    if number < 0:
        return f"-{short_count(-number)}"
    for size, unit in UNITS:
        if number >= size * 0.9995:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def rate(per_second: float) -> str:
    """A rate with three digits and its unit: 398k/s."""
    return f"{short_count(per_second)}/s"


def byte_count(size: float) -> str:
    """51MB, 1.2GB, 512 B."""
    return f"{short_count(size)}B" if size >= 1000 else f"{size:.0f} B"


def percent(part: float, whole: float) -> str:
    """A share with three digits: 84.2 %, 0.583 %."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.001:
        return "<0.001 %"
    return f"{share:.3g} %"


def duration(seconds: float) -> str:
    """The two largest units: 42s, 4m 02s, 1h 12m, 2d 03h."""
    whole = max(round(seconds), 0)
    for size, unit, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // below:02d}{smaller}"
    return f"{whole}s"


def between(least: float, most: float) -> str:
    """A time that is known within a range, in words.

    >>> between(61, 95), between(61, 61.2)
    ('1m 01s to 1m 35s', 'about 1m 01s')
    """
    ends = duration(least), duration(most)
    return f"about {ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def stopwatch(seconds: float) -> str:
    """What was measured, with fractions of a second below a minute: 0.42 s, 12.3 s, 1m 05s."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 59.95 else duration(seconds)
