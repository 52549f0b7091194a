"""Image -> model input for the digits model, as every tool here and SigmaStar's own expect it.

Keep MEAN and STD equal to `mean` and `std_value` of input_config.ini: the chip normalises with those.
"""

import numpy as np
from PIL import Image

SIZE = (32, 32)  # width, height
MEAN = np.array([206.0, 194.0, 203.0], np.float32)  # R, G, B
STD = np.float32(68.0)


def image_preprocess(image_path: str, norm: bool = True) -> np.ndarray:
    """Return the image as [1, 32, 32, 3], RGB: float32 (x - MEAN) / STD, or uint8 as it is with norm=False."""
    with Image.open(image_path) as image:
        return prepare_image(image, norm)


def prepare_image(image: Image.Image, norm: bool) -> np.ndarray:
    """Return an image that is already open, like image_preprocess."""
    pixels = np.asarray(image.convert("RGB").resize(SIZE, Image.Resampling.BILINEAR), np.uint8)[np.newaxis]
    return ((pixels - MEAN) / STD).astype(np.float32) if norm else pixels
