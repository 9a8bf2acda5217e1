"""The pool of compute threads."""

import subprocess
import sys
import textwrap


def test_a_stop_while_the_pool_starts_does_not_keep_the_process() -> None:
    """Ctrl-C in the main thread while the first compute thread waits for the others."""
    script = textwrap.dedent("""
        import threading
        import torch
        from cytoform.representations.threads import Threads

        torch.set_num_threads(2)
        wait = threading.Barrier.wait

        def stopped(barrier, timeout=None):
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            return wait(barrier, timeout)

        threading.Barrier.wait = stopped
        try:
            Threads()
        except KeyboardInterrupt:
            print("stopped")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")
