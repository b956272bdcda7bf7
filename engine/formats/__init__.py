"""Number formats that weights are stored in, and what a fault makes of them."""
