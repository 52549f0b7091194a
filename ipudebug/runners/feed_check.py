"""What a runner asks of a feed before it hands it to a framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipudebug.errors import InputError
from ipudebug.tensor import TensorInfo, dims

if TYPE_CHECKING:
    from ipudebug.runners import Feed


def check_feed(inputs: tuple[TensorInfo, ...], feed: Feed) -> None:
    """Raise InputError unless ``feed`` has an array of the right dtype and shape for each input, and no other."""
    missing = [info.name for info in inputs if info.name not in feed]
    surplus = [name for name in feed if all(name != info.name for info in inputs)]
    if missing or surplus:
        raise InputError(
            f"the model has {len(inputs)} inputs ({', '.join(info.name for info in inputs)}), "
            + (f"nothing is fed to {missing[0]}" if missing else f"there is no input {surplus[0]}"),
            "give one image and one preprocess file for each input",
        )
    for info in inputs:
        array = feed[info.name]
        if array.dtype != info.dtype:
            raise InputError(f"input {info.name}: expected {info.dtype}, found {array.dtype}")
        fits = array.ndim == len(info.shape) and all(
            want in (-1, found) for want, found in zip(info.shape, array.shape, strict=True)
        )
        if not fits:
            raise InputError(
                f"input {info.name}: expected shape {dims(info.shape)}, found {dims(array.shape)}",
                "let the preprocess file return what the model takes",
            )
