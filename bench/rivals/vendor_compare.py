r"""What a straightforward script does with two dumps, after the vendor's own: the baseline of the comparison.

Reads each file whole, unpacks every value with struct into Python floats, keeps float64 arrays of all tensors, and
prints ``<index>.<name>\tMSE:\t%.6f\tCOS:\t%.6f\tRMSE:\\t%.6f``. Needs a shape in every header.

    python vendor_compare.py SAMPLE BENCHMARK
"""

import struct
import sys

import numpy as np


def read_dump(path: str) -> dict[str, np.ndarray]:
    """Return the variable tensors of a dump by name, the last record of a name, as float64 arrays."""
    with open(path, "rb") as file:
        data = file.read()
    tensors = {}
    position = data.index(b"\n") + 1
    while position < len(data):
        if data[position : position + 4] == b"\n};\n":
            position += 4
            continue
        header_end = data.index(b"\n", position)
        op_end = data.index(b"\n", header_end + 1)
        size_end = data.index(b"\n", op_end + 1)
        header = data[position:header_end].decode()
        size = int(data[op_end + 1 : size_end].split(b": ")[1])
        position = size_end + 1
        shape = [int(dim) for dim in header.split(" shape:[")[1].split("]")[0].split(", ")]
        values = list(struct.unpack(f"<{size // 4}f", data[position : position + size]))
        position += size
        if " bConstant:0" in header:
            tensors[header.split(" name: ")[1].split(" bConstant:")[0]] = np.array(values).reshape(shape)
    return tensors


def main() -> None:
    """Print a row for every tensor that both dumps have."""
    sample, benchmark = read_dump(sys.argv[1]), read_dump(sys.argv[2])
    for index, (name, values) in enumerate(sample.items()):
        if name not in benchmark or values.size != benchmark[name].size:
            continue
        a, b = values.flatten(), benchmark[name].flatten()
        norms = np.linalg.norm(a) * np.linalg.norm(b)
        cos = np.dot(a, b) / norms if norms > 1e-16 else 0.0
        mse = np.mean((a - b) ** 2)
        rmse = np.sum(np.abs(a - b)) / np.sum(np.abs(b))
        print(f"{index}.{name}\tMSE:\t{mse:.6f}\tCOS:\t{cos:.6f}\tRMSE:\t{rmse:.6f}")


if __name__ == "__main__":
    main()
