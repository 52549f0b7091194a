"""One client of a server: what it has sent, its models, and the answer to each of its calls."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipudebug.board import protocol
from ipudebug.board.engine import Engine
from ipudebug.board.faults import Faults
from ipudebug.board.limits import Budget, Limits
from ipudebug.board.loaded import LoadedModel, measure_buffers
from ipudebug.board.protocol import Refusal
from ipudebug.board.upload import Upload, copy_onboard, measure_onboard
from ipudebug.board.wire import LARGEST_PIECE

SERVER = "ipudebug"


@dataclass
class House:
    """What all clients of a server share.

    Attributes:
        engine: loads the models.
        limits: what clients may do.
        chip: of this board; a model for another one is refused. Empty: any will do.
        token: what a greeting must bring; empty: anything.
        model_folder: the models that lie on the board; None: none.
        faults: on purpose.
        memory, storage: what is taken of ``limits``.
        models, runs: that are loaded now, and that were done.
    """

    engine: Engine
    limits: Limits = field(default_factory=Limits)
    chip: str = ""
    token: str = ""
    model_folder: str | None = None
    faults: Faults = field(default_factory=Faults)
    models: int = 0
    runs: int = 0

    def __post_init__(self) -> None:
        """Start with nothing taken."""
        self.memory = Budget(self.limits.memory, "memory")
        self.storage = Budget(self.limits.storage, "storage")
        self.at_work = asyncio.Semaphore(max(2, os.cpu_count() or 1))


class Visit:
    """One client, from its greeting to its end; its models end with it."""

    def __init__(self, house: House) -> None:
        """Begin with nothing."""
        self.greeted = False
        self._house = house
        self._models: dict[int, LoadedModel] = {}
        self._last = 0
        self._upload: Upload | None = None
        self._answers: dict[str, Callable[..., Awaitable[Any]]] = {
            protocol.HELLO: self._greet,
            protocol.UPLOAD: self._take_piece,
            protocol.CREATE: self._create,
            protocol.SET_INPUT: self._set_input,
            protocol.INVOKE: self._invoke,
            protocol.GET_OUTPUT: self._get_output,
            protocol.DESTROY: self._destroy,
        }

    @property
    def has_models(self) -> bool:
        """Whether a model of this client's is loaded."""
        return bool(self._models)

    async def answer(self, function: int, values: Sequence[Any]) -> Any:
        """Return what a call gives; raises Refusal."""
        name = protocol.CALLS.get(function)
        if name is None:
            raise Refusal("bad_request", f"unknown function: {function:#010x}")
        if not self.greeted and name != protocol.HELLO:
            raise Refusal("denied", f"{name} before {protocol.HELLO}")
        protocol.check_arguments(name, values)
        return await self._answers[name](*values)

    async def close(self) -> None:
        """End the client's models and give back all that it had."""
        self._drop_upload()
        for number in list(self._models):
            await self._destroy(number)

    async def _greet(self, oldest: int, newest: int, token: str) -> list[Any]:
        """Return version, server, chip, bytes of a piece and models that the client may have."""
        given, wanted = (text.encode("utf-8", "surrogateescape") for text in (token, self._house.token))
        if wanted and not hmac.compare_digest(hashlib.sha256(given).digest(), hashlib.sha256(wanted).digest()):
            raise Refusal("denied", "the token is not the one that this server was started with")
        version = protocol.choose_version(oldest, newest)
        self.greeted = True
        return [version, SERVER, self._house.chip, LARGEST_PIECE, self._house.limits.models_each]

    async def _take_piece(self, offset: int, total: int, piece: bytes) -> int:
        """Return how many bytes of the model have come; offset 0 begins anew."""
        largest = self._house.limits.model_size
        if total > largest or offset + len(piece) > total:
            expected = f"at most {largest:,} bytes, pieces within them"
            raise Refusal("too_large", f"a model of {total:,} bytes, a piece at {offset:,}: expected {expected}")
        if offset == 0:
            self._drop_upload()
            self._upload = Upload(self._house.storage)
        if self._upload is None or offset != self._upload.size:
            begun = self._upload.size if self._upload else 0
            raise Refusal("bad_request", f"expected the piece at {begun:,}, found the one at {offset:,}")
        self._upload.add(piece)
        return self._upload.size

    def _drop_upload(self) -> None:
        """Forget what was uploaded."""
        if self._upload is not None:
            self._upload.close()
            self._upload = None

    async def _create(self, path: str, digest: str) -> list[Any]:
        """Return number, SHA-256, inputs and outputs of a model: the one uploaded, or the one that lies at a path."""
        house = self._house
        if len(self._models) >= house.limits.models_each or house.models >= house.limits.models:
            raise Refusal("busy", f"{house.models} models are loaded, {len(self._models)} of them yours")
        house.models += 1
        try:
            if path:
                await self._copy(path)
            if self._upload is None:
                raise Refusal("no_model", f"no path, and nothing was sent with {protocol.UPLOAD}")
            found = self._upload.digest
            if digest and digest.lower() != found:
                raise Refusal("wrong_model", f"expected a file with SHA-256 {digest[:64]}, found {found}")
            loaded = await self._load(self._upload.path)
        except BaseException:
            house.models -= 1
            raise
        finally:
            self._drop_upload()
        self._last += 1
        self._models[self._last] = loaded
        facts = [[port.to_wire() for port in ports] for ports in (loaded.session.inputs, loaded.session.outputs)]
        return [self._last, found, *facts]

    async def _copy(self, path: str) -> None:
        """Take a file below the model folder for what was uploaded."""
        folder, limits = self._house.model_folder, self._house.limits
        size = measure_onboard(folder, path, limits.model_size)
        self._drop_upload()
        self._upload = Upload(self._house.storage)
        self._upload.reserve(size)
        await asyncio.to_thread(copy_onboard, folder, path, self._upload)

    async def _load(self, path: str) -> LoadedModel:
        """Return a model that is ready to run."""
        house = self._house
        session = await house.engine.open(path)
        try:
            other = house.chip and session.chip and session.chip != house.chip
            if other or "wrong-chip" in house.faults.switches:
                words = f"expected a model for {house.chip or 'another chip'}, found one for {session.chip}"
                raise Refusal("wrong_chip", f"{protocol.WRONG_CHIP_TEXT}. {words}")
            house.memory.take(measure_buffers(session))
        except BaseException:
            await session.close()
            raise
        return LoadedModel(session)

    async def _set_input(self, number: int, place: int, offset: int, piece: bytes) -> int:
        """Return how many bytes of an input have come."""
        return self._find(number).set_input(place, offset, piece)

    async def _invoke(self, number: int) -> int:
        """Return the microseconds that a run took; a model that fails is destroyed."""
        loaded = self._find(number)
        loaded.check_inputs()
        async with self._house.at_work:
            try:
                seconds = await loaded.run(self._house.faults)
            except BaseException:
                await self._destroy(number)
                raise
        self._house.runs += 1
        return int(seconds * 1e6)

    async def _get_output(self, number: int, place: int, offset: int, count: int) -> bytes:
        """Return bytes of an output buffer of the last run."""
        return self._find(number).get_output(place, offset, count)

    async def _destroy(self, number: int) -> None:
        """End a model."""
        loaded = self._find(number)
        del self._models[number]
        self._house.models -= 1
        self._house.memory.give(measure_buffers(loaded.session))
        await loaded.session.close()

    def _find(self, number: int) -> LoadedModel:
        """Return a model of this client's; raises Refusal where there is none of that number."""
        if number not in self._models:
            raise Refusal("no_model", f"no model {number}")
        return self._models[number]
