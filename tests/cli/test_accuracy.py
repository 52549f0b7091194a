"""Labels, and how many images are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipudebug.cli.accuracy import load_labels, measure_accuracy
from ipudebug.errors import InputError


def test_a_path_tells_more_than_a_name(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\xef\xbb\xbfa/1.png 3\r\n\r\n1.png 4\r\nmy cat.png  12\r\n")
    assert load_labels(str(path), ["a/1.png", "b/1.png", "x/my cat.png"]) == [3, 4, 12]


@pytest.mark.parametrize("line", ["1.png", "1.png x", "1.png -1", "1.png 1.5", " 7"])
def test_a_line_that_is_no_label(tmp_path: Path, line: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(f"0.png 1\n{line}\n")
    with pytest.raises(InputError, match=r"labels\.txt, line 2: expected '<image> <class>'"):
        load_labels(str(path), ["0.png"])


def test_labels_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_labels(str(tmp_path / "none.txt"), [])
    (tmp_path / "labels.txt").write_text("0.png 1\n")
    with pytest.raises(InputError, match=r"expected a label for x/1\.png, found none") as caught:
        load_labels(str(tmp_path / "labels.txt"), ["x/1.png"])
    assert caught.value.hint == "add the line: 1.png <class>"


def test_the_best_and_the_five_best(tmp_path: Path) -> None:
    paths = []
    for number, classes in enumerate(([1, 2, 3], [2, 1, 3, 4, 5], [9])):
        path = tmp_path / f"{number}.txt"
        path.write_text(f"{number}.png\n" + "".join(f"{one} 0.500000\n" for one in classes))
        paths.append(str(path))
    assert measure_accuracy(paths, [1, 5, 8]) == {1: pytest.approx(100 / 3), 5: pytest.approx(200 / 3)}
    (tmp_path / "0.txt").write_text("y Tensor:\n{\ntensor dim:1,  Original shape:[1]\ntensor data:\n1.0  \n}\n\n")
    with pytest.raises(InputError, match="expected a classification, found output tensors"):
        measure_accuracy(paths, [1, 5, 8])
