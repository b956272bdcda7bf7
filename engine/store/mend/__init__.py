"""Stores that were damaged or left in the middle of something."""
