"""Convolutions and pooling computed for the few values that change."""
