"""Prepare on a SLURM cluster: start Dask workers as jobs, then run the command on them.

python slurm_prepare.py SOURCE... --out shapes.zarr [options of 'cytoform prepare']

Adjust JOB to your cluster. Without SLURM, or without arguments, the job script is printed and nothing is submitted.
"""

import shutil
import subprocess
import sys

from dask_jobqueue import SLURMCluster

N_JOBS = 8
# A job with eight single-threaded workers of 2 GB each; all nodes must see sources and output.
JOB = {"cores": 8, "processes": 8, "memory": "16GB", "walltime": "04:00:00", "job_name": "cytoform-prepare"}

if __name__ == "__main__":
    with SLURMCluster(**JOB, scheduler_options={"dashboard_address": ":0"}) as cluster:
        if shutil.which("sbatch") is None or len(sys.argv) == 1:
            print(cluster.job_script())
            sys.exit()
        cluster.scale(jobs=N_JOBS)
        command = ["cytoform", "prepare", *sys.argv[1:], "--scheduler", cluster.scheduler_address]
        sys.exit(subprocess.run(command).returncode)
