"""Injecting single-bit faults into the weights of a CNN, in batches. Needs only torch and numpy."""
