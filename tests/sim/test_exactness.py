"""What a user is told about integers that are not known to be the chip's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.data.vendor_models import make_fixed, make_float
from ipudebug.sim.exactness import describe_inexact, list_inexact
from ipudebug.sim.loading import load_sim


def test_inexact_operators_are_told_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "fixed.sim"
    path.write_bytes(make_fixed())
    model = load_sim(str(path))
    assert list_inexact(model) == {"gate": ("LOGISTIC",), "tanh": ("TANH",), "y": ("SOFTMAX",)}
    assert describe_inexact(model) == (
        "not to the chip's bit, see docs/exactness.md: LOGISTIC (gate), SOFTMAX (y), TANH (tanh)"
    )
    many = replace(model, operations=tuple(replace(one, inexact=("TANH",)) for one in model.operations))
    assert describe_inexact(many).endswith("TANH (relu, depthwise, joined and 4 more)")


def test_a_float_model_has_no_integers(tmp_path: Path) -> None:
    path = tmp_path / "float.sim"
    path.write_bytes(make_float())
    assert describe_inexact(load_sim(str(path))) == ""


@pytest.mark.reference
def test_all_of_a_real_detector_is_the_chips_but_its_softmax(reference: Path) -> None:
    assert list_inexact(load_sim(str(reference / "rfb320/fixed.sim"))) == {"scores": ("SOFTMAX",)}
    assert list_inexact(load_sim(str(reference / "smallnet/offline.sim"))) == {"prob": ("SOFTMAX",)}
