"""A campaign from its config to its last part: prepared, proved, run, continued."""
