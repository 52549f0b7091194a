"""Tensors in memory and on disk give the same elements, whichever way they are asked for."""

from __future__ import annotations

import os
import tempfile
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug import Layout, Tensor, TensorInfo
from ipudebug.errors import InputError, TruncatedDump
from ipudebug.files import OpenFile
from ipudebug.tensor import FileTensor, dims, gather, to_nhwc

STORED = ["<f4", "u1", "i1", "<i2", "<i4", "<i8", "?"]
WANTED = ["<f4", "f8", "u1", "i1", "<i2", "<i4", "<i8"]


def on_disk(array: np.ndarray, offset: int, folder: Path) -> FileTensor:
    """Return a tensor whose elements lie in a file, between other bytes."""
    path = folder / "tensor.bin"
    path.write_bytes(b"\xaa" * offset + array.tobytes() + b"\x55" * 7)
    info = TensorInfo("x", array.shape, array.dtype)
    return FileTensor(info, OpenFile(path, "test", InputError), offset)


@settings(deadline=None)
@given(
    shape=st.lists(st.integers(0, 5), max_size=4).map(tuple),
    stored=st.sampled_from(STORED).map(np.dtype),
    wanted=st.sampled_from(WANTED).map(np.dtype),
    offset=st.integers(0, 40),
    bounds=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    step=st.sampled_from([1, 2]),
    seed=st.integers(0, 1 << 30),
)
def test_any_range_of_a_tensor_on_disk_equals_that_of_its_array(
    shape: tuple[int, ...],
    stored: np.dtype,
    wanted: np.dtype,
    offset: int,
    bounds: tuple[float, float],
    step: int,
    seed: int,
) -> None:
    array = (np.random.default_rng(seed).integers(0, 100, shape) % (2 if stored.kind == "b" else 100)).astype(stored)
    start, stop = sorted(round(bound * array.size) for bound in bounds)
    with tempfile.TemporaryDirectory() as folder:
        tensor = on_disk(array, offset, Path(folder))
        assert tensor.array.dtype == stored
        assert tensor.array.shape == shape
        assert np.array_equal(tensor.array, array)
        for each in (tensor, Tensor(tensor.info, array), Tensor(tensor.info, tensor.array)):
            out = np.full((stop - start) * step, 77, wanted)[::step]  # dense, and with gaps
            each.copy_into(out, start)
            assert np.array_equal(out, array.reshape(-1)[start:stop].astype(wanted))


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array.transpose(0, 2, 3, 1),
        lambda array: array[:, ::2, ::-1],
        lambda array: np.broadcast_to(array[0, 0, 0, 0], (2, 3)),
        lambda array: array[..., :3].reshape(-1, 4)[:, :3],
        lambda array: array.T,
        lambda array: np.asfortranarray(array),
        lambda array: array[0, 0, 0, 0],
        lambda array: array.astype(">f4"),
    ],
)
def test_pieces_of_a_view_come_in_its_own_order(view) -> None:  # type: ignore[no-untyped-def]
    array = view(np.arange(2 * 4 * 4 * 6, dtype=np.float32).reshape(2, 4, 4, 6))
    tensor = Tensor(TensorInfo("x", array.shape, array.dtype), array)
    wanted = [element for _, element in sorted(np.ndenumerate(array))]
    for size in (1, 5, max(1, len(wanted) // 2), len(wanted)):
        found = []
        for start in range(0, len(wanted), size):
            out = np.empty(min(size, len(wanted) - start))
            tensor.copy_into(out, start)
            found += out.tolist()
        assert found == wanted


def test_a_cast_that_overflows_gives_infinity_without_a_warning(tmp_path: Path) -> None:
    array = np.array([1e300, -1e300, np.nan, 1.5])
    out = np.empty(4, np.float32)
    for tensor in (Tensor(TensorInfo("x", (4,), array.dtype), array), on_disk(array, 3, tmp_path)):
        tensor.copy_into(out, 0)
        assert np.array_equal(out, np.float32([np.inf, -np.inf, np.nan, 1.5]), equal_nan=True)
        tensor.copy_into(np.empty(4, np.int32), 0)  # undefined values, but no warning


def test_a_tensor_on_disk_is_read_only_and_lives_as_long_as_its_views(tmp_path: Path) -> None:
    view = on_disk(np.arange(100, dtype=np.int32), 5, tmp_path).array[50:]
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    assert view.tolist() == list(range(50, 100))  # the file was closed with the last reference to the tensor


def test_a_file_cut_while_it_is_open_is_a_truncated_dump(tmp_path: Path) -> None:
    tensor = on_disk(np.arange(1000, dtype=np.float32), 0, tmp_path)
    with (tmp_path / "tensor.bin").open("r+b") as file:
        file.truncate(3999)
    tensor.copy_into(np.empty(999), 0)
    for read in (lambda: tensor.array, lambda: tensor.copy_into(np.empty(1), 999)):
        with pytest.raises(TruncatedDump) as raised:
            read()
        assert raised.value.message == f"{tmp_path}/tensor.bin became shorter while it was read, at 'x'"


def test_size_is_the_product_of_the_shape_whatever_its_numbers() -> None:
    for shape, size in (((), 1), ((0,), 0), ((2, 3), 6), ((1 << 40, 1 << 40), 1 << 80), ((0, 1 << 70), 0)):
        assert TensorInfo("x", shape, np.dtype("f4")).size == size


def test_facts_cannot_be_changed() -> None:
    info = TensorInfo("x", (1,), np.dtype("f4"))
    with pytest.raises(FrozenInstanceError):
        info.name = "y"  # type: ignore[misc]
    assert hash(info) == hash(replace(info))


def test_only_a_4d_nchw_tensor_is_turned_to_nhwc() -> None:
    array = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    info = TensorInfo("x", array.shape, array.dtype, layout=Layout.NCHW)
    turned = to_nhwc(Tensor(info, array))
    assert turned.info == replace(info, shape=(2, 4, 5, 3), layout=Layout.NHWC)
    assert np.shares_memory(turned.array, array)
    for index in np.ndindex(2, 3, 4, 5):
        n, c, h, w = index
        assert turned.array[n, h, w, c] == array[index]
    for other in (replace(info, layout=None), replace(info, layout=Layout.NHWC)):
        tensor = Tensor(other, array)
        assert to_nhwc(tensor) is tensor
    flat = Tensor(replace(info, shape=(120,)), array.reshape(-1))
    assert to_nhwc(flat) is flat


def test_a_tensor_names_itself_without_reading_its_data(tmp_path: Path) -> None:
    tensor = on_disk(np.zeros((2, 3), np.int16), 0, tmp_path)
    (tmp_path / "tensor.bin").write_bytes(b"")
    assert repr(tensor) == "FileTensor('x', shape=(2, 3), dtype=int16)"
    assert dims((1, 32, 8)) == "[1, 32, 8]"
    assert dims(()) == "[]"


def several_on_disk(arrays: list[np.ndarray], gaps: list[int], folder: Path) -> list[FileTensor]:
    """Return tensors that lie one after the other in one file, with other bytes before each."""
    path, content, places = folder / "several.bin", b"", []
    for array, gap in zip(arrays, gaps, strict=True):
        content += b"\xaa" * gap
        places.append((TensorInfo("x", array.shape, array.dtype), len(content)))
        content += array.tobytes()
    path.write_bytes(content)
    file = OpenFile(path, "test", InputError)
    return [FileTensor(info, file, offset) for info, offset in places]


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    gap=st.sampled_from([0, 1, 7, 300, 5000]),
    wanted=st.sampled_from(["<f4", "<f8"]).map(np.dtype),
    kinds=st.lists(st.sampled_from(["file", "other file", "memory", "u1"]), min_size=6, max_size=6),
    turned=st.booleans(),
)
def test_tensors_are_gathered_wherever_they_lie(
    sizes: list[int], gap: int, wanted: np.dtype, kinds: list[str], turned: bool
) -> None:
    rng = np.random.default_rng(len(sizes))
    kinds = kinds[: len(sizes)]
    types = ["u1" if kind == "u1" else "<f4" for kind in kinds]
    arrays = [rng.integers(0, 200, size).astype(dtype) for size, dtype in zip(sizes, types, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        tensors: list[Tensor] = list(several_on_disk(arrays, [gap] * len(arrays), Path(folder)))
        for index, kind in enumerate(kinds):
            if kind == "memory":
                tensors[index] = Tensor(tensors[index].info, arrays[index])
            if kind == "other file":
                (Path(folder) / str(index)).mkdir()
                tensors[index] = on_disk(arrays[index], 5, Path(folder) / str(index))
        if turned:
            tensors, arrays = tensors[::-1], arrays[::-1]
        memory = np.full(sum(sizes) * wanted.itemsize + 600, 0x77, np.uint8)
        starts = gather(tensors, memory, wanted)
    for start, array in zip(starts, arrays, strict=True):
        assert np.array_equal(np.frombuffer(memory, wanted, array.size, start), array)


def test_neighbours_in_a_file_take_a_single_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = [np.arange(size, dtype="<f4") for size in (5, 1, 9)]
    tensors = several_on_disk(arrays, [3, 20, 40], tmp_path)
    reads, read = [], os.preadv
    monkeypatch.setattr(os, "preadv", lambda fd, buffers, offset: reads.append(offset) or read(fd, buffers, offset))
    assert gather(tensors, np.zeros(200, np.uint8), np.dtype("<f4")) == [0, 40, 84]
    assert reads == [3]


def test_neighbours_whose_file_was_cut_are_an_error_that_names_one(tmp_path: Path) -> None:
    tensors = several_on_disk([np.zeros(5, "<f4"), np.zeros(6, "<f4")], [0, 0], tmp_path)
    os.truncate(tmp_path / "several.bin", 30)
    with pytest.raises(TruncatedDump, match="became shorter while it was read, at 'x'"):
        gather(tensors, np.zeros(200, np.uint8), np.dtype("<f4"))
