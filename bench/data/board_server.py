"""``ipudebug serve`` in the background, for the programs that measure it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A server that runs: its process and its port."""

    process: subprocess.Popen
    port: int

    def read_memory(self, field: str) -> int:
        """Return bytes of its memory (Linux): ``VmRSS`` now, ``VmHWM`` at most so far; 0 elsewhere."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0
        line = next(line for line in status.read_text().splitlines() if line.startswith(field))
        return int(line.split()[1]) * 1024


@contextlib.contextmanager
def run_server(*options: str) -> Iterator[Server]:
    """Give a server on a port that the system chooses, and end it."""
    argv = [sys.executable, "-m", "ipudebug", "serve", "-p", "0", *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Server(process, int(line.partition(";")[0].split()[3].rpartition(":")[2]))
        finally:
            process.kill()
