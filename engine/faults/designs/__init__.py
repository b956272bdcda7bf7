"""How a sample of faults is designed: the strata of its population, and how many faults each of them gives."""
