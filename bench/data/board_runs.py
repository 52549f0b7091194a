"""Runs a sealed model on many images: on the PC, over one connection, over several at once; prints JSON.

``python -m bench.data.board_runs MODEL IMAGES ROUNDS CLIENTS``. Every output is held against the PC's, bit by bit.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bench.data.board_server import run_server
from ipudebug.board.link import BoardAddress
from ipudebug.board.remote import RemoteSimulator
from ipudebug.sim.loading import load_sim
from ipudebug.sim.simulate import Simulator


def main(path: str, count: int, rounds: int, clients: int) -> dict:
    """Return seconds of every round, and how many outputs were not the PC's."""
    model = load_sim(path)
    local = Simulator(model)
    random = np.random.default_rng(8)
    images = [{info.name: random.integers(0, 256, info.shape, np.uint8) for info in local.inputs} for _ in range(count)]
    wanted = [[tensor.array.tobytes() for tensor in local.run(image)] for image in images]
    wrong = 0

    def run(simulator: Simulator, first: int = 0, step: int = 1) -> None:
        nonlocal wrong
        for number in range(first, count, step):
            found = [tensor.array.tobytes() for tensor in simulator.run(images[number])]
            wrong += found != wanted[number]

    with run_server() as server:
        address = BoardAddress("127.0.0.1", server.port)
        boards = [RemoteSimulator(model, address) for _ in range(clients)]

        def run_all() -> None:
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(lambda place: run(boards[place], place, clients), range(clients)))

        seconds: dict[str, list[float]] = {"pc": [], "one": [], "several": []}
        programs: dict[str, Callable[[], None]] = {
            "pc": lambda: run(local),
            "one": lambda: run(boards[0]),
            "several": run_all,
        }
        for _ in range(rounds):
            for name, program in programs.items():
                start = time.perf_counter()
                program()
                seconds[name].append(time.perf_counter() - start)
        latency = sorted(boards[0].seconds)
        for board in boards:
            board.close()
        memory = server.read_memory("VmHWM")
    return {"seconds": seconds, "wrong": wrong, "latency": latency, "memory": memory}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:5]))))
