"""Where a picture lies in the frame of a model's input: mirrored, moved, between bands, resized by which kernel."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from ipudebug.diagnosis.colours import fit_colours

_REACH = 4
KERNELS = ("nearest", "bilinear", "bilinear without smoothing", "bicubic", "lanczos", "area")
"""PIL's kernels, which smooth when they shrink, and cv2's INTER_LINEAR, which does not."""
_SIDES = ("top", "bottom", "left", "right")


Move = Callable[[np.ndarray], np.ndarray]
"""A picture [H, W, C] -> the same elsewhere in its frame."""


def list_moves(height: int, width: int) -> dict[str, Move]:
    """Return ways to move a picture of that size within its frame, by name."""
    moves: dict[str, Move] = {
        "mirrored": lambda b: b[:, ::-1],
        "upside down": lambda b: b[::-1],
        "turned by half": lambda b: b[::-1, ::-1],
    }
    if height == width:
        moves["with rows and columns exchanged"] = lambda b: b.transpose(1, 0, 2)
    reach = min(_REACH, min(height, width) // 8)
    for dy, dx in itertools.product(range(-reach, reach + 1), repeat=2):
        if (dy, dx) != (0, 0):
            moves[f"moved by {dy:+d} rows and {dx:+d} columns"] = lambda b, by=(dy, dx): np.roll(b, by, (0, 1))  # type: ignore[misc]
    return moves


def find_move(a: np.ndarray, b: np.ndarray) -> tuple[str, Move, float]:
    """Return the name of the move of b that makes it most like a, the move, and the error energy that it leaves."""
    grey_a, grey_b = (side.mean(axis=2, keepdims=True) for side in (a, b))
    moves = list_moves(*b.shape[:2])
    left = {name: measure_left(grey_a, move(grey_b)) for name, move in moves.items()}
    best = min(left, key=lambda name: left[name])
    return best, moves[best], left[best]


def find_bands(a: np.ndarray) -> tuple[int, int, int, int]:
    """Return how many rows and columns of one colour lie at top, bottom, left and right of a picture."""
    rows = _count_ends((a == a[:1, :1]).all(axis=(1, 2)), (a == a[-1:, -1:]).all(axis=(1, 2)))
    columns = _count_ends((a == a[:1, :1]).all(axis=(0, 2)), (a == a[-1:, -1:]).all(axis=(0, 2)))
    if rows[0] == len(a):
        return (0, 0, 0, 0)  # one colour all over
    return (*rows, *columns)


def describe_bands(bands: tuple[int, int, int, int]) -> str:
    """Return bands in words; ``none``."""
    found = [f"{count} at the {side}" for side, count in zip(_SIDES, bands, strict=True) if count]
    return ", ".join(found) or "none"


def cut_bands(a: np.ndarray, bands: tuple[int, int, int, int]) -> np.ndarray:
    """Return what lies between the bands."""
    top, bottom, left, right = bands
    return a[top : a.shape[0] - bottom, left : a.shape[1] - right]


def resize(picture: np.ndarray, height: int, width: int, kernel: str) -> np.ndarray:
    """Return a picture [H, W, C] in another size, float64."""
    if picture.shape[:2] == (height, width):
        return picture
    if kernel == "bilinear without smoothing":
        return _interpolate(_interpolate(picture, height, 0), width, 1)
    from PIL import Image

    name = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "lanczos": "LANCZOS", "area": "BOX"}
    method = getattr(Image.Resampling, name[kernel])
    planes = [
        np.asarray(Image.fromarray(plane.astype(np.float32)).resize((width, height), method), np.float64)
        for plane in picture.transpose(2, 0, 1)
    ]
    return np.stack(planes, axis=2)


def find_kernel(a: np.ndarray, picture: np.ndarray) -> tuple[str, np.ndarray, float]:
    """Return the kernel that makes ``a`` of a picture best, the picture resized by it, and the error energy left."""
    best: tuple[str, np.ndarray, float] | None = None
    for kernel in KERNELS:
        candidate = resize(picture, a.shape[0], a.shape[1], kernel)
        left = measure_left(a, candidate)
        if best is None or left < best[2]:
            best = kernel, candidate, left
    assert best is not None
    return best


def shrink(a: np.ndarray, size: int = 24) -> np.ndarray:
    """Return the means of square blocks of a picture, about ``size`` on the shorter side: no kernel shows in them."""
    block = max(1, min(a.shape[:2]) // size)
    height, width = a.shape[0] // block, a.shape[1] // block
    cut = a[: height * block, : width * block]
    means: np.ndarray = cut.reshape(height, block, width, block, a.shape[2]).mean(axis=(1, 3))
    return means


def measure_left(a: np.ndarray, b: np.ndarray) -> float:
    """Return the error energy that a line leaves between the brightness of two pictures, whatever their colours."""
    return fit_colours(a.mean(axis=2, keepdims=True), b.mean(axis=2, keepdims=True))[2]


def follow_edges(a: np.ndarray, b: np.ndarray) -> float:
    """Return how far the difference of two pictures follows the edges in them, as a correlation -1..1."""
    gains, offsets, _ = fit_colours(a, b)
    b = gains * b + offsets
    edges = (_find_edges(a) + _find_edges(b)).ravel()
    error = np.abs(a - b)[1:-1, 1:-1].mean(axis=2).ravel()
    if edges.size < 16 or not edges.std() > 0 or not error.std() > 0:
        return 0.0
    return float(np.corrcoef(edges, error)[0, 1])


def _find_edges(a: np.ndarray) -> np.ndarray:
    """Return how far each inner pixel is from the mean of its neighbourhood."""
    height, width = a.shape[:2]
    inner = a[1:-1, 1:-1]
    around = sum(
        (a[1 + dy : height - 1 + dy, 1 + dx : width - 1 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)),
        np.zeros_like(inner),
    )
    edges: np.ndarray = np.abs(inner - around / 9).mean(axis=2)
    return edges


def _count_ends(first: np.ndarray, last: np.ndarray) -> tuple[int, int]:
    """Return how many True stand at the beginning of one array and at the end of another; 1 is no band."""
    start = int(np.argmin(first)) if not first.all() else first.size
    stop = int(np.argmin(last[::-1])) if not last.all() else last.size
    return (start if start > 1 else 0), (stop if stop > 1 else 0)


def _interpolate(picture: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Return a picture linearly interpolated along one axis, pixel centres at halves, without smoothing."""
    length = picture.shape[axis]
    places = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    low = np.floor(places).astype(np.intp)
    high = np.minimum(low + 1, length - 1)
    share = (places - low).reshape([-1 if dim == axis else 1 for dim in range(picture.ndim)])
    mixed: np.ndarray = picture.take(low, axis) * (1 - share) + picture.take(high, axis) * share
    return mixed
