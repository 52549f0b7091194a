"""Make what a model is fed with: a picture, and a preprocess file that turns it into an input.

python -m bench.data.picture FOLDER SIZE
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

PREPROCESS = """import numpy as np
from PIL import Image


def image_preprocess(image_path, norm=True):
    image = Image.open(image_path).convert("RGB").resize(({size}, {size}), Image.BILINEAR)
    pixels = np.asarray(image)[None]
    return (pixels.astype(np.float32) - 127.5) / np.float32(127.5) if norm else pixels
"""


def main() -> None:
    """Write picture.png and preprocess.py."""
    folder, size = Path(sys.argv[1]), int(sys.argv[2])
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    coarse.resize((640, 480), Image.Resampling.BICUBIC).save(folder / "picture.png")
    (folder / "preprocess.py").write_text(PREPROCESS.format(size=size), "utf-8")


if __name__ == "__main__":
    main()
