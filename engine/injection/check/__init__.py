"""Comparison of the methods with the plain loop, and of the network with itself."""
