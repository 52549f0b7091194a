"""Which layers a layer is computed from, as far as a dump's ``in`` records tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipudebug.tensor import TensorInfo


def find_parents(rows: Sequence[str], infos: Sequence[TensorInfo]) -> dict[int, tuple[int, ...]] | None:
    """Return row -> the rows that it is computed from; rows whose inputs are not recorded are left out.

    A tensor between two rows that has no row itself is seen through. None where no input is recorded at all, as in the
    dumps of ``dump-onnx``.

    Args:
        rows: names of the rows, in their order.
        infos: the records of the dump that has them.
    """
    reads: dict[int, list[str]] = {}
    makers: dict[str, int] = {}
    for info in infos:
        if info.role == "out":
            makers.setdefault(info.name, info.op_index)
        elif not info.constant:
            reads.setdefault(info.op_index, []).append(info.name)
    made = set(makers)
    if not any(name in made for names in reads.values() for name in names):
        return None
    inputs = {name: tuple(reads.get(index, ())) for name, index in makers.items()}
    return find_row_parents(rows, inputs)


def find_row_parents(rows: Sequence[str], inputs: Mapping[str, Sequence[str]]) -> dict[int, tuple[int, ...]]:
    """Return row -> parent rows, given what each tensor is computed from; see ``find_parents``."""
    numbers = {name: number for number, name in reversed(list(enumerate(rows)))}
    found: dict[int, tuple[int, ...]] = {}
    for number, name in enumerate(rows):
        if name not in inputs:
            continue
        parents: set[int] = set()
        seen = {name}
        waiting = list(inputs[name])
        while waiting:
            parent = waiting.pop()
            if parent in seen:
                continue
            seen.add(parent)
            if parent in numbers and numbers[parent] < number:
                parents.add(numbers[parent])
            else:
                waiting += inputs.get(parent, ())
        if parents:
            found[number] = tuple(sorted(parents))
    return found
