"""How numbers, steps, names and notices are written."""
