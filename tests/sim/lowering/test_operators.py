"""Every operator that is lowered: which nodes it becomes, and that they compute what the float operator computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipudebug.sim.fixed_file import save_fixed
from ipudebug.sim.loading import load_sim
from ipudebug.sim.seal import seal_model
from tests.sim.calibrated import calibrate_net
from tests.sim.lowering.operator_cases import CASES, build_case

INEXACT = ("SOFTMAX", "LOGISTIC", "TRANSPOSE", "SLICE")
"""Kernels that are inexact by themselves."""


@pytest.mark.parametrize("name", CASES)
def test_an_operator_computes_the_same_in_integers(name: str, tmp_path: Path) -> None:
    expected = CASES[name][-1]
    made = calibrate_net(build_case(name), tmp_path)
    if expected == "real":
        assert "DequantizeLinear" in made.kernels
        assert len(made.lowered.inexact) == 1
    elif expected is not None:
        assert made.kernels == expected.split()
        assert set(made.lowered.inexact) <= set(INEXACT)
    likeness = made.likeness(tmp_path / "net_float.sim")
    assert set(likeness) >= {info.name for info in made.source.graph.graph.output}
    assert min(likeness.values()) > 0.999, likeness
    seal = tmp_path / "net.img"
    save_fixed(made.lowered.model, str(tmp_path / "net_fixed.sim"))
    seal_model(str(tmp_path / "net_fixed.sim"), str(seal))
    assert load_sim(str(seal)).tensors == made.fixed.tensors


def test_a_scalar_constant_stays_one(tmp_path: Path) -> None:
    made = calibrate_net(build_case("gather one"), tmp_path)
    assert made.trace()["y"].array.shape == tuple(made.fixed.tensors["y"].shape) == (1, 6, 8)


def test_sixteen_bits_are_a_hundred_times_closer(tmp_path: Path) -> None:
    more = "[CONV_CONFIG]\ninput_format = ALL_INT16;\n"
    made = calibrate_net(build_case("tanh between convolutions"), tmp_path, more)
    assert min(made.likeness(tmp_path / "net_float.sim").values()) > 0.9999999
