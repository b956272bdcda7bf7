"""Every severity as the plain loop gives it, with only the rest of the network run again."""
