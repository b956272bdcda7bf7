"""How far a change of one channel can move the logits."""
