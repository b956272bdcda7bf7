"""Fault injection into the weights of trained CNNs: sampling, ranking, injection, storage. Knows no terminal."""
