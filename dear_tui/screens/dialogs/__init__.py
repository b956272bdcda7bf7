"""Screens that lie over another one, answer it and go."""
