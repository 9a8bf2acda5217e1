"""Whether two sets of numbers, or of sequences, are alike."""
