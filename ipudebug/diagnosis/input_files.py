"""A file -> one model input: an .npy file, a tensor of a dump, or an image."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import numpy as np

from ipudebug.errors import InputError

_EXPECTED = "give an .npy file, NAME@DUMP or an image"


@dataclass(frozen=True)
class ModelInput:
    """One side of a comparison of inputs.

    Attributes:
        name: for messages.
        array: [H, W, C], float64.
        layout: how it was stored: ``NHWC`` or ``NCHW``.
        is_picture: an image file, which no preprocess has touched.
    """

    name: str
    array: np.ndarray
    layout: str = "NHWC"
    is_picture: bool = False


def load_input(path: str) -> ModelInput:
    """Return a model input from an .npy file, from ``NAME@DUMP`` (a tensor of a dump), or from an image file.

    Raises InputError, or DumpError for a dump that cannot be read.
    """
    name, mark, dump = path.rpartition("@")
    if mark and os.path.isfile(dump) and not os.path.exists(path):
        return take_input(path, _read_record(name, dump))
    try:
        with open(path, "rb") as file:
            is_npy = file.read(6) == b"\x93NUMPY"
    except OSError as reason:
        raise InputError(f"{path}: {reason.strerror}", _EXPECTED) from None
    if not is_npy:
        return ModelInput(path, _read_picture(path), is_picture=True)
    try:
        return take_input(path, np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as reason:
        raise InputError(f"{path}: no array that can be read: {reason}", "write it with numpy.save") from None


def take_input(name: str, array: np.ndarray) -> ModelInput:
    """Return an array as a model input; raises InputError unless it is one image of finite numbers."""
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} holds {array.dtype}, expected numbers", "give the array that the model is fed with")
    picture = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
    if picture.ndim == 1:
        picture = _guess_square(picture)
    if picture.ndim == 2:
        picture = picture[:, :, np.newaxis]
    if picture.ndim != 3 or picture.size == 0:
        shape = list(array.shape)
        raise InputError(f"{name} has the shape {shape}, expected one image", "give [1, H, W, C] or [1, C, H, W]")
    is_nchw = picture.shape[0] in (1, 3, 4) and picture.shape[2] not in (1, 3, 4)
    values = np.asarray(picture.transpose(1, 2, 0) if is_nchw else picture, np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinities", "look at the division by std in the preprocess")
    return ModelInput(name, values, "NCHW" if is_nchw else "NHWC")


def _guess_square(flat: np.ndarray) -> np.ndarray:
    """Return what a dump without shapes holds as a square picture of 3, 4 or 1 channels, if it can be one."""
    for channels in (3, 4, 1):
        side = math.isqrt(flat.size // channels)
        if side and side * side * channels == flat.size:
            return flat.reshape(side, side, channels)
    return flat


def _read_record(name: str, path: str) -> np.ndarray:
    """Return a tensor of a dump; raises InputError if it has none of that name."""
    from ipudebug.dumps import open_dump

    reader = open_dump(path)
    for number, info in enumerate(reader.infos):
        if info.name == name:
            return reader.read(number).array
    known = ", ".join(list(dict.fromkeys(info.name for info in reader.infos))[:3])
    raise InputError(f"{path} has no tensor {name!r}", f"it has: {known} ...")


def _read_picture(path: str) -> np.ndarray:
    """Return an image file as RGB [H, W, 3]; raises InputError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"), np.float64)
    except (UnidentifiedImageError, OSError, ValueError) as reason:
        raise InputError(f"{path}: no image that can be read: {reason}", _EXPECTED) from None
