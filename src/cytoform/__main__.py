"""`python -m cytoform` and the `cytoform` command."""

import os
import sys
import warnings


def main() -> None:
    """Run the command line and leave with its exit status."""
    # Figures go to files. A notebook passes on a backend of its own, which may not be installed here.
    os.environ["MPLBACKEND"] = "agg"
    from cytoform.cli import run

    status = run(sys.argv[1:])
    warnings.simplefilter("ignore")  # of libraries that clean up when the process ends
    sys.exit(status)


if __name__ == "__main__":
    main()
