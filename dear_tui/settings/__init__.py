"""The settings file, the keys and the colours."""
