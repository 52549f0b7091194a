"""The cosine of two arrays, the plain way."""

import numpy as np


def measure_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return S(ab) / sqrt(S(a2) S(b2)) in float64; 1 if both are zero. Raises ValueError where the shapes differ."""
    if a.shape != b.shape:
        raise ValueError(f"{a.shape} against {b.shape}")
    x, y = a.astype(np.float64).reshape(-1), b.astype(np.float64).reshape(-1)
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale else float(np.array_equal(x, y))
