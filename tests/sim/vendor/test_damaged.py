"""Files that are no .sim, or are damaged: each its own error, never anything else."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.data.vendor_models import MODELS
from bench.data.vendor_sim import FIXED, Operator, Sim, Tensor, write_sim
from ipudebug.errors import IpuDebugError, ModelError
from ipudebug.sim.vendor import read_vendor

RELU = Operator(19, [0], [1])


def refuse(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "model.sim"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=message) as info:
        read_vendor(path)
    assert str(path) in info.value.message
    assert info.value.hint


def relu(**more: object) -> Sim:
    return Sim([Tensor("x", (1, 2, 2, 3)), Tensor("y", (1, 2, 2, 3))], [RELU], **more)  # type: ignore[arg-type]


NO_SIM = {
    "empty": (b"", "0 bytes are too few for a .sim"),
    "short": (b"TFL3", "4 bytes are too few"),
    "newer": (b"\x20\0\0\0SIM2" + bytes(64), "newer toolchain .identifier SIM2"),
    "noise": (np.random.default_rng(3).bytes(65536), "no structure .* encrypted, compressed or damaged"),
    "text": (b"<html>" * 2000, "begins with 3c 68 74 6d 6c 3e 3c 68, expected TFL3"),
    "hollow container": (b"SGSI" + bytes(9000), "holds no FlatBuffer"),
    "cut": (b"\x20\0\0\0TFL3", "the root would lie at bytes 32"),
    "outside": (struct.pack("<I", 0x7FFFFFF0) + b"TFL3" + bytes(100), "the root would lie at bytes 2147483632"),
    "tflite": (write_sim(relu(description="TOCO Converted.")), "a TFLite model .* run-tflite|a TFLite model"),
    "intermediate": (write_sim(relu(description="SGS MODEL")), "intermediate file"),
    "other stage": (write_sim(relu(description="Sigmastar Dream")), "is none of Sigmastar Float"),
    "version": (write_sim(relu(version=4)), "schema version 4, expected 3"),
    "two graphs": (write_sim(relu(subgraphs=2)), "expected 1 subgraph, found 2"),
}


@pytest.mark.parametrize("name", NO_SIM)
def test_each_kind_of_file_that_cannot_be_read_is_told(name: str, tmp_path: Path) -> None:
    refuse(tmp_path, *NO_SIM[name])


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.sim"):
        with pytest.raises(ModelError):
            read_vendor(path)


X, Y = Tensor("x", (1, 2, 2, 3)), Tensor("y", (1, 2, 2, 3))
CONTRADICTIONS = {
    "tensor number": (Sim([X, Y], [Operator(19, [7], [1])]), "the inputs of RELU .* tensor 7 of 2"),
    "negative output": (Sim([X, Y], [Operator(19, [0], [-1])]), "the outputs of RELU .* tensor -1 of 2"),
    "never made": (Sim([X, Y, Tensor("z", (1,))], [Operator(19, [2], [1])]), "reads 'z', which nothing has made"),
    "made twice": (Sim([X, Y], [RELU, RELU]), "makes 'y', which exists already"),
    "no maker": (Sim([X, Y], []), "output 'y' is made by no operator"),
    "itself": (Sim([X, Y], [Operator(19, [1], [1])]), "reads 'y', which nothing has made"),
    "same name": (Sim([X, Tensor("x", (1,))], [RELU]), "has the name of tensor 0"),
    "no name": (Sim([X, Tensor("", (1,))], [RELU]), "has no name"),
    "huge": (Sim([Tensor("x", (1 << 30, 1 << 30, 1 << 30)), Y], [RELU]), "takes 4951760157141521099596496896 bytes"),
    "negative": (Sim([Tensor("x", (1, -2)), Y], [RELU]), "impossible shape .1, -2."),
    "shapes": (Sim([X, Tensor("y", (1, 2, 3, 2))], [RELU]), r"expected shape \[1, 2, 2, 3\] from its inputs"),
    "no inputs": (Sim([X, Y], [RELU], inputs=()), "no inputs or no outputs"),
    "few inputs": (Sim([X, Y], [Operator(0, [0], [1])]), "expected 2 inputs and an output, found 1 and 1"),
    "no conversion": (
        Sim([Tensor("x", (1, 2, 2, 3), "uint8"), Y], [RELU], description=FIXED, formats=(1,)),
        "its conversion has 0 numbers, expected 12",
    ),
    "short constant": (
        Sim([X, Y, Tensor("c", (3,), raw=bytes(8))], [Operator(0, [0, 2], [1])]),
        "constant 'c': shape .3. takes 12 bytes, found 8",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_model_that_contradicts_itself_is_refused(name: str, tmp_path: Path) -> None:
    sim, message = CONTRADICTIONS[name]
    refuse(tmp_path, write_sim(sim), message)


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    sim = Sim([Tensor("xmark", (1, 2, 2, 3)), Y], [RELU])
    refuse(tmp_path, write_sim(sim).replace(b"xmark", b"x\xffark"), "text in slot 3 is not UTF-8 at byte 1")


def test_one_table_in_many_places_is_counted_every_time(tmp_path: Path) -> None:
    """A list of 400 references that all lead to one buffer of 64 KB: 70 KB that claim 25 MB."""
    tensors = [X, Y, *(Tensor(f"c{i}", (1,), raw=bytes(65536 if i == 399 else 4)) for i in range(400))]
    data = bytearray(write_sim(Sim(tensors, [RELU])))
    buffers = follow(data, struct.unpack_from("<I", data)[0], 4)
    places = [buffers + 4 + 4 * i for i in range(struct.unpack_from("<I", data, buffers)[0])]
    target = places[-1] + struct.unpack_from("<I", data, places[-1])[0]
    for place in places:
        struct.pack_into("<I", data, place, target - place)
    refuse(tmp_path, bytes(data), "overlaps what was read before")


def test_a_vector_that_is_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    data = bytearray(write_sim(Sim([X, Y], [RELU])))
    struct.pack_into("<I", data, follow(data, struct.unpack_from("<I", data)[0], 4), 0x3FFFFFFF)
    refuse(tmp_path, bytes(data), "the list of buffers would lie at bytes")


def field(data: bytearray, table: int, slot: int) -> int:
    vtable = table - struct.unpack_from("<i", data, table)[0]
    return table + struct.unpack_from("<H", data, vtable + 4 + 2 * slot)[0]


def follow(data: bytearray, table: int, slot: int) -> int:
    place = field(data, table, slot)
    return place + struct.unpack_from("<I", data, place)[0]


@pytest.mark.parametrize("name", MODELS)
def test_every_truncation_is_refused_or_read(name: str, tmp_path: Path) -> None:
    data = MODELS[name]()
    path = tmp_path / "cut.sim"
    for size in range(0, len(data), 97 if name != "compiled" else 997):
        path.write_bytes(data[:size])
        try:
            read_vendor(path)
        except IpuDebugError:
            continue
        assert name == "compiled"  # what follows the FlatBuffer is not read
        assert size > 8192 + 4000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(MODELS)),
    damages=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 0xFFFFFFFF)), min_size=1, max_size=6),
)
@example(name="fixed", damages=[(0, 0)])
def test_numbers_written_anywhere_never_raise_anything_but_our_errors(
    name: str, damages: list[tuple[int, int]], tmp_path: Path
) -> None:
    data = bytearray(MODELS[name]())
    for at, number in damages:
        struct.pack_into("<I", data, (at % (len(data) - 4)) & ~3, number)
    path = tmp_path / "mutated.sim"
    path.write_bytes(data)
    with contextlib.suppress(IpuDebugError):
        read_vendor(path)
