"""Check a dump of a model against the same tensors from another source; exit code 1 and a reason when they differ.

python -m bench.data.check_dump DUMP OUTPUTS.npz     the model's outputs, as inference gives them: the same bits
python -m bench.data.check_dump DUMP OTHER.bin       another dump: the same tensors, the same bits
python -m bench.data.check_dump DUMP RESULTS.json    Polygraphy's outputs (its interpreter): within a thousandth of
                                                     the tensor's largest value, for it optimises the graph
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.data.blocks import read_blocks

TOLERANCE = 1e-3


def read_other(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and values of every tensor of the other source, NHWC order, flat."""
    if path.suffix == ".bin":
        yield from ((name, values) for name, _, values in read_blocks(path))
    elif path.suffix == ".npz":
        with np.load(path) as outputs:
            yield from ((name, flatten_nhwc(outputs[name])) for name in outputs.files)
    else:
        from polygraphy.comparator import RunResults

        ((_, iterations),) = RunResults.load(str(path))
        yield from ((name, flatten_nhwc(np.asarray(array))) for name, array in iterations[0].items())


def flatten_nhwc(array: np.ndarray) -> np.ndarray:
    """Return the values in the order of a dump: 4-D tensors with the channels last."""
    return (array.transpose(0, 2, 3, 1) if array.ndim == 4 else array).reshape(-1)


def find_difference(mine: np.ndarray, other: np.ndarray, exact: bool) -> str | None:
    """Return in what two tensors differ, or None."""
    if mine.size != other.size:
        return f"{mine.size} values against {other.size}"
    if exact:
        wrong = int(np.count_nonzero(mine.view(np.int32) != other.astype(np.float32, copy=False).view(np.int32)))
        return f"{wrong} of {mine.size} values differ" if wrong else None
    off = float(np.abs(mine - other).max() / (np.abs(other).max() + 1e-12))
    return f"off by {off:.2e} of the largest value" if not off <= TOLERANCE else None


def main() -> None:
    """Exit with a reason at the first tensor that differs or is missing."""
    dump, path = Path(sys.argv[1]), Path(sys.argv[2])
    others = dict(read_other(path))
    compared = 0
    everything = path.suffix != ".npz"
    for name, _, values in read_blocks(dump):
        if name not in others:
            if everything:
                sys.exit(f"{name} is not in {path.name}")
            continue
        if difference := find_difference(values, others.pop(name), exact=path.suffix != ".json"):
            sys.exit(f"{name}: {difference}")
        compared += 1
    if others or not compared:
        sys.exit(f"{compared} tensors compared; not in {dump.name}: {sorted(others)[:3]}")


if __name__ == "__main__":
    main()
