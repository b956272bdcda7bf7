"""A process of its own that tries a config out: the terminal stays small and quick, and an estimate can be ended."""
