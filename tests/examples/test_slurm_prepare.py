"""The script for SLURM: without one nothing is submitted, and the job is what the guide says."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "slurm_prepare.py"


def test_the_job_starts_single_threaded_workers_that_know_the_scheduler(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    script = done.stdout
    assert script.startswith("#!")
    assert "#SBATCH -J cytoform-prepare" in script
    assert "#SBATCH --cpus-per-task=8" in script
    assert "#SBATCH --mem=15G" in script
    assert "#SBATCH -t 04:00:00" in script
    (worker,) = [line for line in script.splitlines() if "dask" in line and "worker" in line and "tcp://" in line]
    assert re.search(r"tcp://[0-9.]+:\d+", worker)
    assert "--nworkers 8" in worker
    assert "--nthreads 1" in worker
    assert list(tmp_path.iterdir()) == []
