"""What every training here shares: device, threads, processes, checkpoints, metrics, and requests to stop."""
