"""What simulate does with every image, on the PC, over one connection and over several at once; prints JSON.

``python -m bench.data.board_runs MODEL PREPROCESS PICTURES COUNT ROUNDS CLIENTS``. An image is read, preprocessed, run,
and its result file written; every result is held against the PC's, byte by byte.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from bench.data.board_server import run_server
from ipudebug.board.link import BoardAddress
from ipudebug.board.remote import RemoteSimulator
from ipudebug.inputs.feeds import Feeds, load_feeds
from ipudebug.results import write_result
from ipudebug.sim.loading import load_sim
from ipudebug.sim.simulate import Simulator


def make_pictures(source: Path, count: int, folder: Path) -> None:
    """Write so many different pictures: those of ``source``, shifted."""
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(source.glob("*.png"))]
    folder.mkdir()
    for number in range(count):
        shift, which = divmod(number, len(pictures))
        Image.fromarray(np.roll(pictures[which], shift, axis=1)).save(folder / f"{number:04}.png")


def run(simulator: Simulator, feeds: Feeds, folder: Path, first: int = 0, step: int = 1) -> None:
    """Do with every ``step``-th image what simulate does."""
    for number in range(first, len(feeds.samples), step):
        arrays = feeds.prepare(feeds.samples[number], simulator.inputs, simulator.norm)
        write_result(folder / f"{number}.txt", simulator.run(arrays), simulator.alignment)


def main(path: str, preprocess: str, pictures: str, count: int, rounds: int, clients: int) -> dict:
    """Return seconds of every round, and how many results were not the PC's."""
    model = load_sim(path)
    local = Simulator(model)
    seconds: dict[str, list[float]] = {"pc": [], "one": [], "several": []}
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, run_server() as server:
        make_pictures(Path(pictures), count, Path(scratch, "pictures"))
        feeds = load_feeds(str(Path(scratch, "pictures")), preprocess)
        folders = {name: Path(scratch, name) for name in seconds}
        for folder in folders.values():
            folder.mkdir()
        address = BoardAddress("127.0.0.1", server.port)
        boards = [RemoteSimulator(model, address) for _ in range(clients)]

        def run_all() -> None:
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(lambda at: run(boards[at], feeds, folders["several"], at, clients), range(clients)))

        programs: dict[str, Callable[[], None]] = {
            "pc": lambda: run(local, feeds, folders["pc"]),
            "one": lambda: run(boards[0], feeds, folders["one"]),
            "several": run_all,
        }
        for _ in range(rounds):
            for name, program in programs.items():
                start = time.perf_counter()
                program()
                seconds[name].append(time.perf_counter() - start)
            wanted = [file.read_bytes() for file in sorted(folders["pc"].iterdir())]
            for name in ("one", "several"):
                found = [file.read_bytes() for file in sorted(folders[name].iterdir())]
                wrong += sum(a != b for a, b in zip(found, wanted, strict=True))
        latency = sorted(boards[0].seconds)
        for board in boards:
            board.close()
    return {"seconds": seconds, "wrong": wrong, "different": len(set(wanted)), "latency": latency}


if __name__ == "__main__":
    out = sys.stdout  # preprocess files print to stderr, and several threads do not put stdout back in order
    print(json.dumps(main(*sys.argv[1:4], *map(int, sys.argv[4:7]))), file=out)
