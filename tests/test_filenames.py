"""Tensor names as file names: safe, short, and never the same twice."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipudebug.filenames import FORBIDDEN, LONGEST, FileNames, clean_name

any_text = st.text(st.characters(codec=None), max_size=300) | st.text("aAäÄ/.\\: \0\ud800\udcff", max_size=8)
suffixes = st.sampled_from(["", ".txt", "#(1, 32, 32, 8)", "#(" + "1234, " * 20 + ")"])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("conv1", "conv1"),
        ("/model.0/conv:0", "_model.0_conv_0"),
        ('a*b?c<d>e|f\\g"h', "a_b_c_d_e_f_g_h"),
        ("", "_"),
        (".", "__"),
        ("..", "___"),
        (" ", "_ "),
        (". .", "__ _"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("a\0b\x1b[1m\n\x7f\x85", "a_b_[1m___"),
        ("a\ud800\udcffb", "a__b"),
        ("~root", "~root"),
        ("Grün 層", "Grün 層"),
    ],
)
def test_a_name_is_cleaned(name: str, wanted: str) -> None:
    assert clean_name(name) == wanted


def test_a_long_name_keeps_its_beginning_and_stays_distinct() -> None:
    names = ["n" * 200, "n" * 201, "n" * 202, "層" * 100, "層" * 101, "\ud800" * 300]
    cleaned = [clean_name(name) for name in names]
    assert cleaned[0] == "n" * LONGEST
    assert cleaned[1].startswith("n" * 187 + "-")
    assert cleaned[3].startswith("層" * 62 + "-")
    assert all(len(each.encode()) <= LONGEST for each in cleaned)
    assert len(set(cleaned)) == len(names)


@settings(deadline=None)
@given(any_text)
def test_every_name_becomes_one_safe_component(name: str) -> None:
    cleaned = clean_name(name)
    assert cleaned not in ("", ".", "..")
    assert cleaned.strip(". ")
    assert not set(cleaned) & set(FORBIDDEN)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in cleaned)
    assert len(cleaned.encode()) <= LONGEST
    assert Path("folder", cleaned).parent == Path("folder")
    assert clean_name(cleaned) == cleaned


@settings(deadline=None)
@given(st.lists(st.tuples(any_text, suffixes), max_size=12))
def test_no_two_names_share_a_file(asked: list[tuple[str, str]]) -> None:
    names = FileNames()
    given_ = [names.claim(name, suffix) for name, suffix in asked * 2]
    assert len(set(given_)) == len(given_)
    assert len({name.casefold() for name in given_}) == len(given_)
    assert len({unicodedata.normalize("NFC", name) for name in given_}) == len(given_)
    assert all(len(f"{name}.part".encode()) <= 255 for name in given_)
    assert all(name.endswith(suffix) for name, (_, suffix) in zip(given_, asked * 2, strict=True))
    assert not any("/" in name for name in given_)


def test_taken_names_are_numbered_before_the_suffix() -> None:
    names = FileNames()
    asked = ["a", "a", "A", "a_2", "a/b", "a:b", "é", "e\u0301", "straße", "STRASSE"]
    wanted = ["a.txt", "a_2.txt", "A_3.txt", "a_2_2.txt", "a_b.txt", "a_b_2.txt", "é.txt", "e\u0301_2.txt"]
    wanted += ["straße.txt", "STRASSE_2.txt"]
    assert [names.claim(name, ".txt") for name in asked] == wanted
    assert names.claim("a") == "a"  # another suffix is another file


def test_files_of_all_names_can_be_made_side_by_side(tmp_path: Path) -> None:
    names = FileNames()
    asked = ["", "..", "/", "a/b", "a:b", "x\0y", "n" * 300, "n" * 301, "N" * 300, "\udcff", "層" * 200, "a", "A"] * 3
    for name in asked:
        (tmp_path / names.claim(name, "#(1, 2)")).touch(exist_ok=False)
    assert len(list(tmp_path.iterdir())) == len(asked)
