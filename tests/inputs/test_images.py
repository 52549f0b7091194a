import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.errors import InputError, IpuDebugError
from ipudebug.inputs.images import (
    LONGEST_LINE,
    NoImages,
    NoSuchImage,
    NotAList,
    WrongImageCount,
    find_samples,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with images in two levels."""
    for name in ("pics/b.JPG", "pics/a.png", "pics/deep/c.raw", "pics/notes.txt", "pics/deep/.jpg", "one.jpeg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_image(folder):
    assert find_samples("one.jpeg", 1) == [("one.jpeg",)]


def test_a_folder_is_searched_recursively_and_sorted(folder):
    assert find_samples("pics", 1) == [("pics/a.png",), ("pics/b.JPG",), ("pics/deep/c.raw",)]


def test_a_list_with_blank_lines_a_bom_and_crlf(folder):
    (folder / "list.txt").write_bytes("\ufeffone.jpeg\r\n\r\n  pics/a.png  \n".encode())
    assert find_samples("list.txt", 1) == [("one.jpeg",), ("pics/a.png",)]


def test_a_list_for_two_inputs(folder):
    Path("list.txt").write_text("one.jpeg, pics/a.png\npics/b.JPG,pics/notes.txt")
    assert find_samples("list.txt", 2) == [("one.jpeg", "pics/a.png"), ("pics/b.JPG", "pics/notes.txt")]


def test_an_entry_starts_at_the_working_directory_else_beside_the_list(folder):
    Path("pics/list").write_text("one.jpeg\na.png\n")
    assert find_samples("pics/list", 1) == [("one.jpeg",), ("pics/a.png",)]
    Path("pics/one.jpeg").write_bytes(b"other")
    assert find_samples("pics/list", 1)[0] == ("one.jpeg",)


def test_a_folder_and_a_list(folder):
    Path("list.txt").write_text("a.png,b.JPG\n" + str(folder / "one.jpeg") + ",deep/c.raw\n")
    assert find_samples("pics:list.txt", 2) == [
        ("pics/a.png", "pics/b.JPG"),
        (str(folder / "one.jpeg"), "pics/deep/c.raw"),
    ]
    assert find_samples("pics:ignored:list.txt", 2) == find_samples("pics:list.txt", 2)


def test_a_file_with_a_colon_in_its_name_is_that_file(folder):
    Path("a:b.png").write_bytes(b"x")
    assert find_samples("a:b.png", 1) == [("a:b.png",)]


@pytest.mark.parametrize("argument", ["none.jpg", "none", "pics:none.txt", "none:one.jpeg", "", "a\0b", "pics:"])
def test_a_missing_path(folder, argument):
    with pytest.raises(NoSuchImage, match=r"^No such .* image or directory\.") as caught:
        find_samples(argument, 1)
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, InputError)


def test_the_missing_part_of_folder_and_list_is_named(folder):
    with pytest.raises(NoSuchImage) as caught:
        find_samples("pics:none.txt", 1)
    assert caught.value.message == (
        "No such none.txt image or directory. (a part of pics:none.txt, read as FOLDER:LIST)"
    )


def test_a_missing_entry_is_named_with_its_line(folder):
    Path("pics/list").write_text("a.png\n\nnone.png\n")
    with pytest.raises(NoSuchImage) as caught:
        find_samples("pics/list", 1)
    assert caught.value.message == (
        "No such none.png image or directory. pics/list, line 3: expected a file, found none at none.png nor "
        "pics/none.png"
    )


def test_an_entry_that_is_a_folder_is_no_file(folder):
    Path("list.txt").write_text("pics\n")
    with pytest.raises(NoSuchImage, match="line 1: expected a file"):
        find_samples("list.txt", 1)


def test_a_folder_without_images(folder):
    (folder / "empty").mkdir()
    with pytest.raises(NoImages, match=r"^No images found in empty: no file in it has the suffix") as caught:
        find_samples("empty", 1)
    assert isinstance(caught.value, FileNotFoundError)
    assert " jpg " in (caught.value.hint or "")


def test_a_list_without_lines(folder):
    Path("list.txt").write_text("\n \n")
    with pytest.raises(NoImages, match=r"^No images found in list\.txt: the list has no line"):
        find_samples("list.txt", 1)


@pytest.mark.parametrize(("argument", "place"), [("one.jpeg", "one.jpeg"), ("pics", "pics"), ("list.txt", "line 2")])
def test_two_preprocess_files_need_two_images(folder, argument, place):
    Path("list.txt").write_text("one.jpeg,pics/a.png\none.jpeg\n")
    with pytest.raises(WrongImageCount, match=r"^Got different num of preprocess_methods and images!") as caught:
        find_samples(argument, 2)
    assert f"{place}: expected 2, one per preprocess file, found 1" in caught.value.message
    assert isinstance(caught.value, ValueError)


def test_too_many_fields(folder):
    Path("list.txt").write_text("one.jpeg,one.jpeg,one.jpeg\n")
    with pytest.raises(WrongImageCount, match=r"list\.txt, line 1: expected 1, one per preprocess file, found 3"):
        find_samples("list.txt", 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8\xff\xe0", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"one.jpeg\n\x80", "'utf-8' codec can't decode byte 0x80 in position 9: invalid start byte"),
        (b"one\0jpeg", "'utf-8' codec can't decode byte 0x00 in position 3: a text holds no NUL byte"),
    ],
)
def test_a_binary_file_is_no_list(folder, content, reason):
    Path("photo").write_bytes(content)
    with pytest.raises(NotAList) as caught:
        find_samples("photo", 1)
    assert str(caught.value) == f"{reason}; photo was taken for a list of images, which is UTF-8 text"
    assert isinstance(caught.value, UnicodeDecodeError)


def test_a_binary_file_without_line_ends_is_not_read_whole(folder):
    Path("blob").write_bytes(b"a" * (LONGEST_LINE + 1))
    with pytest.raises(InputError, match="blob, line 1: longer than 65536 bytes"):
        find_samples("blob", 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read(folder):
    (folder / "pics" / "deep").chmod(0)
    with pytest.raises(InputError, match="cannot read the folder pics/deep: Permission denied"):
        find_samples("pics", 1)
    (folder / "pics" / "deep").chmod(0o700)


@given(st.binary() | st.text("one.jpeg,:/\n \ufeff").map(str.encode), st.integers(1, 3))
def test_any_bytes_give_samples_or_an_error_of_ours(tmp_path_factory, content, inputs):
    path = tmp_path_factory.getbasetemp() / "any_list"
    path.write_bytes(content)
    try:
        samples = find_samples(str(path), inputs)
    except IpuDebugError:
        return
    assert samples
    assert all(len(sample) == inputs and all(map(os.path.isfile, sample)) for sample in samples)
