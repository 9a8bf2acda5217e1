"""The signals that stop a command: Ctrl-C, SIGTERM, and a terminal that closes."""

import signal

STOPS = [signal.SIGINT, signal.SIGTERM]
# There is none on Windows, and nohup has it ignored.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
    STOPS.append(signal.SIGHUP)
