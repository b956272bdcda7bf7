"""How a report is written: one file a format, and a line for it in `registry`."""
