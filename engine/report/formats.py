"""What a report can be written as; `engine.report.writers.registry`, which takes longer to load, has what writes it."""

from __future__ import annotations

TEXT_FORMATS = ("text", "csv", "md", "latex", "html")
"""one text, which can be printed"""

FILE_FORMATS = ("pdf", "svg", "png")
"""files that are no text, or several"""

JSON = "json"
"""for programs"""

REPORT_FORMATS = (*TEXT_FORMATS, *FILE_FORMATS, JSON)
