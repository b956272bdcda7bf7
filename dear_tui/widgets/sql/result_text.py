"""What is said of a result above and below its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dear_tui.widgets.sql.result_grid import PreparedPage
    from engine.store.sql.sql import Order


def rows_text(page: PreparedPage, total: int | None, at_least: int | None = None) -> str:
    """16,501 rows; first 100,000 of 10,000,000 rows; rows 100,001-200,000 of more than 10,000,000."""
    all_rows = f" of more than {at_least:,}" if at_least is not None else "" if total is None else f" of {total:,}"
    if page.first:
        return f"rows {page.first + 1:,}–{page.first + page.count:,}{all_rows}"
    if page.more:
        return f"first {page.count:,}{all_rows} rows"
    return "1 row" if page.count == 1 else f"{page.count:,} rows"


def found_text(page: PreparedPage) -> str:
    """17 cells match conv, on this page: n and N go through them."""
    if page.found is None:
        return ""
    count, where = len(page.found.places), " on this page" if page.more or page.first else ""
    cells = "no cell matches" if not count else "1 cell matches" if count == 1 else f"{count:,} cells match"
    return f"{cells} {page.found.text}{where}" + (", n and N go there" if count else "")


def order_sign(order: Order) -> str:
    """Whether values fall or rise."""
    return "↓" if order.is_descending else "↑"
