"""A pair of dumps on disk, with its true numbers."""

from dataclasses import dataclass
from pathlib import Path

from bench.data.agreement import read_numbers
from bench.harness import Context


@dataclass(frozen=True)
class Pair:
    """Two dumps of the same tensors: ``title`` says how large."""

    title: str
    folder: Path
    tensors: int

    @property
    def sample(self) -> Path:
        """The suspect's dump."""
        return self.folder / "sample.bin"

    @property
    def benchmark(self) -> Path:
        """The trusted dump."""
        return self.folder / "benchmark.bin"

    def read_truth(self) -> dict[str, dict[str, float]]:
        """Return mse, cos, rmse, mean_abs and max_abs by tensor name, from float64 numpy."""
        return read_numbers(self.folder / "truth.json")


def make_pair(context: Context, title: str, kind: str, tensors: int, shape: str = "1,8,8,4") -> Pair:
    """Return a new pair; ``kind`` and ``shape`` as in ``bench.data.pairs``."""
    context.say(f"making {title}")
    pair = Pair(title, context.work / title.replace(" ", "_").replace(",", ""), tensors)
    context.run_module("bench.data.pairs", pair.folder, kind, "--tensors", str(tensors), "--shape", shape)
    context.run_module("bench.data.truth", pair.sample, pair.benchmark, pair.folder / "truth.json")
    return pair


def make_gigabytes(context: Context) -> Pair:
    """Return the large pair: 35 tensors of 30 MB on either side."""
    tensors, shape = context.choose((35, "1,500,500,30"), (5, "1,50,50,30"))
    return make_pair(context, context.choose("2 x 1 GB", "2 x 1.5 MB"), "large", tensors, shape)
