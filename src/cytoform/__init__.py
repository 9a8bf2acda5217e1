"""Learns how living cells change shape, as continuous signed distances in space and time, and makes new ones."""

__version__ = "0.1.0"
