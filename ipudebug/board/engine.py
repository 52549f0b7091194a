"""What runs the models of a server: each in a process of its own, with limits on memory and time.

A client may send any model. In another process it can neither take the server's memory nor stop it, whatever the
libraries below make of it, and it can be ended at any time. The process is ``board/worker.py``; the pipe carries raw
bytes, never pickled objects.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import struct
import sys
from collections.abc import Sequence
from typing import Protocol

from ipudebug.board.protocol import PortFacts, Refusal, read_port

DONE, FAULT = b"\0", b"\1"
"""The first byte of what a worker says: what was asked for, or a sentence that says what failed."""
LENGTH = struct.Struct("<cQ")
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_LONGEST_FACTS = 4 << 20
_LAST_SECONDS = 2.0


class Session(Protocol):
    """One model that is loaded."""

    @property
    def chip(self) -> str:
        """What the model was compiled for."""
        ...

    @property
    def inputs(self) -> tuple[PortFacts, ...]:
        """Facts of the input buffers."""
        ...

    @property
    def outputs(self) -> tuple[PortFacts, ...]:
        """Facts of the output buffers."""
        ...

    async def run(self, buffers: Sequence[bytearray]) -> list[bytes]:
        """Return the output buffers; raises Refusal, after which the session is of no use."""
        ...

    async def close(self) -> None:
        """End whatever still runs."""
        ...


class Engine(Protocol):
    """What loads models."""

    async def open(self, path: str) -> Session:
        """Return the model in a file, which may be removed then; raises Refusal."""
        ...


class ProcessEngine:
    """Runs every model in a process of its own."""

    def __init__(self, memory: int, load_seconds: float, run_seconds: float) -> None:
        """Remember the limits of each process: bytes of address space, seconds to load and to run."""
        self._memory = memory
        self._load_seconds = load_seconds
        self._run_seconds = run_seconds

    async def open(self, path: str) -> ProcessSession:
        """Return the model in a file; raises Refusal."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "ipudebug.board.worker",
                path,
                str(self._memory),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=_ROOT,  # where the interpreter finds this very package, and no file of the user's
                start_new_session=True,  # Ctrl-C is for the server, which ends its workers in order
            )
        except OSError as reason:
            raise Refusal("busy", f"no process for the model: {reason.strerror}") from None
        session = ProcessSession(process, self._run_seconds)
        try:
            facts = json.loads(await session.receive("bad_model", "load", self._load_seconds, _LONGEST_FACTS))
            session.describe(facts)
        except BaseException:
            await session.close()
            raise
        return session


class ProcessSession:
    """A model in a process of its own; see Session."""

    def __init__(self, process: asyncio.subprocess.Process, run_seconds: float) -> None:
        """Take a process that is about to load its model."""
        self.chip = ""
        self.inputs: tuple[PortFacts, ...] = ()
        self.outputs: tuple[PortFacts, ...] = ()
        self._process = process
        self._run_seconds = run_seconds
        self._is_late = False

    def describe(self, facts: dict) -> None:
        """Keep what the process says of its model."""
        self.chip = facts["chip"]
        self.inputs = tuple(map(read_port, facts["inputs"]))
        self.outputs = tuple(map(read_port, facts["outputs"]))

    async def run(self, buffers: Sequence[bytearray]) -> list[bytes]:
        """Return the output buffers; raises Refusal."""
        assert self._process.stdin is not None
        self._process.stdin.writelines(buffers)
        total = sum(port.size for port in self.outputs)
        data = memoryview(await self.receive("failed", "run", self._run_seconds, total))
        if len(data) != total:
            raise Refusal("failed", f"expected outputs of {total:,} bytes, the model made {len(data):,}")
        outputs, start = [], 0
        for port in self.outputs:
            outputs.append(bytes(data[start : start + port.size]))
            start += port.size
        return outputs

    async def receive(self, code: str, verb: str, seconds: float, largest: int) -> bytes:
        """Return what the process says next; raises Refusal with ``code``, or ``timeout`` after so many seconds."""
        timer = asyncio.get_running_loop().call_later(seconds, self._end_late)
        try:
            return await self._receive(code, largest)
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._wait_for_its_end()
            await self.close()
            if self._is_late:
                raise Refusal("timeout", f"the model did not {verb} in {seconds:g} s") from None
            ending = self._process.returncode
            how = f"signal {-ending}" if ending is not None and ending < 0 else f"exit code {ending}"
            raise Refusal(code, f"the model's process ended with {how} while it was to {verb} the model") from None
        finally:
            timer.cancel()

    def _end_late(self) -> None:
        """End the process because its time is up; whoever waits for it gets the end of its pipe."""
        self._is_late = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _receive(self, code: str, largest: int) -> bytes:
        """Return what the process says next; raises Refusal for a fault that it tells."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        await stdin.drain()
        kind, length = LENGTH.unpack(await stdout.readexactly(LENGTH.size))
        if length > max(largest, _LONGEST_FACTS):
            raise Refusal(code, f"the model made {length:,} bytes, expected at most {largest:,}")
        data = await stdout.readexactly(length)
        if kind == FAULT:
            raise Refusal(code, data.decode("utf-8", "replace"))
        return data

    async def _wait_for_its_end(self) -> None:
        """Give a process that closed its pipe the time to end by itself, so that how it ended is known.

        Killing asks the operating system first whether the process has ended; the answer can be had only once, and
        asyncio, which waits for it too, would then know of no better ending than 255.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), _LAST_SECONDS)

    async def close(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
