"""What is measured on frames, pairs of frames and sequences."""
