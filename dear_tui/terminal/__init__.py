"""The terminal that the program runs in: its input, its end, crashes and threads."""
