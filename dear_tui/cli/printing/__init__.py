"""How every command prints: tables, steps, JSON, and nothing that a terminal obeys."""
