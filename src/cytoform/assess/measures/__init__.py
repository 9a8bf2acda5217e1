"""Measures of frames, of pairs of frames and of sequences."""
