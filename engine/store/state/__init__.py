"""state.sqlite: the campaigns, the queue, the worker and the lock."""
