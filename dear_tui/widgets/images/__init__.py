"""The image and what is known of it."""
