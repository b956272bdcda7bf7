"""The SQL editor, the tables it can read and its result."""
