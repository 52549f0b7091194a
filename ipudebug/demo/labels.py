"""What the example's images show, and how many of them a model reads rightly."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from ipudebug.inputs.feeds import Feeds
    from ipudebug.inputs.images import Sample
    from ipudebug.runners import Runner


def read_label(path: str) -> int:
    """Return the digit that an image is named after: 7 for ``images/digit_7_a.png``."""
    return int(os.path.basename(path).split("_")[1])


def count_right(runner: Runner, feeds: Feeds) -> int:
    """Return for how many samples the largest of the model's first output, [1, 10], is the image's label."""
    return count_labels(feeds.samples, (runner.run(feed)[0].array for _, feed in feeds.fit(runner.inputs)))


def count_labels(samples: Sequence[Sample], outputs: Iterable[np.ndarray]) -> int:
    """Return for how many samples the largest of the output that belongs to it, [1, 10], is the image's label."""
    pairs = zip(samples, outputs, strict=True)
    return sum(int(output.argmax()) == read_label(sample[0]) for sample, output in pairs)
