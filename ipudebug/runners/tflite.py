"""Runs a TFLite model on LiteRT (extra ``tflite``).

``run`` is a plain LiteRT run. TFLite reuses the memory of intermediate tensors, so ``trace`` asks LiteRT to preserve
them all, and checks that looking does not change what is looked at: the final outputs must equal those of ``run`` to
the bit. LiteRT before 2.0 leaves out its delegate (XNNPACK) when it preserves tensors; then both are compared without
it, and ``notes`` says so.

TFLite is NHWC already: nothing is transposed. Integer tensors of a quantised model come as the real values they stand
for, ``float32(q - zero_point) * float32(scale)``; ``info.dtype`` is then float32, and ``info.quant`` says, for display,
which integers they were. With ``raw`` they come as the integers themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.runners.feed_check import check_feed
from ipudebug.runners.litert import check_magic, import_litert, invoke, list_operators, load_interpreter, name_of
from ipudebug.tensor import Layout, QuantParams, Tensor, TensorInfo

if TYPE_CHECKING:
    from ipudebug.runners import Feed, ModelFiles

_LAYOUTS = {4: Layout.NHWC}


class TfliteRunner:
    """A TFLite model that is ready to run; raises ModelError, MissingDependency.

    Attributes:
        raw: whether integers are given as they are.
        notes: what a user should know of the last ``trace``.
    """

    def __init__(self, files: ModelFiles, *, raw: bool = False) -> None:
        """Load the model once to see its inputs and outputs."""
        self._litert = import_litert()
        self._path = files.model
        self.raw = raw
        self.notes: tuple[str, ...] = ()
        check_magic(files.model)
        interpreter = load_interpreter(self._litert, self._path)
        self._inputs = tuple(_describe(detail, "shape_signature") for detail in interpreter.get_input_details())
        self._outputs = tuple(name_of(detail) for detail in interpreter.get_output_details())

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs, in the model's order; ``quant`` says how to quantise what is fed to an integer input."""
        return self._inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs' tensor names, in the model's order."""
        return self._outputs

    def run(self, feed: Feed) -> list[Tensor]:
        """Return the final outputs as LiteRT computes them; raises InputError, ModelError."""
        check_feed(self.inputs, feed)
        interpreter = self._run(feed)
        return [self._read(interpreter, detail) for detail in interpreter.get_output_details()]

    def trace(self, feed: Feed) -> Iterator[Tensor]:
        """Yield each operator's outputs in execution order, without constants; raises InputError, ModelError.

        ``op_type`` is the operator's type, ``op_index`` the running number of the tensor. LiteRT itself holds all
        tensors until the last one is yielded.
        """
        check_feed(self.inputs, feed)
        interpreter = self._observe(feed)
        details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
        number = 0
        without_numbers = 0
        for op in list_operators(interpreter, self._path):
            if op["op_name"] == "DELEGATE":  # stands for operators of the model, which are listed themselves
                continue
            for index in op["outputs"]:
                if index < 0:  # an optional output that the model leaves out
                    continue
                if np.dtype(details[index]["dtype"]).kind not in "fiub":
                    without_numbers += 1
                    continue
                tensor = self._read(interpreter, details[index])
                yield Tensor(replace(tensor.info, op_type=op["op_name"], op_index=number), tensor.array)
                number += 1
        if without_numbers:
            self.notes += (f"{without_numbers} tensors that hold no numbers were left out",)

    def _observe(self, feed: Feed) -> Any:
        """Return an interpreter that still holds every tensor, its outputs, where possible, those of a plain run."""
        resolver = self._litert.OpResolverType
        worst = 0.0
        for options in ({}, {"experimental_op_resolver_type": resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES}):
            plain = _outputs_of(self._run(feed, **options))
            observed = self._run(feed, experimental_preserve_all_tensors=True, **options)
            found = _outputs_of(observed)
            if all(_equal(a, b) for a, b in zip(plain, found, strict=True)):
                self.notes = (_WITHOUT_DELEGATE.format(worst),) if options else ()
                return observed
            worst = max(_difference(a, b) for a, b in zip(plain, found, strict=True))
        self.notes = (_DISTURBED.format(worst),)
        return observed

    def _run(self, feed: Feed, **options: Any) -> Any:
        """Return a new interpreter that has run on ``feed``."""
        return invoke(load_interpreter(self._litert, self._path, **options), self._path, feed)

    def _read(self, interpreter: Any, detail: dict[str, Any]) -> Tensor:
        """Return one tensor of an interpreter that has run, its shape as the run resolved it."""
        array = interpreter.get_tensor(detail["index"])
        info = replace(_describe(detail, "shape"), shape=array.shape, layout=_LAYOUTS.get(array.ndim))
        if self.raw or info.quant is None:
            return Tensor(info, array)
        return Tensor(replace(info, dtype=np.dtype("<f4")), dequantise(array, info.quant))


_WITHOUT_DELEGATE = (
    "LiteRT leaves out its delegate (XNNPACK) when it preserves tensors: dumped without it; the final outputs of a run"
    " with it differ by up to {:.3g}, counted in stored units"
)
_DISTURBED = (
    "the model does not give the same outputs twice: those of the dump differ from those of a plain run by up to {:.3g}"
)


def dequantise(array: np.ndarray, quant: QuantParams) -> np.ndarray:
    """Return float32(q - zero_point) * float32(scale), per tensor or along ``quant.axis``."""
    shape = [1] * array.ndim
    if quant.axis is not None:
        shape[quant.axis] = -1
    wide = np.int32 if array.dtype.itemsize < 4 else np.int64
    zero_point = np.array(quant.zero_point, wide).reshape(shape)
    scale = np.array(quant.scale, np.float32).reshape(shape)
    return np.asarray((array.astype(wide) - zero_point).astype(np.float32) * scale)


def _describe(detail: dict[str, Any], shape_key: str) -> TensorInfo:
    """Return what LiteRT says of a tensor."""
    found = detail[shape_key] if len(detail[shape_key]) else detail["shape"]  # older models have no signature
    shape = tuple(int(dim) for dim in found)
    dtype = np.dtype(detail["dtype"])
    quantisation = detail["quantization_parameters"]
    scales, zeros = quantisation["scales"], quantisation["zero_points"]
    quant = None
    if len(scales) and dtype.kind in "iu":
        axis = int(quantisation["quantized_dimension"]) if len(scales) > 1 else None
        quant = QuantParams(tuple(map(float, scales)), tuple(map(int, zeros)) or (0,) * len(scales), axis)
    return TensorInfo(name_of(detail), shape, dtype, quant, _LAYOUTS.get(len(shape)))


def _outputs_of(interpreter: Any) -> list[np.ndarray]:
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether two arrays have the same bits."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference of two arrays; infinite where they cannot be subtracted."""
    if a.shape != b.shape or a.dtype.kind not in "fiub":
        return float("inf")
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0.0))


RUNNER = TfliteRunner
