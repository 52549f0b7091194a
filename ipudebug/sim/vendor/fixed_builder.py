"""Builds the integer graph of a fixed model: nodes of the domain ``ipudebug``, and what they read off a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ipudebug.errors import ModelError, UnsupportedOp
from ipudebug.sim.kernels import KERNELS
from ipudebug.sim.kernels.multiplier import normalise
from ipudebug.sim.kernels.node import RANGES
from ipudebug.sim.vendor.builder import GraphBuilder
from ipudebug.sim.vendor.opcodes import IMAGE_FORMATS
from ipudebug.sim.vendor.tables import VendorModel, VendorOperator, VendorTensor

DOMAIN = "ipudebug"
INT16_MAX = 32767
_LARGEST_SHIFT = 40
_FOUR_CHANNELS = ("RGBA", "BGRA")
_OFFSETS = slice(11, 8, -1)  # stored in the order blue, green, red
_MATRIX = slice(0, 9)


class FixedBuilder(GraphBuilder):
    """The graph of a fixed model.

    ``inexact`` holds the numbers of the operators whose integers are not known to be the chip's.

    An image input has the channels of the board's buffer (four for RGBA and BGRA); what operators read is its value
    behind the input conversion of the first layer.
    """

    def __init__(self, model: VendorModel) -> None:
        """Begin with the inputs, converted where they are images."""
        super().__init__(model)
        self.inexact: set[int] = set()
        self.domain_of = {
            operator.index: (index, operator is not group[-1])
            for index, group in enumerate(model.list_domains())
            for operator in group
        }
        for place, number in enumerate(model.inputs):
            self._convert_input(place, model.tensors[number])

    def _convert_input(self, place: int, tensor: VendorTensor) -> None:
        """Append the conversion of an image input; raises ModelError, UnsupportedOp."""
        formats = self.model.input_formats
        number = formats[place] if place < len(formats) else 0
        if number == 0:
            return
        if number not in IMAGE_FORMATS or tensor.dtype != np.uint8 or len(tensor.shape) != 4 or tensor.shape[3] != 3:
            raise UnsupportedOp(
                f"{self.model.path}: input {tensor.name!r}: format number {number} of a {tensor.dtype} tensor of shape "
                f"{list(tensor.shape)} is not known here; known: {IMAGE_FORMATS}",
                "convert the model with input_formats RGB, RGBA or BGRA",
            )
        stored = self.model.conversions[place] if place < len(self.model.conversions) else ()
        if len(stored) < 12:
            raise ModelError(
                f"{self.model.path}: input {tensor.name!r}: its conversion has {len(stored)} numbers, expected 12",
                "the file is damaged, or of another SDK: calibrate the model again",
            )
        converted = self.invent(f"{tensor.name}/converted")
        self.add(
            "INPUT_CONVERSION",
            [tensor.name],
            [converted],
            DOMAIN,
            matrix=list(stored[_MATRIX]),
            offset=list(stored[_OFFSETS]),
            layout="NCHW",
            dtype="uint8",
        )
        self._values[tensor.index] = converted

    def shape_input(self, number: int) -> tuple[int, ...]:
        """Return the shape of an input as the board is fed with it, NHWC."""
        shape = self.model.tensors[number].shape
        place = self.model.inputs.index(number)
        formats = self.model.input_formats
        name = IMAGE_FORMATS.get(formats[place] if place < len(formats) else 0)
        return (*shape[:3], 4) if name in _FOUR_CHANNELS else shape

    def compute(
        self, operator: VendorOperator, op_type: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        """Append a node of the domain ``ipudebug``."""
        index, hidden = self.domain_of[operator.index]
        if KERNELS[op_type.lower()].status == "inexact":
            self.mark_inexact(operator)
        self.add(op_type, inputs, outputs, DOMAIN, domain_index=index, hidden=int(hidden), layout="NCHW", **attributes)

    def mark_inexact(self, operator: VendorOperator) -> None:
        """Note that an operator's integers are not known to be the chip's."""
        self.inexact.add(operator.index)

    def scale(self, tensor: VendorTensor) -> np.float32:
        """Return a tensor's only scale; raises ModelError if it has none that is a positive number."""
        scale: np.float32 = np.float32(tensor.scale[0]) if len(tensor.scale) else np.float32(0)
        if not (np.isfinite(scale) and scale > 0):
            raise ModelError(
                f"{self.model.path}: {tensor.name!r} has the scale {scale}, expected a positive number",
                "the file is damaged, or of another SDK: calibrate the model again",
            )
        return scale

    def zero(self, tensor: VendorTensor) -> int:
        """Return a tensor's zero point; raises ModelError if its type cannot hold it."""
        zero = int(tensor.zero_point[0]) if len(tensor.zero_point) else 0
        low, high = RANGES.get(tensor.dtype.name, (1, 0))
        if not low <= zero <= high:
            raise ModelError(
                f"{self.model.path}: {tensor.name!r}: zero point {zero} of {tensor.dtype}: expected one of "
                f"{', '.join(RANGES)}",
                "the file is damaged, or of another SDK: calibrate the model again",
            )
        return zero

    def bounds(self, tensor: VendorTensor) -> np.float32:
        """Return the largest absolute value of a tensor's range (min, max); raises ModelError if it has none.

        The range of an activation that the file does not state is what its scale and zero point span.
        """
        values = [np.float32(part[0]) for part in (tensor.minimum, tensor.maximum) if len(part)]
        if not values and tensor.data is None:
            low, high = RANGES.get(tensor.dtype.name, (0, 0))
            low += low < 0  # INT16 is symmetric
            values = [self.scale(tensor) * np.float32(end - self.zero(tensor)) for end in (low, high)]
        largest: np.float32 = max((abs(value) for value in values if np.isfinite(value)), default=np.float32(0))
        if not largest > 0:
            raise ModelError(
                f"{self.model.path}: {tensor.name!r} has no range (min, max), which its operator needs",
                "the file is damaged, or of another SDK: calibrate the model again",
            )
        return largest

    def ratio(self, *factors: np.float32, over: np.float32) -> np.float32:
        """Return the product of scales over another, in float32 as the vendor computes it."""
        with np.errstate(all="ignore"):
            product = np.asarray(factors[0])
            for factor in factors[1:]:
                product = product * factor
            ratio: np.float32 = np.float32(product / over)
        return ratio

    def normalise(self, operator: VendorOperator, *ratios: np.float32) -> tuple[list[int], int]:
        """Return the multipliers of real ratios and their common shift; raises ModelError if there are none."""
        finite = all(np.isfinite(ratio) for ratio in ratios)
        multipliers, shift = normalise([float(ratio) for ratio in ratios])
        if not finite or not -_LARGEST_SHIFT <= shift <= _LARGEST_SHIFT:
            raise self._refuse_ratios(operator, [float(ratio) for ratio in ratios])
        return multipliers.tolist(), shift

    def find_shift(self, operator: VendorOperator, constant: np.ndarray, largest: float) -> int:
        """Return the shift with which a stored constant's integers stand for ratios up to ``largest``.

        Raises ModelError if none does.
        """
        most = int(np.abs(constant.astype(np.int64)).max(initial=0))
        if most and largest > 0 and np.isfinite(largest):
            shift = round(float(np.log2(most / float(largest))))
            if -_LARGEST_SHIFT <= shift <= _LARGEST_SHIFT:
                return shift
        raise self._refuse_ratios(operator, [float(largest)])

    def _refuse_ratios(self, operator: VendorOperator, ratios: list[float]) -> ModelError:
        """Return the error for scales that no shift of the chip expresses."""
        shown = ", ".join(f"{ratio:.4g}" for ratio in ratios)
        return ModelError(
            f"{self.model.path}: {operator.describe()}: the scales of its tensors have the ratio {shown}",
            "the file is damaged, or of another SDK: calibrate the model again",
        )

    def is_tied(self, *tensors: VendorTensor) -> bool:
        """Return whether tensors share dtype, scale and zero point, so that integers may be copied between them."""
        return len({(t.dtype, self.scale(t), self.zero(t)) for t in tensors}) == 1
