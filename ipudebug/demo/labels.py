"""What the example's images show, and how many of them a model reads rightly."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipudebug.inputs.feeds import Feeds
    from ipudebug.runners import Runner


def read_label(path: str) -> int:
    """Return the digit that an image is named after: 7 for ``images/digit_7_a.png``."""
    return int(os.path.basename(path).split("_")[1])


def count_right(runner: Runner, feeds: Feeds) -> int:
    """Return for how many samples the largest of the model's first output, [1, 10], is the image's label."""
    right = 0
    for sample, feed in feeds.fit(runner.inputs):
        right += int(runner.run(feed)[0].array.argmax()) == read_label(sample[0])
    return right
