"""What a group of benches works with: a folder, sizes, programs."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.harness.process import Run, run_process

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Context:
    """The surroundings of one group.

    Attributes:
        work: the group's own folder; empty at the start, removed at the end.
        shared: a folder that outlives the group, for what several groups need (an environment).
        quick: tiny data, to see whether the bench works.
        keep: leave all files.
    """

    work: Path
    shared: Path
    quick: bool = False
    keep: bool = False

    @property
    def python(self) -> str:
        """The interpreter that has ipudebug."""
        return sys.executable

    @property
    def ipudebug(self) -> str:
        """The installed command."""
        beside = Path(sys.executable).with_name("ipudebug")
        return str(beside) if beside.exists() else shutil.which("ipudebug") or "ipudebug"

    def choose(self, full: T, quick: T) -> T:
        """Return one of two sizes."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell the progress on stderr."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def remove(self, folder: Path) -> None:
        """Free the disk of a folder that is not needed any more, unless files are to be kept."""
        if not self.keep:
            shutil.rmtree(folder, ignore_errors=True)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        stdout: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        whole_tree: bool = False,
    ) -> Run:
        """Return the Run of one program, by default in the group's folder; see ``run_process``."""
        return run_process(argv, cwd=cwd or self.work, stdout=stdout, env=env, check=check, whole_tree=whole_tree)

    def run_module(self, module: str, *arguments: str | Path, python: str | None = None, check: bool = True) -> Run:
        """Return the Run of a module of the bench, such as ``bench.data.pairs``, in a process of its own."""
        argv = [python or self.python, "-m", module, *arguments]
        return self.run(argv, env={"PYTHONPATH": str(ROOT)}, check=check)
