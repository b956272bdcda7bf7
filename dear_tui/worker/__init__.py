"""Running a campaign in a process of its own, so that it outlives the terminal it was started from."""
