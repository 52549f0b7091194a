"""Arrays -> a model's feed: which input each belongs to, whether it fits, its layout and its type.

Messages begin with the vendor's own text; what was found, what was expected and what to do follow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from ipudebug.errors import InputError
from ipudebug.tensor import Layout, TensorInfo, dims

VENDOR_TYPES = {
    **{name: name.upper() for name in ("float32", "float16", "uint8", "int8", "int16", "int32", "int64", "bool")},
    "complex64": "COMPLEX64",
}
"""Array types that SigmaStar's messages have a name for; the others are an ``Unknown TensorType``."""

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


class WrongType(InputError, ValueError):
    """An array's elements cannot be what the model's input takes."""


class WrongShape(InputError, ValueError):
    """An array has another rank or size than the model's input."""


class WrongArrayCount(InputError, ValueError):
    """There are not as many arrays as the model has inputs."""


def make_feed(
    inputs: Sequence[TensorInfo],
    arrays: Sequence[np.ndarray],
    layouts: Sequence[Layout | None] | None = None,
    note: Callable[[str], object] = lambda text: None,
) -> dict[str, np.ndarray]:
    """Return input name -> array, in the dtype, shape and layout that the model takes.

    Args:
        inputs: what the model takes; a dimension of -1 takes any size.
        arrays: one per input, in the same order.
        layouts: what each preprocess returns; None (as a whole, or for one) stands for NHWC.
        note: called with a remark on everything that was done to an array beyond the rule.

    Raises WrongArrayCount, WrongShape, WrongType, or InputError for an input that takes no numbers.
    """
    if len(arrays) != len(inputs):
        raise WrongArrayCount(
            "Got different num of inputs and images! "
            f"expected {len(inputs)}: {', '.join(f'{info.name} {_describe(info)}' for info in inputs) or 'none'}; "
            f"found {len(arrays)}: {', '.join(f'{array.dtype}{dims(array.shape)}' for array in arrays) or 'none'}",
            "give one preprocess file per model input (-n a.py,b.py), in the model's order",
        )
    feed = {}
    for place, (info, array) in enumerate(zip(inputs, arrays, strict=True)):
        oriented = _orient(info, array, layouts[place] if layouts else None, note)
        _check_shape(place, info, oriented, array)
        _note_strays(info.name, array, note)
        feed[info.name] = np.ascontiguousarray(_convert(place, info, oriented, note)).reshape(oriented.shape)
    return feed


def _note_strays(name: str, array: np.ndarray, note: Callable[[str], object]) -> None:
    """Remark on NaN and infinities, which a model spreads over all that follows."""
    if array.dtype.kind == "f" and (count := array.size - int(np.count_nonzero(np.isfinite(array)))):
        note(f"input {name}: {count:,} of {array.size:,} values of the preprocess result are NaN or infinite")


def _orient(info: TensorInfo, array: np.ndarray, layout: Layout | None, note: Callable[[str], object]) -> np.ndarray:
    """Return the array in the model's layout: the one place where that is decided.

    A preprocess returns 4-D data as NHWC unless the ini says NCHW. An original model takes NCHW unless its runner says
    NHWC. Where the two differ the array is transposed. An ONNX model that takes NHWC shows it only by its shape: where
    the data fits only as it is, it stays as it is, with a note.
    """
    source, target = layout or Layout.NHWC, info.layout or Layout.NCHW
    if array.ndim != 4 or len(info.shape) != 4 or source is target:
        return array
    transposed: np.ndarray = array.transpose(TO_NCHW if target is Layout.NCHW else TO_NHWC)
    if target is Layout.NCHW and not _fits(transposed.shape, info.shape) and _fits(array.shape, info.shape):
        fits = f"the preprocess result {dims(array.shape)} fits the model's {dims(info.shape)} as it is"
        note(f"input {info.name}: {fits}; not transposed from NHWC to NCHW")
        return array
    return transposed


def _fits(found: Sequence[int], expected: Sequence[int]) -> bool:
    """Return whether a shape fits one in which -1 takes any size."""
    return len(found) == len(expected) and all(e in (-1, f) for f, e in zip(found, expected, strict=True))


def _check_shape(place: int, info: TensorInfo, oriented: np.ndarray, array: np.ndarray) -> None:
    """Raise WrongShape, about the first wrong dimension, unless the array fits the input."""
    if _fits(oriented.shape, info.shape):
        return
    fed = f", which goes in as {dims(oriented.shape)}" if oriented.shape != array.shape else ""
    returned = f"the preprocess returned {dims(array.shape)}{fed}, the model takes {dims(info.shape)}"
    if oriented.ndim != len(info.shape):
        hint = "return the array with a batch dimension: array[numpy.newaxis]"
        raise WrongShape(
            f"Cannot set tensor: Dimension length mismatch. Got {oriented.ndim} but expected {len(info.shape)} "
            f"for input {place}, name: {info.name}; {returned}",
            hint if oriented.ndim == len(info.shape) - 1 else "return as many dimensions as the model's input has",
        )
    wrong = next(d for d, e in enumerate(info.shape) if e not in (-1, oriented.shape[d]))
    hint = "resize to the model's input size in the preprocess file"
    if oriented is array and array.ndim == 4 and _fits(array.transpose(TO_NCHW).shape, info.shape):
        hint = "the ini says input_layouts=NCHW, but NHWC would fit: correct one of the two"
    raise WrongShape(
        f"Cannot set tensor: Dimension mismatch. Got {oriented.shape[wrong]} but expected {info.shape[wrong]} "
        f"for dimension {wrong} of input {place}, name: {info.name}; {returned}",
        hint,
    )


