"""kill -9 of a server in the middle of an upload or of a run: what the client is told, and when; prints JSON.

``python -m bench.data.board_kill MODEL upload|run TIMEOUT``
"""

import json
import sys
import threading
import time

from bench.data.board_server import run_server
from ipudebug.board.client import BoardClient
from ipudebug.board.link import BoardAddress
from ipudebug.errors import BoardError


def main(path: str, stage: str, timeout: float) -> dict:
    """Return the kind of error, its text, and the seconds between the signal and the error."""
    with open(path, "rb") as file:
        data = file.read()
    with run_server("--fault", "delay=1000") as server:
        client = BoardClient(BoardAddress("127.0.0.1", server.port, timeout))
        client.upload(data)
        model = client.create()
        killed = []

        def kill() -> None:
            killed.append(time.perf_counter())
            server.process.kill()

        threading.Timer(0.3, kill).start()
        try:
            if stage == "run":
                client.run(model, [bytes(port.size) for port in model.inputs])
            while True:
                client.upload(bytes(64 << 20), piece=1 << 14)
        except BoardError as error:
            told = time.perf_counter()
            return {"error": type(error).__name__, "text": str(error), "seconds": told - killed[0]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
