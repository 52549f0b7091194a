"""The binary dump: what the strict writer writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ipudebug import QuantParams, open_dump, write_dump
from ipudebug.errors import CorruptDump, OutputError
from tests.dumps.records import END, dump, floats, header, payloads, record, tensor

SIBLING = b"//buffer data size: 4\n"


def test_the_writer_writes_each_dialect_as_its_generation_does(tmp_path: Path) -> None:
    one, two = tensor(np.float32([1]), "a", op_type="ADD"), tensor(np.float32([[2]]), "b", op_type="ADD", port=1)
    three = tensor(np.float32(3), "c", op_type="MUL", op_index=1)
    lines = [header(b"a", op=b"ADD"), header(b"b", op=b"ADD", port=1), header(b"c", op=b"MUL", index=1)]
    shaped = [
        header(b"a", op=b"ADD", shape="[1] dims:1"),
        header(b"b", op=b"ADD", port=1, shape="[1, 1] dims:2"),
        header(b"c", op=b"MUL", index=1, shape="[] dims:0"),
    ]
    wanted = {
        "simulator": (shaped, [END + SIBLING, END, END]),
        "simulator-1.1.5": (lines, [END + SIBLING, END, END]),
        "framework": (shaped, [b"", b"", b""]),
        "tflite": (shaped, [b"};\n"] * 3),
    }
    for dialect, (heads, ends) in wanted.items():
        write_dump(tmp_path / "dump.bin", [one, two, three], dialect)  # type: ignore[arg-type]
        records = [
            head + SIBLING + floats(n) + end for n, (head, end) in enumerate(zip(heads, ends, strict=True), start=1)
        ]
        assert (tmp_path / "dump.bin").read_bytes() == dump(*records), dialect


def test_the_writer_writes_integers_raw_only_for_a_raw_simulator_dump(tmp_path: Path) -> None:
    quantised = tensor(np.int16([[-2, 300]]), "q", quant=QuantParams((0.25, 0.5), (3, 4), 1))
    write_dump(tmp_path / "raw.bin", [quantised])
    fields = {"type_name": b"SGS_S16", "shape": "[1, 2] dims:2", "scale": b"0.250000", "zero": b"3", "op": b""}
    assert (tmp_path / "raw.bin").read_bytes() == dump(record(b"\xfe\xff\x2c\x01", b"q", **fields), is_float=0)
    write_dump(tmp_path / "float.bin", [quantised], "framework")
    assert payloads(open_dump(tmp_path / "float.bin")) == [floats(-2, 300)]


def test_the_writer_takes_every_dtype_and_order(tmp_path: Path) -> None:
    arrays = [
        np.array([1e300, -1e300, np.nan]),
        np.arange(6, dtype=">f4").reshape(2, 3).T,
        np.array([1, 2], np.float16),
        np.array([True, False]),
        np.arange(300_000, dtype=np.int64),
        np.empty((0, 3), np.float32),
    ]
    write_dump(tmp_path / "dump.bin", [tensor(array, f"t{n}") for n, array in enumerate(arrays)])
    reader = open_dump(tmp_path / "dump.bin")
    for number, array in enumerate(arrays):
        with np.errstate(over="ignore"):
            wanted = array.astype(np.float32)
        assert np.array_equal(reader.read(number).array, wanted, equal_nan=True)
    raw = [tensor(np.uint8([1]), "q", quant=QuantParams((1.0,), (0,))), tensor(np.float16([2]), "h")]
    write_dump(tmp_path / "raw.bin", raw)
    assert payloads(open_dump(tmp_path / "raw.bin")) == [b"\1", floats(2)]


def test_a_name_that_comes_late_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(CorruptDump):
        write_dump(tmp_path / "dump.bin", [tensor(np.zeros(500_000, np.float32)), tensor(np.zeros(1), "a\nb")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "op", "message"),
    [
        ("a\nb", "ADD", "'a\\nb': a name with a line break cannot be dumped"),
        ("a", "AD\nD", "'a': a name with a line break cannot be dumped"),
        ("a\ud800", "ADD", "'a\\ud800': surrogates not allowed: it cannot be dumped"),
        ("n" * 300_000, "ADD", f"'{'n' * 80}'...: a name of 300000 characters cannot be dumped"),
    ],
)
def test_a_name_that_no_dump_can_hold_is_refused(name: str, op: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CorruptDump) as raised:
        write_dump(tmp_path / "dump.bin", [tensor(np.zeros(1), name, op_type=op)])
    assert raised.value.message == message
    assert list(tmp_path.iterdir()) == []


def test_a_failing_runner_leaves_no_file(tmp_path: Path) -> None:
    def draw():  # type: ignore[no-untyped-def]
        yield tensor(np.zeros(4))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dump(tmp_path / "dump.bin", draw())
    with pytest.raises(OutputError, match=r"cannot write .*: No such file or directory"):
        write_dump(tmp_path / "none" / "dump.bin", [])
    assert list(tmp_path.iterdir()) == []
