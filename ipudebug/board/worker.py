"""The process that one model runs in: ``python -m ipudebug.board.worker MODEL BYTES``.

It opens the model and says what it is; then it reads the input buffers, all of them one behind the other, from stdin
and writes the output buffers to stdout, again and again until stdin ends. What it says is ``LENGTH`` of ``engine.py``
and so many bytes. Nothing that is sent to it is executed, and it writes no file.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from ipudebug.board.engine import DONE, FAULT, LENGTH
from ipudebug.errors import IpuDebugError, ModelError

if TYPE_CHECKING:
    from ipudebug.board.sealed import SealedModel


def work(path: str, requests: BinaryIO, answers: BinaryIO) -> None:
    """Load a model and run it until ``requests`` ends; a fault is told, and is the end."""
    try:
        model = _load(path)
        if not sum(port.size for port in model.inputs):
            raise ModelError("the model takes no input")
        facts = {
            "chip": model.chip,
            "inputs": [port.to_wire() for port in model.inputs],
            "outputs": [port.to_wire() for port in model.outputs],
        }
        _say(answers, DONE, json.dumps(facts).encode())
        while True:
            buffers = []
            for port in model.inputs:
                data = requests.read(port.size)
                if len(data) != port.size:
                    return
                buffers.append(data)
            _say(answers, DONE, b"".join(model.run(buffers)))
    except IpuDebugError as error:
        _say(answers, FAULT, error.message.replace(path, "the model").encode("utf-8", "replace"))
    except (ValueError, MemoryError, RuntimeError, ArithmeticError, LookupError, TypeError) as error:
        _say(answers, FAULT, f"{type(error).__name__}: {error}".encode("utf-8", "replace"))


def _load(path: str) -> SealedModel:
    """Return the model in a file."""
    from ipudebug.board.sealed import SealedModel
    from ipudebug.sim.loading import load_sim

    return SealedModel(load_sim(path))


def _say(answers: BinaryIO, kind: bytes, data: bytes) -> None:
    """Write one message; the reader may be gone."""
    with contextlib.suppress(BrokenPipeError):
        answers.write(LENGTH.pack(kind, len(data)))
        answers.write(data)
        answers.flush()


def limit_process(memory: int) -> None:
    """Take from this process what a model does not need: more memory than ``memory`` bytes, files to write, cores."""
    import resource

    for kind, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # macOS does not limit the address space
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main(arguments: list[str]) -> None:
    """Work for the server that started this process."""
    path, memory = arguments
    limit_process(int(memory))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    work(path, sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
