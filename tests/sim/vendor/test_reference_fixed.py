"""The vendor's fixed models: the integers of its simulator, bit for bit, from the image on."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from ipudebug.dumps import open_dump
from ipudebug.dumps.block import BlockDump
from ipudebug.dumps.writer import DIALECTS, write_blocks
from ipudebug.sim.executor import FixedRunner
from ipudebug.sim.model import SimModel, Stage
from ipudebug.sim.records import iterate_records, list_headers
from ipudebug.sim.vendor import parse_sim, read_vendor
from ipudebug.sim.vendor.options import read_convolution
from ipudebug.sim.vendor.weights import decode_weights
from tests.sim.vendor.images import feed_board
from tests.sim.vendor.interpreter import interpret

pytestmark = pytest.mark.reference

WHOLE = [
    ("smallnet/fixed.sim", "smallnet/dumps/fixed_raw.bin", False),
    ("smallnet/fixed.sim", "smallnet/dumps/fixed_dequant.bin", True),
    ("smallnet/fixed_nofuse.sim", "smallnet/dumps/fixed_nofuse_raw.bin", False),
    ("smallnet/fixed_nofuse.sim", "smallnet/dumps/fixed_nofuse_dequant.bin", True),
    ("smallnet/offline.sim", "smallnet/dumps/fixed_raw.bin", False),
    ("smallnet_int16/fixed.sim", "smallnet_int16/dumps/fixed_raw.bin", False),
    ("smallnet_int16/fixed.sim", "smallnet_int16/dumps/fixed_dequant.bin", True),
]


def write_ours(sim: Path, feed: dict[str, np.ndarray], dequantise: bool, path: Path) -> None:
    """Write the dump of a fixed model as the vendor would."""
    model = read_vendor(sim)
    assert model.stage in (Stage.FIXED, Stage.OFFLINE)
    records = iterate_records(model, FixedRunner(model).trace(feed), feed=feed, dequantise=dequantise)
    headers = list_headers(model, dequantise=dequantise)
    write_blocks(path, records, DIALECTS["simulator-1.1.5"], headers, is_float=dequantise)


def list_differing(ours: BlockDump, vendor: BlockDump) -> dict[str, tuple[float, int]]:
    """Return the tensors that differ -> share of the values that do, largest difference; all else is checked."""
    differing = {}
    assert len(ours.infos) == len(vendor.infos)
    for index, info in enumerate(vendor.infos):
        assert ours.header(index).lines(with_shape=False) == vendor.header(index).lines(with_shape=False)
        a, b = (dump.stored(index).array for dump in (ours, vendor))
        assert a.dtype == b.dtype
        if a.tobytes() != b.tobytes():
            steps = 1 if a.dtype.kind == "i" else 32768  # a step of SOFTMAX, the only operator that may differ
            gap = np.abs(a.astype(np.float64) - b.astype(np.float64)) * steps
            differing[f"{info.op_type} {info.role}"] = (float((gap > 0).mean()), int(gap.max()))
    return differing


def open_block(path: Path) -> BlockDump:
    dump = open_dump(path)
    assert isinstance(dump, BlockDump)
    return dump


@pytest.mark.parametrize(("sim", "dump", "dequantise"), WHOLE)
def test_the_dump_is_the_vendors_byte_for_byte_but_for_the_softmax(
    sim: str, dump: str, dequantise: bool, reference: Path, tmp_path: Path
) -> None:
    network = sim.split("/")[0]
    write_ours(reference / sim, feed_board(reference, network), dequantise, tmp_path / "ours.bin")
    assert (tmp_path / "ours.bin").stat().st_size == (reference / dump).stat().st_size
    check_differing(list_differing(open_block(tmp_path / "ours.bin"), open_block(reference / dump)), 0.1)


def check_differing(differing: dict[str, tuple[float, int]], share: float) -> None:
    """Assert that nothing but SOFTMAX differs: by one step, in at most that share of its values."""
    assert set(differing) <= {"SOFTMAX out"}
    for found, gap in differing.values():
        assert found <= share
        assert gap == 1


def test_a_trained_detector_is_exact_but_for_the_softmax(reference: Path, tmp_path: Path) -> None:
    with lzma.open(reference / "rfb320/dumps/fixed_raw.bin.xz") as packed, (tmp_path / "vendor.bin").open("wb") as file:
        shutil.copyfileobj(packed, file)
    write_ours(reference / "rfb320/fixed.sim", feed_board(reference, "rfb320"), False, tmp_path / "ours.bin")
    check_differing(list_differing(open_block(tmp_path / "ours.bin"), open_block(tmp_path / "vendor.bin")), 0.04)


@pytest.mark.parametrize("sim", ["smallnet/fixed.sim", "smallnet_int16/fixed.sim", "rfb320/fixed.sim"])
def test_fixed_graphs_are_sound_onnx(sim: str, reference: Path) -> None:
    onnx.checker.check_model(read_vendor(reference / sim).graph)


@pytest.mark.parametrize(
    ("fixed", "least_exact"),
    [("smallnet/fixed", 1.0), ("smallnet/fixed_nofuse", 1.0), ("smallnet_int16/fixed", 0.9995), ("rfb320/fixed", 1.0)],
)
def test_decoded_weights_are_the_rounded_float_weights(fixed: str, least_exact: float, reference: Path) -> None:
    original = {tensor.name: tensor for tensor in parse_sim(reference / fixed.split("/")[0] / "float.sim").tensors}
    model = parse_sim(reference / f"{fixed}.sim")
    seen = 0
    for operator in model.operators:
        if operator.type not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            continue
        seen += 1
        x, tensor = model.inputs_of(operator)[:2]
        depthwise = operator.type == "DEPTHWISE_CONV_2D"
        tiles = read_convolution(operator, tensor.shape[1:3], x.shape[1:3], model.path).tiles
        found = decode_weights(tensor, tiles, model.path, depthwise=depthwise)
        data = original[tensor.name].data
        assert data is not None
        real = data.view("<f4").reshape(tensor.shape).astype(np.float64)
        scale = tensor.scale.astype(np.float64).reshape((1, 1, 1, -1) if depthwise else (-1, 1, 1, 1))
        limit = np.iinfo(tensor.dtype).max
        expected = np.clip(np.rint(real / scale), -limit, limit)
        assert np.abs(found - expected).max() <= 1
        assert (found == expected).mean() >= least_exact
    assert seen == (52 if fixed.startswith("rfb") else 6)


PER_OPERATOR = {
    "smallnet/fixed.sim": ("smallnet/dumps/fixed_raw.bin", 12),
    "smallnet/fixed_nofuse.sim": ("smallnet/dumps/fixed_nofuse_raw.bin", 19),
    "smallnet_int16/fixed.sim": ("smallnet_int16/dumps/fixed_raw.bin", 12),
    "rfb320/fixed.sim": ("rfb320/dumps/fixed_raw.bin.xz", 56),
}
"""Model -> its raw dump, and how many operators (of a fused domain: the last) show their output there."""


def open_packed(path: Path, folder: Path) -> BlockDump:
    """Open a dump, unpacked first if it is packed."""
    if path.suffix != ".xz":
        return open_block(path)
    with lzma.open(path) as packed, (folder / path.stem).open("wb") as file:
        shutil.copyfileobj(packed, file)
    return open_block(folder / path.stem)


def compare_operators(model: SimModel, dump: BlockDump, feed: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """Return operator type -> [operators, values, values that differ, largest difference], each fed by the vendor."""
    made = {info.name: index for index, info in enumerate(dump.infos) if info.role == "out"}
    types = {name: operation.out_type for operation in model.operations for name in operation.outputs}
    stored, given = {}, {}
    for name, index in made.items():
        info = model.tensors[name]
        stored[name] = dump.stored(index).array.reshape(info.shape)
        given[name] = stored[name].transpose(0, 3, 1, 2) if stored[name].ndim == 4 else stored[name]
    found: dict[str, list[int]] = {}
    for tensor in interpret(model.graph, feed, given):
        name = tensor.info.name
        if name not in made:
            continue
        row = found.setdefault(types[name], [0, 0, 0, 0])
        gap = np.abs(tensor.array.astype(int) - stored.pop(name))
        row[:] = row[0] + 1, row[1] + gap.size, row[2] + np.count_nonzero(gap), max(row[3], int(gap.max()))
    assert not stored, "every operator that the dump shows was computed"
    return found


@pytest.mark.parametrize("sim", PER_OPERATOR)
def test_every_operator_fed_with_the_vendors_inputs_gives_the_vendors_integers(
    sim: str, reference: Path, tmp_path: Path
) -> None:
    dump, count = PER_OPERATOR[sim]
    feed = feed_board(reference, sim.split("/")[0])
    found = compare_operators(read_vendor(reference / sim), open_packed(reference / dump, tmp_path), feed)
    assert sum(row[0] for row in found.values()) == count
    for kind, (_, values, differing, largest) in found.items():
        if kind == "SOFTMAX":
            assert differing <= max(1, 0.036 * values)
            assert largest <= 1
        else:
            assert differing == 0, f"{kind}: {differing} of {values} values differ"
