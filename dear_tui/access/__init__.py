"""What the screens read of a store and what they ask of it, away from the event loop."""
