"""The form of a new campaign, without its widgets."""
