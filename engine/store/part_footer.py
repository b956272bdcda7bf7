"""What the footer of each Parquet file of a part says: where the part belongs, and how it was computed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.store.records import Receipt, Span
from engine.store.schema import AUDIT_COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Known:
    """What is known of a part beside its rows and its place."""

    fingerprint: str
    """of its campaign"""
    seconds: float | None = None
    """see `Receipt`, like all that follow"""
    engine: str | None = None
    statistics: Mapping[str, Any] = field(default_factory=dict)
    audited: int = 0
    missed: int = 0

    def footer(self, span: Span) -> dict[str, object]:
        """Key -> value; what is not known has no key."""
        found: dict[str, object] = {"seconds": self.seconds, "engine": self.engine}
        found |= {"statistics": json.dumps(dict(self.statistics)) if self.statistics else None}
        found |= {name: getattr(self, name) if self.audited else None for name in AUDIT_COUNTS}
        known = {key: value for key, value in found.items() if value is not None}
        return {**vars(span), "fingerprint": self.fingerprint, **known}

    def receipt(
        self, part: int, span: Span, counts: Mapping[str, int], hashes: dict[str, str], rebuilt: bool = False
    ) -> Receipt:
        """The receipt of the part.

        Args:
            part: its number.
            span: where it belongs.
            counts: of its pairs, by all of `COUNTS`.
            hashes: table -> hash of its file.
            rebuilt: whether this was read from the part itself.

        Raises:
            ValueError: the counts do not add up to the pairs of the span.
        """
        return Receipt(
            part=part,
            span=span,
            masked=counts["masked"],
            non_critical=counts["non_critical"],
            critical=counts["critical"],
            screened=counts["screened"],
            dropped=counts["dropped"],
            sha256=hashes,
            seconds=self.seconds,
            rebuilt=rebuilt,
            engine=self.engine,
            statistics=self.statistics,
            audited=self.audited,
            missed=self.missed,
        )


def read_footer(footer: Mapping[str, str]) -> tuple[Span, Known]:
    """What a footer says.

    Raises:
        KeyError, ValueError, TypeError: it is not one of a part.
    """
    kept = dict(footer)
    fingerprint, seconds = kept.pop("fingerprint"), kept.pop("seconds", None)
    engine, statistics = kept.pop("engine", None), json.loads(kept.pop("statistics", "{}"))
    audited, missed = (int(kept.pop(name, 0)) for name in AUDIT_COUNTS)
    span = Span(**{name: int(value) for name, value in kept.items()})
    known_seconds = None if seconds is None else float(seconds)
    return span, Known(fingerprint, known_seconds, engine, statistics, audited, missed)
