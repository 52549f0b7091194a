"""Frames of rest_rpc with something wrong in them, made from nothing but struct and msgpack."""

import hashlib
import random
import struct

NAMES = (
    "ipu_hello",
    "ipu_upload_model",
    "ipu_create_model",
    "ipu_set_input",
    "ipu_invoke",
    "ipu_get_output",
    "ipu_destory_model",
)
SIZES = (2**32 - 1, 10 << 20, 5000)
VALUES = (0, -1, 2**63, 1.5, "x", b"y", None, True, [], [[]], "a" * 50)


def make_head(size: int, function: int = 0x3D1F272A, number: int = 1) -> bytes:
    """Return a header of 20 bytes."""
    return struct.pack("<BBxxIQI", 39, 0, size, number, function)


def make_frame(name: str, arguments: object, number: int = 1) -> bytes:
    """Return a call as bytes."""
    import msgpack

    body = msgpack.packb(arguments, use_bin_type=True)
    return make_head(len(body), int(hashlib.md5(name.encode()).hexdigest()[:8], 16), number) + body


def make_bad_frame(numbers: random.Random) -> bytes:
    """Return random bytes, a cut frame, a size that is not true, wrong types, deep nesting, or one wrong bit."""
    kind = numbers.randrange(7)
    name = numbers.choice(NAMES)
    junk = numbers.randbytes(numbers.randrange(60))
    if kind == 0:
        return junk
    if kind == 1:
        return make_frame(name, [1, 2, 3])[: numbers.randrange(30)]
    if kind == 2:
        return make_head(numbers.choice(SIZES)) + junk
    if kind == 3:
        return make_frame(name, [numbers.choice(VALUES) for _ in range(numbers.randrange(6))])
    if kind == 4:
        body = b"\x91" * numbers.choice([7, 600, 3000])
        return make_head(len(body)) + body
    if kind == 5:
        frame = bytearray(make_frame(name, [1, 0, 0, b"abcd"]))
        frame[numbers.randrange(len(frame))] ^= 1 << numbers.randrange(8)
        return bytes(frame)
    return make_head(len(junk)) + junk
