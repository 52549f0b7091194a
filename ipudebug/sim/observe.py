"""A float model and images -> the range of every tensor and of the channels of convolutions, samples, and moments.

One onnxruntime session has the reductions as further outputs, so that no activation leaves it, and none is held from
one image to the next. It computes with one thread, several images at a time: the numbers then do not depend on how many
threads or processors there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ipudebug.errors import ModelError, NodeFailed
from ipudebug.runners.session import shorten
from ipudebug.sim.compensation.moments import Moments
from ipudebug.sim.histogram import Histogram
from ipudebug.sim.observed_graph import Tap, build_observed
from ipudebug.sim.quantisation import Range

if TYPE_CHECKING:
    from ipudebug.runners import Feed
    from ipudebug.sim.planning import Plan

SILENT = 4


@dataclass
class Observation:
    """What was seen of one tensor.

    Attributes:
        low, high: of every channel, or of the whole as one; float32.
        histogram: of a sample of each image.
        depth: the smallest x - max(x), for the input of a Softmax; else 0.
        read: what the convolution that makes it reads; None where that is not observed.
    """

    low: np.ndarray
    high: np.ndarray
    histogram: Histogram = field(default_factory=Histogram)
    depth: float = 0.0
    read: Moments | None = None

    @property
    def range(self) -> Range:
        """The range of the whole tensor."""
        return Range(float(self.low.min()), float(self.high.max()))


class Observer:
    """A float model that is ready to be observed.

    Args:
        plan: of the model.
        sampled: the tensors whose histograms are wanted.
        with_moments: whether it is wanted what convolutions read.
        workers: images that are computed at a time.
    """

    def __init__(self, plan: Plan, *, sampled: Collection[str], with_moments: bool, workers: int) -> None:
        """Open the session; raises ModelError."""
        model, self._taps = build_observed(plan, sampled=sampled, with_moments=with_moments)
        self._workers = max(1, workers)
        self._session = _open_session(model.SerializeToString())

    def observe(
        self, feeds: Iterable[tuple[Sequence[str], Feed]], done: Callable[[], object] = lambda: None
    ) -> dict[str, Observation]:
        """Return what was seen of each tensor.

        Args:
            feeds: paths of the images and feed of each sample; drawn as they are needed.
            done: called after each sample.

        Raises ModelError if the model fails, or computes NaN or infinities.
        """
        seen: dict[str, Observation] = {}
        for sample, values in self._run_all(feeds):
            ends: dict[str, tuple[np.ndarray, np.ndarray]] = {}
            for tap in self._taps:
                ends[tap.name] = _find_ends(tap, values, ends)
                _merge(seen, tap, ends[tap.name], values, sample)
            done()
        return seen

    def _run_all(
        self, feeds: Iterable[tuple[Sequence[str], Feed]]
    ) -> Iterator[tuple[Sequence[str], Mapping[str, Any]]]:
        """Yield sample and output arrays in the order of the samples, a few of them under way at a time."""
        waiting: deque[tuple[Sequence[str], Future[Mapping[str, Any]]]] = deque()
        with ThreadPoolExecutor(self._workers) as pool:
            for sample, feed in feeds:
                waiting.append((sample, pool.submit(self._run, sample, feed)))
                if len(waiting) > self._workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()

    def _run(self, sample: Sequence[str], feed: Feed) -> Mapping[str, Any]:
        """Return the reductions of one sample, by output name."""
        try:
            arrays = self._session.run(None, dict(feed))
        except Exception as error:  # onnxruntime's own errors have no base class but this one
            message = f"the float model fails on {', '.join(sample)}: {shorten(str(error))}"
            raise NodeFailed(message, "run it with `ipudebug simulate` to see where") from None
        return dict(zip((output.name for output in self._session.get_outputs()), arrays, strict=True))


def _find_ends(
    tap: Tap, values: Mapping[str, Any], ends: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return smallest and largest values of a tensor in one image, of each channel or of the whole."""
    if tap.source is None:
        return values[tap.low].reshape(-1), values[tap.high].reshape(-1)
    low, high = (np.clip(end, np.float32(tap.source.low), np.float32(tap.source.high)) for end in ends[tap.source.name])
    return low, high


def _merge(
    seen: dict[str, Observation],
    tap: Tap,
    ends: tuple[np.ndarray, np.ndarray],
    values: Mapping[str, Any],
    sample: Sequence[str],
) -> None:
    """Take up what one image shows of a tensor; raises ModelError for NaN or infinities."""
    low, high = ends
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        found = f"{float(low.min()):g} to {float(high.max()):g}"
        message = f"{tap.name}: expected finite numbers, found {found} on {', '.join(sample)}"
        raise ModelError(message, "compare the float model with the original: ipudebug dump-onnx, simulate, compare")
    entry = seen.get(tap.name)
    if entry is None:
        entry = seen[tap.name] = Observation(low, high, read=Moments() if tap.mean else None)
    else:
        entry.low, entry.high = np.minimum(entry.low, low), np.maximum(entry.high, high)
    if tap.sample:
        entry.histogram.add(values[tap.sample])
    if tap.depth:
        entry.depth = min(entry.depth, float(values[tap.depth]))
    if entry.read is not None:
        entry.read.add(values[tap.mean], values[tap.products] if tap.products else None)


def _open_session(model: bytes) -> Any:
    """Return a session with one thread; raises ModelError."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Each tensor is looked at as soon as it is made, while it is still in the cache, and not kept any longer.
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:
        message = f"onnxruntime does not load the float model: {shorten(str(error))}"
        raise ModelError(message, "convert the original again") from None
