"""The fields of the form for a new campaign."""
