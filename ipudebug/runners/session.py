"""onnxruntime, kept quiet: its sessions, tensors in and out of it, and its errors in few words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ipudebug.errors import ModelError
from ipudebug.runners.convert import encode_converter, encode_texts
from ipudebug.runners.elements import ELEMENT_TYPES, STRING, encode_type

OrtValue = Any
"""A value in onnxruntime's memory: a tensor, a sequence or an optional."""
SILENT = 4
SMALL = 1 << 16
"""Elements up to which numpy transposes faster than a session starts."""
WHOLE_SPIN = 1000
"""Microseconds that threads of a whole model wait awake: longer than one operator of a small network takes."""


def limit_spinning(options: Any, microseconds: int) -> None:
    """Let the threads of a session that wait for work sleep after so long, and at the end of each run.

    Left to itself onnxruntime keeps them awake for long: beside a preprocess in Python they took the core that it
    needed, and 24 images took 1.3 times as long. Versions that do not know the options have their own number.
    """
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(microseconds))
    options.add_session_config_entry("session.force_spinning_stop", "1")


class SessionFault(Exception):
    """onnxruntime refused a model, or failed (``running``) while it ran it; ``words`` are its own, shortened.

    It never leaves this package: whoever knows the node or the file turns it into a ModelError.
    """

    def __init__(self, error: Exception, running: bool) -> None:
        """Keep the words; see whether an operator is missing or the file is too new."""
        super().__init__(str(error))
        text = str(error)
        self.words = shorten(text)
        self.running = running
        missing = "NOT_IMPLEMENTED|No Op registered|not a registered function/op|no schema registered"
        self.is_unsupported = not running and bool(re.search(missing, text))
        self.is_too_new = not running and bool(re.search("IR version|is under development", text))


def shorten(text: str) -> str:
    """Return what onnxruntime says without its error numbers and source positions; at most 300 characters."""
    text = re.sub(r"\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text)
    text = re.sub(r"^Non-zero status code returned while running .*?Status Message: ", "", text, flags=re.DOTALL)
    text = re.sub(r"^Load model from .*? failed:", "", text)
    text = re.sub(r"(\S*/)?\w+\.(cc|h|hpp|cpp):\d+ (.*?\) (const )?(\[with .*?\] )?|\w+ )?", "", text)
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:297] + "..."


