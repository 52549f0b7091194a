"""Check a folder of result files against a model's outputs; exit code 1 and a reason when they differ.

    python -m bench.data.check_results OUTPUTS.npz FOLDER LEAST_COS

The outputs are those of every image, stacked by name, as ``bench/rivals/plain_runs.py`` keeps them; the result files,
in alphabetical order, belong to these images. They are read here with a split of their text.
"""

import re
import sys
from pathlib import Path

import numpy as np

from bench.data.cosine import measure_cosine

OUTPUT = re.compile(r"^(.*) Tensor:\n\{\n.*\ntensor data:\n([^}]*)\}", re.MULTILINE)


def read_result(path: Path) -> dict[str, np.ndarray]:
    """Return the values of every output in a result file without alignment, flat."""
    found = OUTPUT.findall(path.read_text("utf-8"))
    return {name: np.array(values.split(), np.float64) for name, values in found}


def main() -> None:
    """Exit with a reason at the first output that is missing or off."""
    npz, folder, least = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    results = [read_result(path) for path in sorted(folder.glob("*.txt"))]
    with np.load(npz) as outputs:
        for name in outputs.files:
            expected = outputs[name]
            if len(results) != len(expected):
                sys.exit(f"{len(results)} result files in {folder} for {len(expected)} images")
            if expected.ndim == 5:  # stacked 4-D ones
                expected = expected.transpose(0, 1, 3, 4, 2)
            found = np.stack([result[name] for result in results])
            cosine = measure_cosine(expected.reshape(len(expected), -1), found)
            if not cosine >= least:
                sys.exit(f"{name}: COS {cosine:.6f}, expected at least {least:g}")


if __name__ == "__main__":
    main()
