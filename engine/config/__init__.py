"""A campaign as its user describes it in TOML."""
