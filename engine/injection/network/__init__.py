"""The network as a graph: traced, cut into suffixes, its channels followed."""
