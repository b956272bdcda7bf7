"""What a campaign shows: the detection curve and the rows of the paper's tables."""
