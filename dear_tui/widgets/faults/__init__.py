"""The map of faults, its lists and the page of one fault."""
