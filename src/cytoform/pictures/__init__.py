"""Surfaces and figures as pictures, without a display."""
