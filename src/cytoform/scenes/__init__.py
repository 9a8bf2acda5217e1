"""Many cells in one movie with a lineage, written as a benchmark data set."""
