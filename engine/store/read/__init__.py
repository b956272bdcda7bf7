"""What the terminal and the commands ask of a store."""
