"""Files that are broken dumps: what is wrong, the bytes, and the whole message that they must give.

``PATH`` in a message stands for the file's path. Offsets are of the payload, or of what breaks
the grammar.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipudebug.errors import CorruptDump, DumpError, TruncatedDump
from tests.dumps.records import END, dump, floats, header, record


@dataclass(frozen=True)
class Malformed:
    """One broken file."""

    what: str
    content: bytes
    error: type[DumpError]
    message: str


ONE = floats(1.0)
ODD = b"\x1b[2Jx\0\xff"
H = len(b"isFloat: 1\n")  # where the first record begins

SECOND = len(dump(record(ONE)))  # and the second


def after(**fields: object) -> int:
    """Return where the payload of a first record with these header fields begins."""
    return H + len(header(**fields))  # type: ignore[arg-type]


MALFORMED = [
    Malformed(
        "more bytes than the file has",
        dump(record(ONE, size=3072)),
        TruncatedDump,
        f"PATH: x at byte {after(size=3072)}: expected 3072 bytes of data, found 8",
    ),
    Malformed(
        "a size of 20 digits",
        dump(record(ONE, size="9" * 20)),
        TruncatedDump,
        f"PATH: x at byte {after(size='9' * 20)}: expected 99999999999999999999 bytes of data, found 8",
    ),
    Malformed(
        "a size of 21 digits",
        dump(record(ONE, name=b"y"), record(ONE, size="9" * 21)),
        CorruptDump,
        f"PATH: at byte {SECOND}: expected '//buffer data size: <bytes>',"
        " found b'//buffer data size: 999999999999999999999'",
    ),
    Malformed(
        "a negative size",
        dump(record(ONE), record(ONE, size=-4)),
        CorruptDump,
        f"PATH: at byte {SECOND}: expected '//buffer data size: <bytes>', found b'//buffer data size: -4'",
    ),
    Malformed(
        "a size in hex",
        dump(record(ONE), record(ONE, size="0x4")),
        CorruptDump,
        f"PATH: at byte {SECOND}: expected '//buffer data size: <bytes>', found b'//buffer data size: 0x4'",
    ),
    Malformed(
        "a size that is no whole number of elements",
        dump(record(b"\0" * 6)),
        CorruptDump,
        f"PATH: x at byte {after(size=6)}: 6 bytes are no whole number of 4-byte elements",
    ),
    Malformed(
        "a shape that needs more than the payload",
        dump(record(ONE, shape="[1, 2] dims:2")),
        CorruptDump,
        f"PATH: x at byte {after(shape='[1, 2] dims:2', size=4)}: shape [1, 2] needs 8 bytes, the record has 4",
    ),
    Malformed(
        "a shape whose product overflows 64 bits",
        dump(record(ONE, shape="[4294967296, 4294967296] dims:2")),
        CorruptDump,
        f"PATH: x at byte {after(shape='[4294967296, 4294967296] dims:2', size=4)}:"
        " shape [4294967296, 4294967296] needs 73786976294838206464 bytes, the record has 4",
    ),
    Malformed(
        "a shape of an empty tensor that no array can have",
        dump(record(shape="[0, 4611686018427387904, 4] dims:3")),
        CorruptDump,
        f"PATH: at byte {H}: shape:[0, 4611686018427387904, 4] is no shape of dims:3",
    ),
    Malformed(
        "more dimensions than an array can have",
        dump(record(ONE, shape=f"[{', '.join('1' * 65)}] dims:65")),
        CorruptDump,
        f"PATH: at byte {H}: shape:[" + ", ".join("1" * 65)[:80] + "] is no shape of dims:65",
    ),
    Malformed(
        "dims that contradict the shape",
        dump(record(ONE, shape="[1, 1] dims:3")),
        CorruptDump,
        f"PATH: at byte {H}: shape:[1, 1] is no shape of dims:3",
    ),
    Malformed(
        "a negative dimension",
        dump(record(ONE, shape="[-1, -1] dims:2")),
        CorruptDump,
        f"PATH: at byte {H}: shape:[-1, -1] is no shape of dims:2",
    ),
    Malformed(
        "a shape without commas",
        dump(record(ONE, shape="[1 1] dims:1")),
        CorruptDump,
        f"PATH: at byte {H}: shape:[1 1] is no shape of dims:1",
    ),
    Malformed(
        "a shape of thousands of digits",
        dump(record(ONE, shape=f"[{'9' * 5000}] dims:1")),
        CorruptDump,
        f"PATH: at byte {H}: shape:[{'9' * 80}] is no shape of dims:1",
    ),
    Malformed(
        "an in header over an op_out line",
        dump(record(ONE).replace(b"//out", b"//in")),
        CorruptDump,
        f"PATH: at byte {H}: x: //in in one line, op_out in the next",
    ),
    Malformed(
        "the end of one record's payload missing in the middle of the file",
        dump(record(ONE), record(ONE[:2], size=4), record(ONE)),
        CorruptDump,
        f"PATH: at byte {H + len(record(ONE)) + len(header(size=4)) + 4}: expected the header of a record"
        " ('//in' or '//out'), found b';\\n//out 0 s: 0.000000 z: 0 type: float name: x bConstant:0\\no'",
    ),
    Malformed(
        "a payload that a text transfer made longer",
        dump(record(b"a\r\nbc", size=4)),
        CorruptDump,
        f"PATH: at byte {after(size=4) + 4}: expected the header of a record ('//in' or '//out'), found b'c\\n}};\\n'",
    ),
    Malformed(
        "no line of the operator",
        dump(record(ONE), header().split(b"\n")[0] + b"\n//buffer data size: 4\n" + ONE),
        CorruptDump,
        f"PATH: at byte {SECOND}: expected 'op_out[<n>] <type> = {{', found b'//buffer data size: 4'",
    ),
    Malformed(
        "a header without a name",
        dump(record(ONE), record(ONE).replace(b" name:", b"")),
        CorruptDump,
        f"PATH: at byte {SECOND}: expected"
        " '//out <k> s: <f> z: <i> type: <t> name: <n> bConstant:<0|1>',"
        " found b'//out 0 s: 0.000000 z: 0 type: float x bConstant:0'",
    ),
    Malformed(
        "a constant flag of 2",
        dump(record(ONE, constant=b"2") + record(ONE)),
        CorruptDump,
        f"PATH: at byte {H}: expected '//out <k> s: <f> z: <i> type: <t> name: <n> bConstant:<0|1>',"
        " found b'//out 0 s: 0.000000 z: 0 type: float name: x bConstant:2'",
    ),
    Malformed(
        "a header without an end",
        dump(record(ONE), header(name=b"n" * (1 << 18))),
        CorruptDump,
        f"PATH: at byte {SECOND}: expected"
        " '//out <k> s: <f> z: <i> type: <t> name: <n> bConstant:<0|1>',"
        " found b'//out 0 s: 0.000000 z: 0 type: float name: nnnnnnnnnnnnnnnnn'",
    ),
    Malformed(
        "something else behind the last record",
        dump(record(ONE)) + b"done\n",
        CorruptDump,
        f"PATH: at byte {SECOND}: expected the header of a record ('//in' or '//out'), found b'done\\n'",
    ),
    Malformed(
        "a first line of nothing else",
        b"isFloat: 1\nhello\n",
        CorruptDump,
        f"PATH: at byte {H}: expected the header of a record ('//in' or '//out'), found b'hello\\n'",
    ),
    Malformed(
        "a name with an escape sequence",
        dump(record(ONE, name=ODD, size=99)),
        TruncatedDump,
        f"PATH: �[2Jx�� at byte {after(name=ODD, size=99)}: expected 99 bytes of data, found 8",
    ),
    Malformed(
        "a long name",
        dump(record(ONE, name=b"n" * 300, size=99)),
        TruncatedDump,
        f"PATH: {'n' * 77}... at byte {after(name=b'n' * 300, size=99)}: expected 99 bytes of data, found 8",
    ),
    Malformed(
        "two blanks for one",
        dump(header(size=4).replace(b"//out ", b"//out  ") + ONE + END),
        CorruptDump,
        f"PATH: at byte {H}: expected '//out <k> s: <f> z: <i> type: <t> name: <n> bConstant:<0|1>',"
        " found b'//out  0 s: 0.000000 z: 0 type: float name: x bConstant:0'",
    ),
    Malformed(
        "a first line cut",
        b"isFloat: 1",
        TruncatedDump,
        "PATH: the file ends inside its first line",
    ),
]
