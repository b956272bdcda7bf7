"""The panels of the machine and its GPUs."""
