"""Rendering of surfaces and figures without a display."""
