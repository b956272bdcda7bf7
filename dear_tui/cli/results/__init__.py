"""Commands that tell what finished campaigns found."""
