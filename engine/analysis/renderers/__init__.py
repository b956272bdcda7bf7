"""How a table of results is written: one file a format, and a line for it in `registry`."""
