import numpy as np

def sum_runs(
    a: np.ndarray, b: np.ndarray, itemsize: int, starts: np.ndarray, sizes: np.ndarray, table: np.ndarray, /
) -> None:
    """Do what ``ipudebug.metrics.runs.sum_runs_by_numpy`` does."""
