"""The demo's config: the paper's full campaign on bundled data, from a shell and from an empty store."""

DEMO = {"name": "lenet5-mnist", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}
"""Everything else is the default; sample_configs/lenet5-mnist.toml spells it out."""
