"""Feed Polygraphy with the picture in the working directory, through the same preprocess file."""

import runpy
from collections.abc import Iterator

import numpy as np


def load_data() -> Iterator[dict[str, np.ndarray]]:
    """Yield the one input (``polygraphy run --data-loader-script`` calls this)."""
    feed = runpy.run_path("preprocess.py")["image_preprocess"]("picture.png", True)
    yield {"image": np.ascontiguousarray(feed.transpose(0, 3, 1, 2))}
