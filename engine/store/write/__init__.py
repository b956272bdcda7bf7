"""Campaigns made, their parts written and sealed."""
