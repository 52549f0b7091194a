"""A sealed model: every byte of it counts, and every field has its own message."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ipudebug.errors import ConfigError, InputError, ModelError, UnsupportedOp
from ipudebug.sim import seal
from ipudebug.sim.container import Kind, NoModel, NotRecognised, open_sim
from ipudebug.sim.executor import FixedRunner
from ipudebug.sim.loading import load_sim
from ipudebug.sim.model import Stage
from ipudebug.sim.seal import WrongChip, check_chip, name_output, open_sealed, parse_batches, seal_model
from ipudebug.sim.seal_check import DamagedSeal
from ipudebug.sim.seal_header import FIXED_SIZE, decode_header, decode_preamble, digest_header
from ipudebug.sim.soc_version import UnknownChip

INI = """[INPUT_CONFIG]
inputs = x;
training_input_formats = RGB;
input_formats = RGBA;
input_width_alignment = 64;
input_height_alignment = 2;
[OUTPUT_CONFIG]
outputs = y;
"""


def fixed_net(joined: int = 6) -> onnx.ModelProto:
    """Return a model that converts an RGBA image, and joins it with itself."""
    matrix, offset = [1024, 0, 0, 0, 1024, 0, 0, 0, 1024], [256, 256, 256]
    nodes = [
        helper.make_node(
            "INPUT_CONVERSION", ["x"], ["a"], domain="ipudebug", domain_index=0, matrix=matrix, offset=offset,
            layout="NCHW",
        ),
        helper.make_node("CONCATENATION", ["a", "a"], ["y"], domain="ipudebug", domain_index=1, axis=1),
    ]  # fmt: skip
    shapes = {"x": [1, 4, 3, 2], "a": [1, 3, 3, 2], "y": [1, joined, 3, 2]}
    infos = {name: helper.make_tensor_value_info(name, TensorProto.UINT8, shape) for name, shape in shapes.items()}
    values = [numpy_helper.from_array(np.float32(0.1), "s"), numpy_helper.from_array(np.uint8(3), "z")]
    graph = helper.make_graph(nodes, "g", [infos["x"]], [infos["y"]], values, value_info=[infos["a"]])
    for name in shapes:
        annotation = graph.quantization_annotation.add(tensor_name=name)
        for key, value in (("SCALE_TENSOR", "s"), ("ZERO_POINT_TENSOR", "z")):
            annotation.quant_parameter_tensor_names.add(key=key, value=value)
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ipudebug", 1)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    facts = {"stage": "fixed", "version": "1", "chip": "souffle", "input_config": INI, "layout": "NCHW"}
    helper.set_model_props(model, {f"ipudebug.{key}": value for key, value in facts.items()})
    return model


@pytest.fixture
def fixed(tmp_path: Path) -> str:
    path = tmp_path / "net_fixed.sim"
    path.write_bytes(fixed_net().SerializeToString())
    return str(path)


@pytest.fixture
def sealed(fixed: str) -> Path:
    seal_model(fixed, name_output(fixed))
    return Path(name_output(fixed))


def test_a_sealed_model_computes_what_the_fixed_one_computes(fixed: str, sealed: Path) -> None:
    assert sealed.name == "net_fixed.sim_sgsimg.img"
    assert open_sim(str(sealed)).kind is Kind.SEALED
    model = load_sim(str(sealed))
    assert (model.stage, model.chip, model.path) == (Stage.OFFLINE, "souffle", str(sealed))
    feed = {"x": np.random.default_rng(1).integers(0, 256, (1, 4, 3, 2), np.uint8)}
    (found,), (wanted,) = FixedRunner(model).run(feed), FixedRunner(load_sim(fixed)).run(feed)
    assert found.array.tobytes() == wanted.array.tobytes()


def test_the_header_says_what_is_documented(sealed: Path) -> None:
    data = sealed.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    assert data[:12] == b"\x89IPUIMG\n" + struct.pack("<I", 1)
    assert size == -(-(176 + 2 * 80 + 2) // 64) * 64
    model, buffers = struct.unpack_from("<QQ", data, 16)
    assert size + model == len(data)
    # RGBA: 3 rows of 2 x 4 bytes, filled up to 64; output: 3 x 2 pixels of 6 channels, filled up to 16 bytes.
    assert buffers == 3 * 64 + 3 * 2 * 16
    assert struct.unpack_from("<II8I", data, 32) == (0, 1, 1, 0, 0, 0, 0, 0, 0, 0)
    assert struct.unpack_from("<HHI", data, 72) == (1, 1, 0)
    assert data[80:112] == b"souffle".ljust(32, b"\0")
    assert data[112:144] == hashlib.sha256(data[size:]).digest()
    assert data[144:176] == hashlib.sha256(data[:144] + bytes(32) + data[176:size]).digest()
    first = struct.unpack_from("<II8IfiIIIIQII", data, 176)
    scale = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert first == (4, 0, 1, 3, 2, 4, 0, 0, 0, 0, scale, 3, 0x301, 64, 2, 0, 192, 336, 1)
    second = struct.unpack_from("<II8IfiIIIIQII", data, 256)
    assert second == (4, 0, 1, 3, 2, 6, 0, 0, 0, 0, scale, 3, 2, 16, 1, 0, 96, 337, 1)
    assert data[336:338] == b"xy"
    assert not any(data[338:size])


def test_every_flipped_byte_is_found(sealed: Path) -> None:
    data = sealed.read_bytes()
    header = struct.unpack_from("<I", data, 12)[0]
    damaged = sealed.with_name("damaged.img")
    words = set()
    for place in range(len(data)):
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0x11]) + data[place + 1 :])
        with pytest.raises((DamagedSeal, NotRecognised)) as caught:
            open_sealed(str(damaged))
        if place >= header:
            assert "Model Digest check failed" in caught.value.message
        words.add(caught.value.message.split(". ")[0].removeprefix("Assert!!! Errors happened in "))
    fields = "dim,Shape,Element format,Scalar,ZPoint,ExtFlag,Height alignment,Width alignment,Aligned Buffer Size,Name"
    wanted = {
        f"Image Header {port} {field} check failed" for port in ("Input 0", "output 0") for field in fields.split(",")
    }
    wanted |= {
        f"Image Header {name} check failed" for name in ("Batch mode", "Chip", "Digest", "Model Digest", "Version")
    }
    wanted |= {f"Image Header {name} check failed" for name in ("Name", "Header Size", "Number of inputs and outputs")}
    wanted |= {
        "Image Header BufferSize Check Failed!",
        "Image Header BufferSize1 Check Failed!",
        "Not recognized model",
    }
    assert words == wanted


@pytest.mark.parametrize("size", [0, 3, 8, 100, 175, 176, 200, 384, 500, -1])
def test_a_file_that_is_cut_is_found(sealed: Path, size: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:size])
    with pytest.raises((DamagedSeal, NotRecognised), match=r"Size [Cc]heck|Not recognized model"):
        open_sealed(str(sealed))


def test_a_file_with_more_behind_it_is_found(sealed: Path) -> None:
    sealed.write_bytes(sealed.read_bytes() + b"\0")
    with pytest.raises(DamagedSeal, match=r"BufferSize Check Failed!.*expected .* bytes .*the file has"):
        open_sealed(str(sealed))


def rewrite(path: Path, change: Callable[[seal.SealHeader], seal.SealHeader]) -> None:
    """Change the header of a file, with a digest that fits."""
    data = path.read_bytes()
    size = decode_preamble(data).header_size
    path.write_bytes(change(decode_header(data[:size])).encode() + data[size:])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("dims", 3, "Input 0 dim check failed. The sealed file {}: x: expected 4, found 3"),
        (
            "shape",
            (1, 3, 9, 4, 0, 0, 0, 0),
            "Input 0 Shape check failed. The sealed file {}: x: expected [1, 3, 2, 4, 0, 0, 0, 0],",
        ),
        (
            "element",
            2,
            "Input 0 Element format check failed. The sealed file {}: x: expected 0 (uint8), found 2 (int16)",
        ),
        (
            "element",
            77,
            "Input 0 Element format check failed. The sealed file {}: x: expected 0 (uint8), found 77 (unknown)",
        ),
        ("scale", 0.5, "Input 0 Scalar check failed. The sealed file {}: x: expected 0.1"),
        ("scale", float("nan"), "Input 0 Scalar check failed. The sealed file {}: x: expected 0.1"),
        ("zero_point", -1, "Input 0 ZPoint check failed. The sealed file {}: x: expected 3, found -1"),
        (
            "ext_flag",
            0x401,
            "Input 0 ExtFlag check failed. The sealed file {}: x: expected 0x301 (RGBA), found 0x401 (BGRA)",
        ),
        ("width_alignment", 1, "Input 0 Width alignment check failed. The sealed file {}: x: expected 64, found 1"),
        ("height_alignment", 1, "Input 0 Height alignment check failed. The sealed file {}: x: expected 2, found 1"),
        ("buffer_size", 1, "Input 0 Aligned Buffer Size check failed. The sealed file {}: x: expected 192, found 1"),
        ("name", "z", "Input 0 Name check failed. The sealed file {}: x: expected 'x', found 'z'"),
    ],
)
def test_a_field_is_held_against_the_model_whatever_the_digest(
    sealed: Path, field: str, value: object, message: str
) -> None:
    def change(header: seal.SealHeader) -> seal.SealHeader:
        port = dataclasses.replace(header.inputs[0], **{field: value})
        return dataclasses.replace(header, inputs=(port,))

    rewrite(sealed, change)
    with pytest.raises(DamagedSeal) as caught:
        open_sealed(str(sealed))
    assert caught.value.message.startswith(f"Assert!!! Errors happened in Image Header {message.format(sealed)}")
    assert caught.value.hint == "compile the fixed model again with the chip in use; do not edit or mix files"


def test_the_header_of_another_model_is_found(sealed: Path) -> None:
    rewrite(sealed, lambda header: dataclasses.replace(header, chip="muffin"))
    with pytest.raises(DamagedSeal, match=r"Image Header Chip check failed\. .*expected 'souffle', found 'muffin'"):
        open_sealed(str(sealed))


def test_a_concatenation_that_cannot_be_is_found(tmp_path: Path) -> None:
    path = tmp_path / "net.sim"
    path.write_bytes(fixed_net(joined=7).SerializeToString())
    with pytest.raises(DamagedSeal, match=r"Concat output shape is invalid!\. .*: y: expected what \[1, 3, 2, 3\], "):
        seal_model(str(path), str(tmp_path / "out.img"))
    assert not (tmp_path / "out.img").exists()


def test_batches_make_the_buffers_larger(fixed: str, tmp_path: Path) -> None:
    target = tmp_path / "batched.img"
    seal_model(fixed, str(target), batch_mode="one_buf", batches=(1, 4))
    first = decode_preamble(target.read_bytes())
    assert (first.batch_mode, first.batches[: first.batch_count], first.buffer_size1) == (1, (1, 4), 4 * 288)
    assert open_sealed(str(target)).stage is Stage.OFFLINE
    with pytest.raises(ConfigError, match="n_buf batch_mode must be specific one max batch size"):
        parse_batches("1,4", "n_buf")
    for text in ("", "0", "x", "1,,2", "-1", "99999999"):
        with pytest.raises(InputError, match="-b: expected sizes"):
            parse_batches(text, "one_buf")
    with pytest.raises(InputError, match="at most 8 sizes, found 9"):
        parse_batches("1,2,3,4,5,6,7,8,9", "one_buf")


def test_chips(fixed: str, sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownChip, match="Not support soc_version: toaster"):
        seal_model(fixed, str(tmp_path / "x.img"), "toaster")
    with pytest.raises(WrongChip, match="expected a fixed model for muffin, found one for souffle"):
        seal_model(fixed, str(tmp_path / "x.img"), "muffin")
    model = open_sealed(str(sealed))
    check_chip(model, "souffle")
    with pytest.raises(WrongChip, match=r"MI_IPU_CreateCHNWithUserMem failed: 54.*for muffin, found one for souffle"):
        check_chip(model, "muffin")
    assert issubclass(WrongChip, RuntimeError)


def test_what_cannot_be_compiled(sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixed: str) -> None:
    target = str(tmp_path / "out.img")
    with pytest.raises(NoModel, match=r"No such model: nothing\.sim"):
        seal_model("nothing.sim", target)
    with pytest.raises(NotRecognised, match="Not recognized model"):
        seal_model(str(sealed), target)
    chipless = fixed_net()
    del chipless.metadata_props[2]
    (tmp_path / "chipless.sim").write_bytes(chipless.SerializeToString())
    with pytest.raises(InputError, match="names no chip: expected --soc_version"):
        seal_model(str(tmp_path / "chipless.sim"), target)
    assert seal_model(str(tmp_path / "chipless.sim"), target, "muffin").chip == "muffin"
    assert load_sim(target).chip == "muffin"
    monkeypatch.setattr(seal, "LARGEST", 100)
    with pytest.raises(UnsupportedOp, match="an offline model has at most 100"):
        seal_model(fixed, target)


@pytest.mark.reference
def test_the_vendor_s_fixed_model_is_left_to_the_vendor(reference: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a fixed model of ipudebug's"):
        seal_model(str(reference / "smallnet" / "fixed.sim"), str(tmp_path / "x.img"))


def test_the_digest_of_a_header_leaves_its_own_place_out() -> None:
    data = bytes(range(256))
    assert digest_header(data) == digest_header(data[:144] + b"x" * 32 + data[176:])
    assert digest_header(data) != digest_header(data[:-1] + b"x")
    assert FIXED_SIZE == 176
