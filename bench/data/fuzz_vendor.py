"""Reads mutated .sim files in one process and counts what came of them: ``python -m bench.data.fuzz_vendor ...``.

Arguments: first seed, number of files, then files to mutate (none: those of ``vendor_models``). Of the files that can
be read some are run, too, as ``simulate`` would. Prints one JSON object: ``read``, ``refused`` and ``run`` (counts),
``faults`` (anything but an error that ipudebug raises on purpose), ``slowest`` (seconds
of the processor for one file), ``peak`` (bytes of memory, with the libraries'), ``kinds`` (how many refused for what).
"""

import collections
import contextlib
import json
import os
import re
import resource
import sys
import tempfile
import time
import traceback

import numpy as np

from bench.data.vendor_models import MODELS
from ipudebug.errors import IpuDebugError
from ipudebug.sim.simulate import Simulator
from ipudebug.sim.vendor import read_vendor

NUMBERS = (0, 1, 2, 4, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC, 0x10000000)
EVERY = 32  # of so many files that can be read one is run
LIMIT = 3 << 30  # of address space: what allocates by what a file claims ends in a MemoryError, which is a fault


def mutate(data: bytes, random: np.random.Generator) -> bytes:
    """Return a copy with up to eight damages: bits, bytes, numbers, pieces copied elsewhere, a truncation."""
    out = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        at = int(random.integers(len(out) - 4))
        kind = int(random.integers(7))
        if kind <= 1:
            out[at] ^= 1 << int(random.integers(8))
        elif kind == 2:
            out[at] = int(random.integers(256))
        elif kind == 3:
            out[at & ~3 : (at & ~3) + 4] = int(NUMBERS[random.integers(len(NUMBERS))]).to_bytes(4, "little")
        elif kind == 4:  # a reference to somewhere else in the file
            out[at & ~3 : (at & ~3) + 4] = int(random.integers(len(out))).to_bytes(4, "little")
        elif kind == 5:
            source, size = int(random.integers(len(out))), int(random.integers(1, 65))
            piece = out[source : source + size]
            out[at : at + len(piece)] = piece[: len(out) - at]
        elif random.integers(20) == 0:
            del out[max(at, 16) :]
            break
    return bytes(out)


def run(model) -> None:
    """Run a model on zeros."""
    simulator = Simulator(model, threads=1)
    arrays = {info.name: np.zeros([max(dim, 1) for dim in info.shape], info.dtype) for info in simulator.inputs}
    with contextlib.suppress(IpuDebugError):
        simulator.run(arrays)


def fuzz(first: int, count: int, seeds: list) -> dict:
    """Return the counts for ``count`` mutated files."""
    kinds: collections.Counter = collections.Counter()
    read, ran, slowest, faults = 0, 0, 0.0, []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "mutated.sim")
        for number in range(first, first + count):
            random = np.random.default_rng(number)
            with open(path, "wb") as file:
                file.write(mutate(seeds[number % len(seeds)], random))
            start = time.process_time()
            try:
                model = read_vendor(path)
                read += 1
                if read % EVERY == 0:
                    run(model)
                    ran += 1
            except IpuDebugError as error:
                words = re.sub(r"'.*?'|\[.*?\]|-?\d+(\.\d+)?|b'.*'", "_", error.message.split(": ", 1)[-1])
                kinds[words[:60]] += 1
            except BaseException:
                faults.append(f"seed {number}: {traceback.format_exc()[-900:]}")
            slowest = max(slowest, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "read": read,
        "refused": sum(kinds.values()),
        "run": ran,
        "faults": faults[:20],
        "slowest": slowest,
        "peak": peak,
        "kinds": dict(kinds.most_common(40)),
    }


if __name__ == "__main__":
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    files = []
    for name in sys.argv[3:]:
        with open(name, "rb") as source:
            files.append(source.read())
    print(json.dumps(fuzz(int(sys.argv[1]), int(sys.argv[2]), files or [make() for make in MODELS.values()])))
