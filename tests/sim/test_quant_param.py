"""The quantisation file: what is written, and every way in which one can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ipudebug.errors import ConfigError, ModelError
from ipudebug.sim.fixed_file import save_fixed
from ipudebug.sim.loading import load_sim
from ipudebug.sim.quant_param import QuantFileFault, list_quant_params, read_quant_file, write_quant_params
from tests.sim.calibrated import calibrate_net
from tests.sim.mixed_net import build_net

GOOD: dict[str, Any] = {"min": [-1.5], "max": [2.0], "name": "x", "bit": 8}
FAULTS: list[tuple[Any, str]] = [
    ({"x": GOOD}, r"quant_param must be a `list`"),
    ([3], r"each quant_param\[0\] must be `dict`"),
    ([GOOD, {**GOOD, "name": 3}], r"name of each quant_param\[1\] must be `str`.*found 3"),
    ([{**GOOD, "min": 1.0}], r"min of each quant_param\[0\] must be `list`"),
    ([{**GOOD, "max": []}], r"max of each quant_param\[0\] must be `list`"),
    ([{**GOOD, "max": ["2"]}], r"must be a `list` of numbers"),
    ([{**GOOD, "max": [True]}], r"must be a `list` of numbers"),
    ([{**GOOD, "max": [1e300]}], r"max of each quant_param\[0\] must be finite"),
    ([{**GOOD, "max": [1, 2]}], r"must not exceed max, and have as many numbers"),
    ([{**GOOD, "max": [-2.0]}], r"must not exceed max.*found \{'name': 'x', 'min': \[-1.5\], 'max': \[-2.0\]\}"),
    ([GOOD, {**GOOD, "max": [3.0]}], r"name of each quant_param\[1\] must be given once.*found 'x'"),
    ([{**GOOD, "bit": 7}], r"bit of each quant_param\[0\] must be 4, 8 or 16.*found 7"),
]


@pytest.mark.parametrize(("content", "words"), FAULTS)
def test_faults(content: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "params.json"
    path.write_text(json.dumps(content))
    with pytest.raises(QuantFileFault, match=words) as raised:
        read_quant_file(str(path))
    assert str(path) in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(
    ("data", "words"), [(b"{", "is no JSON"), (b"\x80\x04]", "is a pickle"), (b"\xff\xfe", "is no JSON")]
)
def test_what_is_no_json(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "params.json"
    path.write_bytes(data)
    with pytest.raises(QuantFileFault, match=words):
        read_quant_file(str(path))
    with pytest.raises(ConfigError, match="no such file"):
        read_quant_file(str(tmp_path / "none.json"))


def test_a_file_of_the_vendors_layout_is_read(tmp_path: Path) -> None:
    path = tmp_path / "params.json"
    path.write_text(json.dumps([GOOD, {"min": [-1, -2], "max": [1, 2], "name": "w", "bit": 16, "data": [1]}]))
    found = read_quant_file(str(path))
    assert (found["x"].range.low, found["x"].range.high, found["x"].bit) == (-1.5, 2.0, 8)
    assert found["w"].low.dtype == np.float32
    assert found["w"].low.tolist() == [-1, -2]


def test_a_fixed_model_is_written(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path, formats="RGB", mean="10:10:10", std_value="5")
    save_fixed(made.lowered.model, str(tmp_path / "net_fixed.sim"))
    target = tmp_path / "net_fixed.sim.json"
    count = write_quant_params(load_sim(str(tmp_path / "net_fixed.sim")), str(target))
    params = {param["name"]: param for param in json.loads(target.read_text())}
    assert len(params) == count
    assert list(params["x"]) == ["min", "max", "name", "bit"]
    assert (params["x"]["min"], params["x"]["max"], params["x"]["bit"]) == ([-2.0], [49.0], 8)
    assert (len(params["w"]["min"]), params["w"]["bit"]) == (4, 8)
    assert params["y"]["bit"] == 16
    assert target.read_text().startswith('[\n    {\n        "min": [\n')


def test_a_float_model_has_none(tmp_path: Path) -> None:
    made = calibrate_net(build_net(), tmp_path)
    with pytest.raises(ModelError, match="expected a fixed model, found a float model"):
        list_quant_params(made.source)
