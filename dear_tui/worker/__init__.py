"""The worker: a process of its own that runs a store's queue, so that campaigns outlive the terminal."""
