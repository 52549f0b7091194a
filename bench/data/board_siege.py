"""A server under malformed frames, slow senders and idle connections, while a good client works; prints JSON.

``python -m bench.data.board_siege MODEL FRAMES IDLE SLOW``
"""

import json
import random
import socket
import sys
import threading
import time

from bench.data.bad_frames import make_bad_frame, make_frame, make_head
from bench.data.board_server import Server, run_server
from ipudebug.board.client import BoardClient
from ipudebug.board.link import BoardAddress

HELLO = make_frame("ipu_hello", [1, 1, ""])


def send_bad_frames(server: Server, count: int, seed: int) -> int:
    """Return how many connections carried so many malformed frames, three to each that lives so long."""
    numbers = random.Random(seed)
    sent = connections = 0
    while sent < count:
        connections += 1
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            try:
                if numbers.random() < 0.5:
                    connection.sendall(HELLO)
                for _ in range(3):
                    connection.sendall(make_bad_frame(numbers))
                    sent += 1
                if numbers.random() < 0.2:
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):
                        pass
            except OSError:  # the server has closed it
                sent += 1
    return connections


def main(path: str, frames: int, idle: int, slow: int) -> dict:
    """Return what became of the server and of the good client."""
    with open(path, "rb") as file:
        data = file.read()
    with run_server("--clients", str(idle + slow + 64)) as server:
        client = BoardClient(BoardAddress("127.0.0.1", server.port, 30))
        client.upload(data)
        model = client.create()
        buffers = [bytes(port.size) for port in model.inputs]
        wanted = client.run(model, buffers)
        alone = [measure_run(client, model, buffers, wanted) for _ in range(100)]
        before = server.read_memory("VmRSS")
        held = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(idle + slow)]
        for connection in held[:idle]:
            connection.sendall(HELLO)
        for connection in held[idle:]:  # says that 10 MB come, and sends a little of them now and then
            connection.sendall(HELLO + make_head(10_000_000) + bytes(1000))
        ended = threading.Event()
        siege = threading.Thread(target=lambda: (send_bad_frames(server, frames, 8), ended.set()))
        siege.start()
        busy = []
        while not ended.is_set():
            busy.append(measure_run(client, model, buffers, wanted))
            held[idle + len(busy) % slow].send(b"x")
        siege.join()
        result = {
            "alive": server.process.poll() is None,
            "runs": len(busy),
            "wrong": sum(seconds is None for seconds in busy),
            "alone": sorted(alone),
            "busy": sorted(seconds for seconds in busy if seconds is not None),
            "before": before,
            "peak": server.read_memory("VmHWM"),
            "idle": sum(is_open(connection) for connection in held[:idle]),
        }
        for connection in held:
            connection.close()
        client.close()
    return result


def is_open(connection: socket.socket) -> bool:
    """Return whether a connection that was greeted still gets an answer."""
    connection.sendall(HELLO)
    return len(connection.recv(1 << 16)) > 0


def measure_run(client: BoardClient, model: object, buffers: list, wanted: list) -> float | None:
    """Return the seconds of one run; None where its output is wrong."""
    start = time.perf_counter()
    found = client.run(model, buffers)
    return time.perf_counter() - start if found == wanted else None


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], *map(int, sys.argv[2:5]))))
