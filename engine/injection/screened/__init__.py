"""Pairs that a first-order bound calls safe are not run; of all others, critical labels as `fast` gives them."""
