from __future__ import annotations

import contextlib

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.runners import protobuf
from ipudebug.runners.protobuf import WireError

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(INT64), st.text(), INT64, st.binary())
def test_fields_are_those_that_googles_parser_reads(dims: list[int], name: str, kind: int, raw: bytes) -> None:
    message = onnx.TensorProto(dims=dims, name=name, raw_data=raw)
    message.segment.begin = kind
    data = message.SerializeToString()
    found: dict[int, list[protobuf.Field]] = {}
    for field in protobuf.read_fields(data, 0, len(data)):
        found.setdefault(field.number, []).append(field)
    assert [n for field in found.get(1, []) for n in protobuf.read_integers(data, field)] == dims
    assert protobuf.read_text(data, found[8][0]) == name
    assert data[found[9][0].begin : found[9][0].end] == raw
    (begin,) = protobuf.read_fields(data, found[3][0].begin, found[3][0].end)
    assert protobuf.to_signed(begin.value) == kind


@given(st.lists(INT64), st.text(), INT64, st.binary())
def test_googles_parser_reads_what_is_encoded(dims: list[int], name: str, kind: int, raw: bytes) -> None:
    data = b"".join(protobuf.encode_number(1, dim) for dim in dims) + protobuf.encode_bytes(8, name)
    data += protobuf.encode_bytes(9, raw) + protobuf.encode_bytes(3, protobuf.encode_number(2, kind))
    message = onnx.TensorProto.FromString(data)
    assert (list(message.dims), message.name, message.raw_data, message.segment.end) == (dims, name, raw, kind)


def test_packed_numbers() -> None:
    data = protobuf.encode_bytes(1, protobuf.encode_varint(300) + protobuf.encode_varint(-2))
    (field,) = protobuf.read_fields(data, 0, len(data))
    assert protobuf.read_integers(data, field) == [300, -2]


@given(st.binary())
def test_whatever_the_bytes_only_wire_errors_come_out(data: bytes) -> None:
    with contextlib.suppress(WireError):
        for field in protobuf.read_fields(data, 0, len(data)):
            assert 0 <= field.start < field.begin <= field.end <= len(data)


@pytest.mark.parametrize(
    ("data", "words", "truncated"),
    [
        (b"\x0a\x05abc", "should end at byte 7, but the data ends at byte 5", True),
        (b"\x08\x80", "ends within a number", True),
        (b"\x08" + b"\xff" * 11, "longer than ten bytes", False),
        (b"\x0f", "unknown kind 7", False),
        (b"\x02\x00", "numbered 0", False),
    ],
)
def test_faults(data: bytes, words: str, truncated: bool) -> None:
    with pytest.raises(WireError, match=words) as caught:
        list(protobuf.read_fields(data, 0, len(data)))
    assert caught.value.truncated is truncated


def test_text_that_is_not_utf8() -> None:
    data = b"\x0a\x01\xff"
    (field,) = protobuf.read_fields(data, 0, len(data))
    with pytest.raises(WireError, match="at byte 2 is not UTF-8"):
        protobuf.read_text(data, field)
