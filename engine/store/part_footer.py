"""What the footer of each Parquet file of a part says: where the part belongs, and how it was computed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.store.records import Receipt, Span
from engine.store.schema import AUDIT_COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_footer(receipt: Receipt, fingerprint: str) -> dict[str, object]:
    """Key -> value of a part's receipt and of the fingerprint of its campaign; what is not known has no key."""
    found: dict[str, object] = {"seconds": receipt.seconds, "engine": receipt.engine}
    found |= {"statistics": json.dumps(dict(receipt.statistics)) if receipt.statistics else None}
    found |= {name: getattr(receipt, name) if receipt.audited else None for name in AUDIT_COUNTS}
    known = {key: value for key, value in found.items() if value is not None}
    return {**vars(receipt.span), "fingerprint": fingerprint, **known}


def read_footer(footer: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The fingerprint that a footer says, and the fields of the receipt that it says.

    Raises:
        KeyError, ValueError, TypeError: it is not one of a part.
    """
    kept = dict(footer)
    fingerprint, seconds = kept.pop("fingerprint"), kept.pop("seconds", None)
    known: dict[str, Any] = {"seconds": None if seconds is None else float(seconds), "engine": kept.pop("engine", None)}
    known |= {"statistics": json.loads(kept.pop("statistics", "{}"))}
    known |= {name: int(kept.pop(name, 0)) for name in AUDIT_COUNTS}
    return fingerprint, known | {"span": Span(**{name: int(value) for name, value in kept.items()})}