class Engine:
    """Makes and runs onnxruntime sessions with one set of options.

    Args:
        optimize: graph optimisations all on, or all off.
        threads: for one operator; None leaves it to onnxruntime.
        folder: where the external data of models given as bytes lies.
    """

    def __init__(self, optimize: bool, threads: int | None, folder: str) -> None:
        """Remember the options; nothing is imported yet."""
        self.optimize = optimize
        self._threads = threads or 0
        self._folder = folder
        self._converters: dict[tuple[int, int, bool], Any] = {}

    @cached_property
    def _runtime(self) -> Any:
        """The onnxruntime module, silenced, with one arena for all sessions that ask for it.

        Sessions that own their memory give it back to the system when they end, and the next one waits for fresh
        pages again: that costs up to half of the whole time.
        """
        import onnxruntime as runtime

        runtime.set_default_logger_severity(SILENT)
        arena = runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
        info = runtime.OrtMemoryInfo("Cpu", arena, 0, runtime.OrtMemType.DEFAULT)
        with contextlib.suppress(Exception):  # there is one already: of an earlier runner, or of the program around us
            runtime.create_and_register_allocator(info, runtime.OrtArenaCfg({"arena_extend_strategy": 1}))
        return runtime

    def open(
        self,
        model: bytes | str,
        weights: Mapping[str, OrtValue] | None = None,
        threads: int = 0,
        *,
        whole: bool = False,
    ) -> Any:
        """Return a session; raises SessionFault.

        Args:
            model: a path, or the bytes of a model.
            weights: data for the weights that a piece only refers to.
            threads: overrules the engine's.
            whole: a model that runs as it is, any number of times; otherwise a piece that runs once.
        """
        runtime = self._runtime
        options = runtime.SessionOptions()
        options.log_severity_level = SILENT
        levels = runtime.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if self.optimize else levels.ORT_DISABLE_ALL
        options.intra_op_num_threads = threads or self._threads
        if whole:
            limit_spinning(options, WHOLE_SPIN)
        else:
            options.enable_mem_pattern = False  # pays off from the second run on
            options.add_session_config_entry("session.use_env_allocators", "1")
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", self._folder)
            # Threads that wait for work would spin on a core that something else has a use for: whoever writes.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            if weights:
                options.add_external_initializers(list(weights), list(weights.values()))
            return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
        except Exception as error:  # onnxruntime's own errors have no base class but this one
            raise SessionFault(error, running=False) from None

    def run(self, session: Any, feed: Mapping[str, OrtValue], outputs: Sequence[str] | None = None) -> list[OrtValue]:
        """Return the values of the named outputs, or of all; raises SessionFault."""
        try:
            values: list[OrtValue] = session.run_with_ort_values(outputs, feed)
        except Exception as error:
            raise SessionFault(error, running=True) from None
        return values

    def wrap(self, array: np.ndarray, element: int) -> OrtValue:
        """Return an array as a value of an element type; its dtype is the one that this type is delivered in."""
        if element == STRING:
            return self.run(self.open(encode_texts(array)), {})[0]  # the Python interface takes texts in no other way
        dense = np.ascontiguousarray(array).reshape(array.shape)
        value = self._runtime.OrtValue.ortvalue_from_numpy(dense)
        carrier = ELEMENT_TYPES[element].carrier
        return value if carrier == element else self._convert(value, carrier, element)

    def to_array(self, value: OrtValue, nhwc: bool) -> tuple[np.ndarray, bool]:
        """Return a tensor's elements, dense, and whether the array shares the value's memory.

        The dtype is the one that the element type is delivered in; with ``nhwc`` a 4-D tensor comes in NHWC order.
        """
        element = ELEMENT_TYPES[value.element_type()]
        cast = element.carrier != element.number
        shape = tuple(value.shape())
        if not nhwc or len(shape) != 4:
            return (self._convert(value, element.number, element.carrier) if cast else value).numpy(), not cast
        n, c, h, w = shape
        if c * h * w * n > SMALL and c > 1 and h * w > 1:
            return self._convert(value, element.number, element.carrier, transpose=True).numpy(), False
        array, shares = self.to_array(value, nhwc=False)
        if c == 1 or h * w == 1:
            return array.reshape(n, h, w, c), shares  # the order in memory is the same
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)), False

    def _convert(self, value: OrtValue, source: int, target: int, transpose: bool = False) -> OrtValue:
        """Return a tensor cast to another element type, and transposed from NCHW to NHWC if asked."""
        key = source, target, transpose
        try:
            if key not in self._converters:
                self._converters[key] = self.open(encode_converter(source, target, transpose))
            return self.run(self._converters[key], {"x": value})[0]
        except SessionFault as fault:
            kinds = f"{ELEMENT_TYPES[source].name} to {ELEMENT_TYPES[target].name}"
            hint = "free some memory, or update onnxruntime"
            raise ModelError(f"onnxruntime cannot convert a tensor from {kinds}: {fault.words}", hint) from None


def why_skipped(value: OrtValue) -> str:
    """Return why a value cannot be dumped; an empty text if it can."""
    if not value.has_value():
        return "an optional without a value"
    if not value.is_tensor():
        return f"no tensor but {value.data_type()}"
    element = ELEMENT_TYPES.get(value.element_type())
    if element is None or element.dtype is None or element.number == STRING:
        return f"elements of type {value.data_type()[7:-1]}"
    return ""


def count_bytes(value: OrtValue) -> int:
    """Return the size of a tensor; 0 for anything else."""
    if not value.has_value() or not value.is_tensor() or value.element_type() == STRING:
        return 0
    size: int = value.tensor_size_in_bytes()
    return size


def encode_type_of(value: OrtValue) -> bytes:
    """Return the TypeProto of a value, with the shape of a tensor."""
    is_tensor = value.has_value() and value.is_tensor()
    return encode_type(value.data_type(), tuple(value.shape()) if is_tensor else None)
