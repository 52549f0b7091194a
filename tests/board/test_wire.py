"""Frames and bodies, against bytes written by hand and against what msgpack's own decoder refuses."""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Iterator

import pytest

msgpack = pytest.importorskip("msgpack")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from ipudebug.board.wire import (  # noqa: E402
    LARGEST_BODY,
    MOST_ITEMS,
    PACKED,
    PADDED,
    FrameError,
    Header,
    decode_body,
    decode_header,
    encode_body,
    encode_header,
    hash_name,
    load_msgpack,
)
from ipudebug.errors import MissingDependency  # noqa: E402


def test_a_header_is_that_of_rest_rpc() -> None:
    header = Header(5, 0x0102030405060708, 0xAABBCCDD)
    wanted = "27 00 0000 05000000 0807060504030201 ddccbbaa"
    assert encode_header(header) == bytes.fromhex(wanted)
    assert encode_header(header, PADDED) == bytes.fromhex(wanted + "00000000")
    for form in (PACKED, PADDED):
        assert decode_header(encode_header(header, form)) == header
    garbage = encode_header(header, PADDED)[:20] + b"abcd"  # what C++ leaves in the padding means nothing
    assert decode_header(garbage) == header


def test_a_function_is_the_first_word_of_its_md5_read_from_the_high_end() -> None:
    assert hash_name("") == 0xD41D8CD9  # RFC 1321, A.5: MD5 ("") = d41d8cd98f00b204e9800998ecf8427e
    assert hash_name("abc") == 0x90015098  # MD5 ("abc") = 900150983cd24fb0d6963f7d28e17f72
    name = "ipu_create_model"
    assert f"{hash_name(name):08x}" == hashlib.md5(name.encode()).hexdigest()[:8]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"magic": 40}, "expected the magic number 39, found 40"),
        ({"kind": 1}, "expected request type 0, found 1"),
        ({"size": LARGEST_BODY + 1}, "expected a body of at most 10,485,759 bytes, found 10,485,760"),
        ({"size": 2**32 - 1}, "found 4,294,967,295"),
    ],
)
def test_headers_that_cannot_be_followed(change: dict[str, int], words: str) -> None:
    fields = {"magic": 39, "kind": 0, "size": 1} | change
    data = struct.pack("<BBxxIQI", fields["magic"], fields["kind"], fields["size"], 7, 9)
    with pytest.raises(FrameError, match=words):
        decode_header(data)


PLAIN = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(), st.binary(), st.none(), st.booleans()
)


@given(st.lists(st.one_of(PLAIN, st.lists(st.one_of(PLAIN, st.lists(PLAIN))))))
def test_plain_values_come_back(values: list) -> None:
    assert decode_body(encode_body(values)) == values


def test_names_that_are_no_utf_8_come_back() -> None:
    assert decode_body(encode_body(["a\udcff"])) == ["a\udcff"]


def nested(depth: int) -> bytes:
    """Return an array in so many arrays."""
    return b"\x91" * depth + b"\x90"


def fixed_cases() -> Iterator[tuple[str, bytes]]:
    """Yield bodies that are no array of plain values."""
    yield "empty", b""
    yield "a number", b"\x07"
    yield "a text", b"\xa1a"
    yield "never used byte", b"\xc1"
    yield "cut in an array", b"\x92\x01"
    yield "cut in bytes", b"\x91\xc6\x00\x00\x01\x00abc"
    yield "more behind it", b"\x90\x90"
    yield "a map", b"\x91\x81\xa1a\x01"
    yield "a map with an array for a key", b"\x91\x81\x90\x01"
    yield "an extension", b"\x91\xd4\x05\x00"
    yield "a time", b"\x91\xd6\xff\x00\x00\x00\x00"
    yield "4 G elements", b"\xdd\xff\xff\xff\xff"
    yield "4 GiB of bytes", b"\x91\xc6\xff\xff\xff\xff"
    yield "one element too many", b"\xdd" + struct.pack(">I", MOST_ITEMS + 1) + b"\x01" * (MOST_ITEMS + 1)
    yield "too deep", nested(7)
    yield "much too deep", nested(1_000_000)


@pytest.mark.parametrize(("data"), [pytest.param(data, id=name) for name, data in fixed_cases()])
def test_anything_else_is_no_body(data: bytes) -> None:
    with pytest.raises(FrameError):
        decode_body(data)


def test_the_deepest_that_is_allowed() -> None:
    assert decode_body(nested(5)) == [[[[[[]]]]]]


@given(st.binary(max_size=200))
def test_random_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        values = decode_body(data)
    except FrameError:
        return
    assert isinstance(values, list)


def test_without_msgpack_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgpack", None)
    with pytest.raises(MissingDependency, match="msgpack is not installed") as caught:
        load_msgpack()
    assert caught.value.hint == "install it: pip install 'ipudebug[board]'"