def _convert(place: int, info: TensorInfo, array: np.ndarray, note: Callable[[str], object]) -> np.ndarray:
    """Return the array in the input's dtype, where nothing of it is lost but precision; raises WrongType."""
    target = info.dtype
    if target.hasobject or target.kind in "SU":
        raise InputError(
            f"input {place}, name: {info.name} takes strings, expected an input that takes numbers",
            "a preprocess file can only return numbers; cut the text processing out of the model",
        )
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == target:
        return array
    bounds = _integer_bounds(target)
    if info.quant is not None and bounds and _is_float(array.dtype):
        return _quantise(info, array, bounds, note)
    if _is_float(target) and array.dtype == np.float32:
        with np.errstate(over="ignore"):
            converted = array.astype(target)
        lost = int(np.count_nonzero(np.isfinite(array) & ~np.isfinite(converted.astype(np.float64))))
        if lost:
            note(f"input {info.name}: {lost} values lie beyond the range of {target} and became infinite or NaN")
        return converted
    if bounds and _holds_integers(array, *bounds):
        return array.astype(target)
    raise WrongType(
        f"Cannot set input tensor: Got tensor of type {VENDOR_TYPES.get(array.dtype.name, 'Unknown TensorType')} "
        f"but expected type {target.name.upper()} for input {place}, name: {info.name} "
        f"(expected {target.name}, found {array.dtype.name})",
        _suggest(array, target),
    )


def _quantise(
    info: TensorInfo, array: np.ndarray, bounds: tuple[int, int], note: Callable[[str], object]
) -> np.ndarray:
    """Return real values as the integers that a quantised input takes: floor(x / scale + 0.5) + zero point, clipped."""
    assert info.quant is not None
    scale, zero = info.quant.scale[0], info.quant.zero_point[0]
    note(f"input {info.name}: the preprocess result was quantised to {info.dtype} (scale {scale:g}, zero point {zero})")
    with np.errstate(invalid="ignore", over="ignore"):
        stored = np.floor(array.astype(np.float64) / scale + 0.5) + zero
    if np.isnan(stored).any():
        message = f"input {info.name}: the preprocess result holds NaN, which {info.dtype} cannot"
        raise WrongType(message, "look for a division by zero, or an image of one colour, in the preprocess file")
    quantised: np.ndarray = np.clip(stored, *bounds).astype(info.dtype)
    return quantised


def _is_float(dtype: np.dtype) -> bool:
    """Return whether a dtype is a real floating-point type, those beyond numpy's own included."""
    return str(dtype.name).startswith(("float", "bfloat"))


def _integer_bounds(dtype: np.dtype) -> tuple[int, int] | None:
    """Return the least and greatest value of an integer or bool type, those beyond numpy's own included."""
    if dtype.name == "bool":
        return 0, 1
    parts = re.fullmatch(r"(u?)int(\d+)", dtype.name)
    if not parts:
        return None
    bits = int(parts[2])
    return (0, 2**bits - 1) if parts[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _holds_integers(array: np.ndarray, least: int, greatest: int) -> bool:
    """Return whether every element is a whole number within the bounds; compared before any cast, which could wrap."""
    if array.size == 0:
        return True
    if _integer_bounds(array.dtype):
        return least <= int(array.min()) and int(array.max()) <= greatest
    if not _is_float(array.dtype):
        return False
    wide = array.astype(np.float64)
    # greatest + 1 is a power of two, so it is exact in float64 where greatest may not be.
    whole: np.ndarray = (wide >= float(least)) & (wide < float(greatest + 1)) & (wide == np.trunc(wide))
    return bool(whole.all())


def _describe(info: TensorInfo) -> str:
    """Return dtype and shape of an input as text."""
    return f"{info.dtype}{dims(info.shape)}"


def _suggest(array: np.ndarray, target: np.dtype) -> str:
    """Return what to do about an array of the wrong type."""
    if _is_float(target):
        wanted = "float64" if target.name == "float64" else "float32"
        ignored = " (is the norm flag ignored?)" if _integer_bounds(array.dtype) else ""
        return f"end the preprocess in .astype(np.{wanted}){ignored}"
    bounds = _integer_bounds(target)
    return f"the input takes whole numbers from {bounds[0]} to {bounds[1]}" if bounds else f"return {target.name}"
