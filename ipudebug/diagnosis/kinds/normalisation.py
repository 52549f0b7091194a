"""An input that was normalised twice, or not at all."""

from __future__ import annotations

from ipudebug.diagnosis.colours import fit_colours, name_normalisation, show_numbers
from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_REMEDY = (
    "compare mean and std_value of input_config.ini with the preprocess, and the norm flag: float models take the"
    " normalised image (norm=True), fixed and offline models the pixels (norm=False)"
)


class Normalisation:
    """A line for each colour, with the slope and offset that one normalisation too few or too many makes."""

    rank = 3
    least = 0.7

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding for a model input whose colours are lines over the benchmark's."""
        a, b = layer.view.flat()
        if not layer.is_input or a.shape[1] > 4 or len(a) < 8:
            return None
        gains, offsets, left = fit_colours(a, b)
        if (gains <= 0).any():
            return None
        confidence = layer.explained(left, 2 * a.shape[1])
        what = name_normalisation(a, b, gains, offsets)
        numbers = {"gains": gains.tolist(), "offsets": offsets.tolist()}
        if not what:
            return None
        text = f"{what}: sample = {show_numbers(gains)} x benchmark + {show_numbers(offsets)}"
        return Finding(
            "normalisation", confidence, f"{text}, which explains {confidence:.0%} of the error", _REMEDY, numbers
        )


KIND = Normalisation()
