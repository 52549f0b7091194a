"""Errors at the border only: padding."""

from __future__ import annotations

from ipudebug.diagnosis.evidence import Evidence
from ipudebug.diagnosis.verdict import Finding

_WIDEST = 3


class Border:
    """The outermost one to three pixels hold the error, on one or more sides."""

    rank = 8
    least = 0.7

    def examine(self, layer: Evidence) -> Finding | None:
        """Return a finding if the inside is as it should be."""
        view = layer.view
        if not view.is_spatial or min(view.a.shape[1:3]) < 5:
            return None
        pixels = (layer.d**2).sum(axis=3).sum(axis=0)
        total = float(pixels.sum())
        best = 0.0, 0
        for width in range(1, _WIDEST + 1):
            if 2 * width >= min(pixels.shape) - 1:
                break
            confidence = layer.explained(float(pixels[width:-width, width:-width].sum()))
            if confidence > best[0] + 0.03:
                best = confidence, width
        confidence, width = best
        ring = pixels.size - (pixels.shape[0] - 2 * width) * (pixels.shape[1] - 2 * width)
        share = 1 - float(pixels[width:-width, width:-width].sum()) / max(total, 1e-300) if width else 0.0
        if not width or share < 2 * ring / pixels.size:  # a ring of half the area says little
            return None
        sides = {
            "top": pixels[:width],
            "bottom": pixels[-width:],
            "left": pixels[width:-width, :width],
            "right": pixels[width:-width, -width:],
        }
        hit = [side for side, part in sides.items() if part.sum() > 0.05 * total]
        return Finding(
            "border",
            confidence,
            f"the outermost {width} pixel{'s' if width > 1 else ''} ({', '.join(hit)}) hold {share:.0%} of the error",
            "compare the pads of this operator in the two models (begin and end are easily swapped), and the value"
            " that is padded: it is the zero point of the input, not 0, in a fixed model",
            {"width": width, "sides": hit, "share": share},
        )


KIND = Border()
