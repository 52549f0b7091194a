"""A Simulator whose model runs on a board, and the comparison with the PC."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ipudebug.board.agreement import Difference, find_difference, find_fact_changes, read_elements
from ipudebug.board.client import BoardClient, BoardModel
from ipudebug.board.failures import Dropped, WrongModel
from ipudebug.board.link import BoardAddress
from ipudebug.board.protocol import PortFacts
from ipudebug.board.sealed import SealedModel
from ipudebug.errors import ModelError
from ipudebug.sim.real_tensor import to_real
from ipudebug.sim.seal import check_chip
from ipudebug.sim.simulate import Simulator
from ipudebug.tensor import Layout, Tensor, TensorInfo

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.sim.model import SimModel

_DEQUANTISATION = ("scale", "zero_point")


@dataclass(slots=True)
class Agreement:
    """What became of the comparison of board and PC.

    Attributes:
        images: that were compared.
        differing: images with an output that differs.
        worst: of each output that differs, the largest Difference and the number of its image.
        facts: (output, what, PC's, board's) where the two say different things of scale and zero point.
    """

    images: int = 0
    differing: int = 0
    worst: dict[str, tuple[Difference, int]] = field(default_factory=dict)
    facts: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, found: Sequence[Difference]) -> None:
        """Count an image and what differs in it."""
        for difference in found:
            known = self.worst.get(difference.output)
            if known is None or difference.largest > known[0].largest:
                self.worst[difference.output] = difference, self.images
        self.images += 1
        self.differing += bool(found)


class RemoteSimulator(Simulator):
    """An offline model on a board. It connects, and loads the model there, when it is made.

    Args:
        model: the offline model as the PC has it: how inputs are packed and outputs are laid out.
        address: of the board.
        onboard_path: the model's path on the board; None: it is sent.
        compare: run every image on the PC too.
        reconnect: how often a connection that was dropped is made anew, for one image.
        note: called with every remark for the user.

    Attributes:
        seconds: of every run, from sending the inputs to having the outputs.
        agreement: with the PC; empty without ``compare``.
    """

    def __init__(
        self,
        model: SimModel,
        address: BoardAddress,
        *,
        onboard_path: str | None = None,
        compare: bool = False,
        reconnect: int = 2,
        note: Callable[[str], object] = lambda text: None,
    ) -> None:
        """Check the model, connect, load; raises ModelError or BoardError."""
        self.sealed = SealedModel(model)
        super().__init__(model)
        self.seconds: list[float] = []
        self.agreement = Agreement()
        self._address = address
        self._path = onboard_path
        self._compare = compare
        self._reconnect = reconnect
        self._note = note
        self._before: list[bytes] | None = None
        self._client, self._loaded = self._connect()

    def run(self, arrays: Mapping[str, np.ndarray]) -> list[Tensor]:
        """Return the final outputs as real numbers, 4-D ones NHWC; raises BoardError."""
        buffers = [data.tobytes() for data in self.pack(arrays)]
        outputs = self._exchange(buffers)
        if self._compare:
            wanted = self.sealed.run(buffers)
            before: Sequence[bytes | None] = self._before or [None] * len(wanted)
            found = [
                find_difference(*parts) for parts in zip(self.sealed.outputs, wanted, outputs, before, strict=True)
            ]
            self.agreement.add([difference for difference in found if difference])
            self._before = wanted
        return [self._make_tensor(port, data) for port, data in zip(self.sealed.outputs, outputs, strict=True)]

    def close(self) -> None:
        """End the connection; the board forgets the model."""
        self._client.close()

    def _exchange(self, buffers: Sequence[bytes]) -> list[bytes]:
        """Return the output buffers; a connection that is dropped is made anew a few times."""
        for left in range(self._reconnect, -1, -1):
            try:
                start = time.perf_counter()
                outputs = self._client.run(self._loaded, buffers)
                self.seconds.append(time.perf_counter() - start)
                return outputs
            except Dropped as error:
                if not left:
                    raise
                self._note(f"{error.message}; connecting again")
            self._client, self._loaded = self._connect()
        raise AssertionError("the last try returns or raises")

    def _connect(self) -> tuple[BoardClient, BoardModel]:
        """Return a greeted board with the model loaded; raises BoardError."""
        data = _read_model(self.model.path)
        client = BoardClient(self._address)
        try:
            if client.chip:
                check_chip(self.model, client.chip)
            if self._path is None:
                client.upload(data)
            loaded = client.create(self._path or "", hashlib.sha256(data).hexdigest())
            self._check(loaded)
        except BaseException:
            client.close()
            raise
        return client, loaded

    def _check(self, loaded: BoardModel) -> None:
        """Raise WrongModel unless the buffers on the board are those of the model here."""
        changes = find_fact_changes(self.sealed.inputs, loaded.inputs)
        outputs = find_fact_changes(self.sealed.outputs, loaded.outputs)
        self.agreement.facts = [change for change in outputs if change[1] in _DEQUANTISATION]
        changes += [change for change in outputs if change[1] not in _DEQUANTISATION]
        if changes:
            name, what, wanted, found = changes[0]
            expected = f"expected {what} {wanted}, as in {self.model.path}, the board has {found}"
            raise WrongModel(f"{self._address}: {name}: {expected}", "let both sides run the same file")

    def _make_tensor(self, port: PortFacts, data: bytes) -> Tensor:
        """Return an output buffer as real numbers, alignment cut off."""
        known = self.model.tensors[port.name]
        values = read_elements(data, port)
        if known.quant is not None and known.dtype.kind in "iu":
            values = to_real(values, known.quant)
        layout = Layout.NHWC if values.ndim == 4 else None
        return Tensor(TensorInfo(port.name, values.shape, values.dtype, layout=layout), values)


def _read_model(path: str) -> bytes:
    """Return the model's file; raises ModelError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as reason:
        raise ModelError(f"cannot read {path}: {reason.strerror}", "check the path") from None
