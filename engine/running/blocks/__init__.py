"""Block jobs: planned from what is left, computed by an executor, cut into parts."""
