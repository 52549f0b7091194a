"""What -i, -n and --input_config say together -> one feed per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ipudebug.errors import InputError
from ipudebug.inputs.feed import make_feed
from ipudebug.inputs.images import Sample, find_samples
from ipudebug.inputs.preprocess import Preprocess, load_preprocess
from ipudebug.tensor import TensorInfo

if TYPE_CHECKING:
    from ipudebug.config.input_config import InputConfig


class Feeds:
    """The samples of a run and how each becomes a feed; nothing is preprocessed before ``fit`` is iterated.

    Attributes:
        samples: the paths, one per model input in each sample.
        config: the ini, or None.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        preprocess: Sequence[Preprocess],
        config: InputConfig | None,
        note: Callable[[str], object],
    ) -> None:
        """Take the parts; ``note`` is called once with every remark for the user."""
        self.samples = list(samples)
        self.config = config
        self._preprocess = list(preprocess)
        self._note = note
        self._noted: set[str] = set()
        for text in config.notes if config else ():
            self.note(text)

    def note(self, text: str) -> None:
        """Pass a remark on, unless it was passed on before."""
        if text not in self._noted:
            self._noted.add(text)
            self._note(text)

    def fit(self, inputs: Sequence[TensorInfo], norm: bool = True) -> Iterator[tuple[Sample, dict[str, np.ndarray]]]:
        """Yield every sample with its feed for a model that takes ``inputs``, preprocessed as it is drawn.

        ``norm`` is the flag for the preprocess: False for models that take the board's input. Raises UnknownInput at
        once when the ini names an input that the model lacks; InputError about a sample when that is drawn.
        """
        names = [info.name for info in inputs]
        if self.config and self.config.inputs:
            self.config.check_inputs(names)
            for name in names:
                if name not in self.config.inputs:
                    self.note(f"{self.config.path}: input {name} of the model is not in inputs; NHWC is assumed")
        return self._draw(inputs, norm)

    def _draw(self, inputs: Sequence[TensorInfo], norm: bool) -> Iterator[tuple[Sample, dict[str, np.ndarray]]]:
        """Yield the feeds of ``fit``."""
        for sample in self.samples:
            yield sample, self.prepare(sample, inputs, norm)

    def prepare(self, sample: Sample, inputs: Sequence[TensorInfo], norm: bool = True) -> dict[str, np.ndarray]:
        """Return the feed of one sample, as ``fit`` would yield it; raises InputError or PreprocessFailed."""
        layouts = [self.config.find_layout(info.name) if self.config else None for info in inputs]
        arrays = [preprocess(path, norm) for preprocess, path in zip(self._preprocess, sample, strict=True)]
        try:
            return make_feed(inputs, arrays, layouts, self.note)
        except InputError as error:
            error.message += f" (image {', '.join(sample)})"
            raise


def load_feeds(
    image: str,
    preprocess: str,
    input_config: str | InputConfig | None = None,
    note: Callable[[str], object] = lambda text: None,
) -> Feeds:
    """Return what the three arguments of a command stand for; everything that needs no model is checked here.

    Args:
        image: the -i argument, see ``images.find_samples``.
        preprocess: the -n argument, see ``preprocess.load_preprocess``.
        input_config: path of an input_config.ini, or what one says.
        note: called with every remark for the user, each once.

    Raises ConfigError, InputError or MissingDependency.
    """
    if isinstance(input_config, str):
        from ipudebug.config.input_config import load_input_config

        input_config = load_input_config(input_config) if input_config else None
    functions = load_preprocess(preprocess)
    return Feeds(find_samples(image, len(functions)), functions, input_config, note)
