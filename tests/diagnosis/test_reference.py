"""The verdict on the vendor's own dumps, and the reasons for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipudebug.diagnosis import Shape, diagnose
from ipudebug.diagnosis.blame import Role
from ipudebug.diagnosis.models import diagnose_with_models
from ipudebug.inputs.feeds import load_feeds

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def smallnet(reference: Path) -> Path:
    return reference / "smallnet"


@pytest.mark.parametrize("sample", ["fixed_dequant", "fixed_nofuse_dequant", "with_shape/fixed_dequant"])
def test_smallnet_fixed_against_float_is_clean(smallnet: Path, sample: str) -> None:
    """The fixed model of smallnet is healthy: what separates it from float is rounding, and nothing but rounding.

    - Its worst row has RMSE 0.065 and COS 0.9992; the vendor calls a layer suspicious from 0.1 and below 0.99.
    - No layer changes clearly. The largest jump is 0.8 of the bar.
    - Three things look systematic and are the chip's arithmetic: the input is half a step low everywhere, because its
      zero point 128 stands for 127.5; avgpool8 and gap9 are half a step low on average, because the chip's mean rounds
      down (SPEC 11.5, exact on these very dumps); fc11 is cut off a trifle below the range of this image, as its range
      is that of the ten calibration images, of which this is none.
    """
    dumps = smallnet / "dumps"
    benchmark = dumps / "with_shape" / "float.bin" if "with_shape" in sample else dumps / "float.bin"
    verdict = diagnose(sample=dumps / f"{sample}.bin", benchmark=benchmark)
    assert verdict.shape is Shape.CLEAN
    assert verdict.is_clean
    assert verdict.suspects == ()
    assert max(jump.size for jump in verdict.jumps) < 1


def test_smallnet_loses_its_accuracy_in_the_two_means(smallnet: Path) -> None:
    """With the models the verdict says where that noise comes from: from the pools that round down.

    Convolutions and activations round to nearest, so their errors average out in the global mean behind them. An
    average pool that rounds down leaves an error of one sign, half a step, which averaging does not remove: avgpool8
    and gap9 bear more than nine tenths of what prob is off by, though their own errors (0.018 and 0.024) are hardly
    larger than those of relu6_2 (0.016), which bears nothing.
    """
    pytest.importorskip("cv2", reason="the vendor's preprocess file reads images with OpenCV")
    dumps = smallnet / "dumps"
    verdict = diagnose_with_models(
        sample=dumps / "fixed_dequant.bin",
        benchmark=dumps / "float.bin",
        float_model=str(smallnet / "float.sim"),
        fixed_model=str(smallnet / "fixed.sim"),
        feeds=load_feeds(str(smallnet / "test.jpg"), str(smallnet / "preprocess.py")),
    )
    assert verdict.shape is Shape.CLEAN
    assert verdict.blame is not None
    layers = {layer.name: layer for layer in verdict.blame.layers}
    assert layers["avgpool8"].share + layers["gap9"].share > 0.9
    assert layers["avgpool8"].role is layers["gap9"].role is Role.ORIGINATES
    assert abs(layers["relu6_2"].share) < 0.05
    assert sum(layer.share for layer in layers.values()) + verdict.blame.input_share == pytest.approx(1, abs=1e-6)
    # A copy adds nothing when it is computed on the sample's own integers; alone it shows the rounding of its input.
    assert layers["maxpool6"].local == 0
    assert 0 < (layers["maxpool6"].alone or 0) < layers["maxpool6"].accumulated
    assert all(layer.alone is not None for layer in layers.values())


def test_the_patched_dump_names_all_three_operators(smallnet: Path) -> None:
    """The artefact's README: relu5 times 5, gap9 all zero, fc11 all NaN."""
    dumps = smallnet / "dumps"
    verdict = diagnose(sample=dumps / "patched" / "fixed_dequant_patched.bin", benchmark=dumps / "float.bin")
    assert verdict.shape is Shape.ABRUPT
    found = {suspect.row.name: suspect.finding.kind for suspect in verdict.suspects}
    assert verdict.suspects[0].row.name == "relu5"
    assert found["relu5"] == "scale"
    assert verdict.suspects[0].finding.numbers["gain"] == pytest.approx(5, rel=0.02)
    assert found["fc11"] == "nan"
    assert found["gap9"] == "constant"


def test_float_against_onnx_is_clean(smallnet: Path) -> None:
    dumps = smallnet / "dumps"
    verdict = diagnose(sample=dumps / "float.bin", benchmark=dumps / "onnx_original" / "onnx_NHWC_outtensor_dump.bin")
    assert verdict.is_clean
    assert max(jump.size for jump in verdict.jumps) < 0.01


def test_the_int16_model_is_clean(reference: Path) -> None:
    dumps = reference / "smallnet_int16" / "dumps"
    assert diagnose(sample=dumps / "fixed_dequant.bin", benchmark=dumps / "float.bin").is_clean
