"""The outputs of a detector -> boxes as lines of JSON, and as rectangles on the image.

The four outputs are those of the vendor's and of TFLite's post-processing: boxes [1, N, 4] as top, left, bottom, right
in parts of the image, classes [1, N], scores [1, N], and the number of boxes.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipudebug.errors import InputError, ModelError
from ipudebug.files import replace_file

if TYPE_CHECKING:
    from ipudebug.tensor import Tensor

ROLES = {"boxes": "box", "classes": "class", "scores": "score", "num": "num"}
"""The outputs, in the post-processing's order, and the word that a name has of each."""
THRESHOLD = 0.5
"""Score of the boxes that are drawn unless the user says otherwise."""


class NoDetector(ModelError, ValueError):
    """The model does not end in a post-processing of detections."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One box: left, top, width and height in pixels of the image."""

    category: int
    box: tuple[float, float, float, float]
    score: float


def find_roles(outputs: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Return which output is which, given the name and the number of elements of each; raises NoDetector.

    Names tell, if they say it of all four; otherwise the order does.
    """
    named = {
        role: [place for place, (name, _) in enumerate(outputs) if word in name.lower()] for role, word in ROLES.items()
    }
    roles = {role: places[0] for role, places in named.items() if len(places) == 1}
    if len(set(roles.values())) < len(ROLES):
        roles = dict(zip(ROLES, range(len(outputs)), strict=False))
    sizes = {role: outputs[place][1] for role, place in roles.items()}
    fits = len(roles) == len(outputs) == len(ROLES) and sizes["num"] == 1
    if not fits or not sizes["boxes"] == 4 * sizes["classes"] == 4 * sizes["scores"]:
        found = ", ".join(f"{name} of {size}" for name, size in outputs)
        raise NoDetector(
            "Model doesn't concat SGS Postprocess method, can't handle Detection! expected the outputs boxes of 4 N "
            f"elements, classes and scores of N, num of 1; found {found}",
            "-c Unknown writes the outputs as they are",
        )
    return roles


def read_detections(tensors: Sequence[Tensor], size: tuple[int, int]) -> list[Detection]:
    """Return the boxes in the outputs of a detector, for an image of ``size`` (width, height); raises NoDetector."""
    roles = find_roles([(tensor.info.name, tensor.info.size) for tensor in tensors])
    boxes, classes, scores, num = (tensors[roles[role]].array.reshape(-1).tolist() for role in ROLES)
    width, height = size
    found = []
    for number in range(int(min(num[0] + 0.5, len(scores)) if num[0] > 0 else 0)):
        top, left, bottom, right = boxes[4 * number : 4 * number + 4]
        box = (left * width, top * height, (right - left) * width, (bottom - top) * height)
        category = int(classes[number] + 0.5) if math.isfinite(classes[number]) else -1
        found.append(Detection(category + 1, box, scores[number]))
    return found


def write_detections(path: str, image: str, detections: Sequence[Detection]) -> None:
    """Write a line of JSON per box; ``image_id`` are the digits of the image's name before its first dot."""
    digits = re.sub(r"\D", "", os.path.basename(image).partition(".")[0], flags=re.ASCII)
    with replace_file(path) as file:
        for one in detections:
            box = ",".join(f"{value:f}" for value in one.box)
            place = f'"image_id":{int(digits or 0)}, "category_id":{one.category}, "bbox":[{box}]'
            file.write(f'{{{place}, "score": {one.score:f}}},\n'.encode())


def measure_image(path: str) -> tuple[int, int]:
    """Return width and height of an image; raises InputError for a file that is none."""
    size: tuple[int, int] = _load_image(path).size
    return size


def draw_detections(image: str, target: str, detections: Sequence[Detection], threshold: float) -> int:
    """Write a PNG of an image with the boxes whose score reaches ``threshold`` on it, and return their number."""
    from PIL import ImageDraw

    picture = _load_image(image)
    pen = ImageDraw.Draw(picture)
    shown = [one for one in detections if one.score >= threshold and all(map(math.isfinite, one.box))]
    for one in shown:
        left, top, width, height = one.box
        pen.rectangle((left, top, left + max(width, 0), top + max(height, 0)), outline=(255, 0, 0), width=2)
        pen.text((left + 3, top + 2), f"{one.category}: {one.score:.2f}", fill=(255, 0, 0))
    with replace_file(target) as file:
        picture.save(file, format="PNG")
    return len(shown)


def parse_drawing(text: str) -> tuple[str, float]:
    """Return folder and threshold of ``DIR[,THRESHOLD]``; raises InputError."""
    folder, comma, number = text.rpartition(",")
    if not comma:
        return text, THRESHOLD
    try:
        threshold = float(number)
    except ValueError:
        threshold = -1.0
    if not folder or not 0 <= threshold <= 1:
        raise InputError(f"--draw_result: expected DIR or DIR,THRESHOLD with a threshold from 0 to 1, found {text!r}")
    return folder, threshold


def _load_image(path: str) -> Any:
    """Return an image in RGB; raises InputError for a file that is none."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError) as reason:  # what Pillow raises for damaged files
        message = f"{path}: expected an image, whose size the boxes need: {reason}"
        raise InputError(message, "detections need images that Pillow can open") from None
