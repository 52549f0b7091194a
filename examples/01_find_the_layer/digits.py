"""scikit-learn's handwritten digits as photographs would show them: blue ink on a cream page with red lines.

Red marks must be told from blue ink, so a model fed with BGR instead of RGB gets worse, as it would in earnest.
"""

import numpy as np
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SIDE = 64  # pixels of a picture
SEED = 7


def split_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (train, held_out, train_labels, held_out_labels): 1297 and 500 digits, 8x8 of 0..16."""
    data = load_digits()
    train, held_out, train_labels, held_out_labels = train_test_split(
        data.images, data.target, test_size=500, random_state=SEED, stratify=data.target
    )
    return train, held_out, train_labels, held_out_labels


def draw_digit(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Return a 64x64 RGB picture of an 8x8 digit; size, angle, place, colours and red marks come from ``rng``."""
    page = Image.new("RGB", (SIDE, SIDE), draw_colour((250, 245, 230), 6, rng))
    pen = ImageDraw.Draw(page)
    red = draw_colour((222, 62, 58), 16, rng)
    first, step = int(rng.integers(0, 22)), int(rng.integers(20, 26))
    for y in range(first, SIDE, step):
        pen.line((0, y, SIDE, y), fill=red, width=2)
    if rng.random() < 0.6:  # a teacher's mark, across the digit
        ends = rng.integers(4, SIDE - 4, 4)
        pen.line(tuple(int(end) for end in ends), fill=red, width=4)
    page.paste(draw_colour((38, 66, 168), 16, rng), mask=draw_ink(digit, rng))
    return page


def draw_ink(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Return the digit's ink as a 64x64 mask, 0 paper, 255 ink."""
    side = int(rng.integers(46, 59))
    strokes = Image.fromarray(np.uint8(digit * (255 / 16))).resize((side, side), Image.Resampling.BICUBIC)
    strokes = strokes.rotate(float(rng.uniform(-9, 9)), Image.Resampling.BICUBIC)
    ink = Image.new("L", (SIDE, SIDE), 0)
    spare = SIDE - side
    ink.paste(strokes, (int(rng.integers(0, spare + 1)), int(rng.integers(0, spare + 1))))
    return ink.point([min(255, max(0, (level - 70) * 2)) for level in range(256)])  # a pen has edges, the scan has none


def draw_colour(colour: tuple[int, int, int], spread: int, rng: np.random.Generator) -> tuple[int, int, int]:
    """Return a colour near ``colour``, each channel at most ``spread`` away and within 0..255."""
    red, green, blue = (int(np.clip(level + rng.integers(-spread, spread + 1), 0, 255)) for level in colour)
    return red, green, blue
