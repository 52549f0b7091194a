"""The image formats of input_config.ini: which exist, their channels, and which the board can make from which."""

from __future__ import annotations

COLOUR = ("RGB", "BGR", "RGBA", "BGRA")
RAW = ("RAWDATA_S16_NHWC", "RAWDATA_F32_NHWC")

TRAINING_FORMATS = (*COLOUR, "GRAY", *RAW)
"""What training used and the preprocess returns."""

INPUT_FORMATS: dict[str, tuple[str, ...]] = {
    "RGB": ("RGB",),
    "BGR": ("BGR",),
    "RGBA": ("RGB", "BGR", "RGBA"),
    "BGRA": ("RGB", "BGR", "BGRA"),
    "GRAY": ("GRAY",),
    "YUV_NV12": ("RGB", "BGR", "GRAY"),
    "RAWDATA_S16_NHWC": ("RAWDATA_S16_NHWC",),
    "RAWDATA_F32_NHWC": ("RAWDATA_F32_NHWC",),
}
"""What the board is fed with at run time -> the training formats that it can be made from."""


def channel_counts(training_format: str) -> tuple[int, ...]:
    """Return how many mean or std values an input of that format may have; ``()`` when any number will do.

    The four-channel formats take three values as well: the fourth channel is padding. ``""`` stands for an input whose
    format is not stated.
    """
    if training_format in RAW:
        return ()
    if training_format == "GRAY":
        return (1,)
    if training_format in ("RGBA", "BGRA"):
        return (3, 4)
    return (3,) if training_format else (1, 3, 4)
