"""Images in the format of the training -> what the board is fed with (SPEC 4.4).

========== =================== ==============================================================================
board      made from           one image of H x W
========== =================== ==============================================================================
RGB, BGR   the same            H rows of W pixels of 3 bytes
RGBA       RGB, BGR, RGBA      H rows of W pixels of 4 bytes; a fourth byte that is made here is 0
BGRA       RGB, BGR, BGRA      the same, blue first
GRAY       GRAY                H rows of W bytes
YUV_NV12   RGB, BGR, GRAY      H rows of W bytes Y, below them H/2 rows of U, V, U, V ...; odd sizes are made even
========== =================== ==============================================================================

Arrays are uint8 and NHWC; an NV12 image is [N, 3/2 H, W, 1]. In the board's memory rows and columns are filled up with
zeros to a multiple of the alignments (``pack_buffer``).
"""

from __future__ import annotations

import numpy as np

CHANNELS = {"RGB": "RGB", "BGR": "BGR", "RGBA": "RGBA", "BGRA": "BGRA", "GRAY": "Y"}
"""What the bytes of a pixel are; formats that are not here have none of their own."""
NV12 = "YUV_NV12"
_TO_YUV = np.array([[218, 732, 74], [-117, -395, 512], [512, -465, -47]], np.int32)
"""Times 1024: Y, U - 128 and V - 128 of R, G, B."""
_FROM_YUV = np.linalg.inv(_TO_YUV / 1024)


def convert_image(image: np.ndarray, training: str, board: str) -> np.ndarray:
    """Return an image as the board's format has it, without alignment.

    Args:
        image: uint8 [N, H, W, C], C as ``training`` has it.
        training: a key of CHANNELS.
        board: a format that can be made from it (``config.input_formats``).
    """
    if board == NV12:
        return _encode_nv12(image, training)
    if board == training:
        return image
    source = CHANNELS[training]
    converted = np.zeros((*image.shape[:3], len(CHANNELS[board])), np.uint8)
    for place, channel in enumerate(CHANNELS[board]):
        if channel in source:
            converted[..., place] = image[..., source.index(channel)]
    return converted


def decode_nv12(buffer: np.ndarray, training: str, height: int, width: int) -> np.ndarray:
    """Return the image in an NV12 buffer as the model sees it: in the training's format, with the chroma that is left.

    Args:
        buffer: uint8 [N, 3/2 H, W, 1] of ``convert_image``, H and W even.
        training: RGB, BGR or GRAY.
        height: rows of the image.
        width: pixels of a row.
    """
    rows = buffer.shape[1] * 2 // 3
    luma = buffer[:, :rows]
    if training == "GRAY":
        return np.ascontiguousarray(luma[:, :height, :width])
    chroma = buffer[:, rows:].reshape(len(buffer), rows // 2, -1, 2).repeat(2, axis=1).repeat(2, axis=2)
    yuv = np.concatenate((luma, chroma), axis=3).astype(np.float64) - (0, 128, 128)
    rgb = np.clip(np.floor(yuv @ _FROM_YUV.T + 0.5), 0, 255).astype(np.uint8)
    ordered = rgb[..., ::-1] if training == "BGR" else rgb
    return np.ascontiguousarray(ordered[:, :height, :width])


def quantise_raw(values: np.ndarray, scale: float, zero_point: int, dtype: np.dtype) -> np.ndarray:
    """Return real values as the integers of a RAWDATA input.

    int16: clip(x / scale, +-32767), truncated. uint8: floor(x / scale + 0.5) + zero_point, clipped. NaN becomes 0.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.nan_to_num(values.astype(np.float64) / scale, nan=0.0)
    if dtype == np.int16:
        stored = np.trunc(np.clip(steps, -32767, 32767))
    else:
        limits = np.iinfo(dtype)
        stored = np.clip(np.floor(steps + 0.5) + zero_point, limits.min, limits.max)
    quantised: np.ndarray = stored.astype(dtype)
    return quantised


def pack_buffer(image: np.ndarray, board: str, width_alignment: int = 1, height_alignment: int = 1) -> np.ndarray:
    """Return the bytes of a board's input buffer, flat: the image with its rows, and the number of them, filled up.

    RGBA and BGRA rows are a multiple of ``width_alignment`` bytes; in GRAY and YUV_NV12 images both directions are
    aligned, in an NV12 image Y and UV each (UV with half the rows). RGB, BGR and raw data are packed as they are.
    """
    image = np.ascontiguousarray(image)
    count, rows = image.shape[:2] if image.ndim > 1 else (1, 1)
    if board in ("RGBA", "BGRA"):
        padded = _pad(image.reshape(count, rows, -1), 1, width_alignment)
    elif board == "GRAY":
        padded = _pad(image.reshape(count, rows, -1), height_alignment, width_alignment)
    elif board == NV12:
        planes = np.split(image.reshape(count, rows, -1), [rows * 2 // 3], axis=1)
        even = height_alignment + height_alignment % 2
        aligned = [_pad(planes[0], even, width_alignment), _pad(planes[1], even // 2, width_alignment)]
        padded = np.concatenate(aligned, axis=1)
    else:
        padded = image
    return padded.reshape(-1).view(np.uint8)


def _encode_nv12(image: np.ndarray, training: str) -> np.ndarray:
    """Return [N, 3/2 H, W, 1]: floor(x + 0.5) of Y, and of U and V averaged over 2 x 2 pixels; GRAY has no U and V."""
    height, width = image.shape[1:3]
    image = np.pad(image, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    if training == "GRAY":
        return np.pad(image, ((0, 0), (0, image.shape[1] // 2), (0, 0), (0, 0)))
    pixels = image.astype(np.int32) @ _TO_YUV[:, [CHANNELS[training].index(colour) for colour in "RGB"]].T
    count, height, width, _ = pixels.shape
    blocks = pixels[..., 1:].reshape(count, height // 2, 2, width // 2, 2, 2).sum(axis=(2, 4), dtype=np.int32)
    luma = np.clip((pixels[..., :1] + 512) >> 10, 0, 255)
    chroma = np.clip(((blocks + 2048) >> 12) + 128, 0, 255).reshape(count, height // 2, width, 1)
    return np.concatenate((luma, chroma), axis=1).astype(np.uint8)


def _pad(plane: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return [N, R, C] with zeros behind, so that R is a multiple of ``rows`` and C one of ``columns``."""
    return np.pad(plane, ((0, 0), (0, -plane.shape[1] % rows), (0, -plane.shape[2] % columns)))
