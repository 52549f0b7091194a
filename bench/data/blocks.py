"""The binary dump, written and read the plain way: an independent source for the numbers that the bench checks.

::

    isFloat: 1
    //out 0 s: 0.000000 z: 0 type: float name: NAME bConstant:0 shape:[1, 2, 3, 4] dims:4
    op_out[0] OP = {
    //buffer data size: 96
    <96 bytes>
    };
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

FIRST_LINE = b"isFloat: 1\n"
TERMINATOR = b"\n};\n"


def format_header(name: str, shape: tuple[int, ...], index: int, op: str = "CONV_2D", size: int = 0) -> bytes:
    """Return the three lines before a float32 payload of ``size`` bytes."""
    dims = ", ".join(str(dim) for dim in shape)
    return (
        f"//out 0 s: 0.000000 z: 0 type: float name: {name} bConstant:0 shape:[{dims}] dims:{len(shape)}\n"
        f"op_out[{index}] {op} = {{\n//buffer data size: {size}\n"
    ).encode()


def read_blocks(path: Path) -> Iterator[tuple[str, tuple[int, ...], np.ndarray]]:
    """Yield name, shape and float32 values (flat) of every record of a dump with shapes."""
    with path.open("rb") as file:
        if file.readline() != FIRST_LINE:
            raise ValueError(f"{path} is no float dump")
        while line := file.readline():
            if line in (b"\n", b"};\n"):
                continue
            header = line.decode()
            name = header.partition(" name: ")[2].rpartition(" bConstant:")[0]
            dims = header.rpartition(" shape:[")[2].partition("]")[0]
            file.readline()
            size = int(file.readline().rpartition(b" ")[2])
            data = np.frombuffer(file.read(size), np.float32)
            yield name, tuple(int(dim) for dim in dims.split(",") if dim.strip()), data
