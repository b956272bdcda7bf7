"""The faults of a campaign: which could be drawn, which are, and what each makes of a weight."""
