"""Turn a dump into Polygraphy's own file format; run with the interpreter that has Polygraphy.

python -m bench.rivals.polygraphy_save DUMP RUNNER_NAME OUT.json
"""

import sys
from collections import OrderedDict
from pathlib import Path

from polygraphy.comparator import IterationResult, RunResults

from bench.data.blocks import read_blocks


def main() -> None:
    """Write one run with one iteration."""
    dump, runner, out = sys.argv[1:4]
    outputs = OrderedDict((name, values.reshape(shape)) for name, shape, values in read_blocks(Path(dump)))
    results = RunResults()
    results.append((runner, [IterationResult(outputs, runner_name=runner)]))
    results.save(out)


if __name__ == "__main__":
    main()
