"""Shared parts of all trainings: device, threads, processes, checkpoints, metrics, and stopping."""
