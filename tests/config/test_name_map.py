from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.config.name_map import load_name_map
from ipudebug.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    def write_and_load(text: str | bytes) -> dict[str, str]:
        path = tmp_path / "names.map"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_name_map(str(path))

    return write_and_load


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a b\n", {"a": "b"}),
        ("a b", {"a": "b"}),
        ("  a \t b  \r\n\n# a comment\nc d\n", {"a": "b", "c": "d"}),
        ("'a b' \"c d\"\n", {"a b": "c d"}),
        ("a b\tc d\n", {"a b": "c d"}),
        ('"#/Mul0Output#3" x\n', {"#/Mul0Output#3": "x"}),
        ("x #y\n", {"x": "#y"}),
        ("Übergang größe\n", {"Übergang": "größe"}),
        (b"\xef\xbb\xbfa b\n", {"a": "b"}),
        ('{"a": "b", "c d": "e"}', {"a": "b", "c d": "e"}),
        ('\n {"a": "b"}\n', {"a": "b"}),
    ],
)
def test_pairs_are_read_as_lines_or_as_json(load, text, pairs):
    assert load(text) == pairs


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", ": the map is empty", "write one pair a line: sample-name benchmark-name"),
        ("# only a comment\n", ": the map is empty", "write one pair a line: sample-name benchmark-name"),
        ("{}", ": the map is empty", "write one pair a line: sample-name benchmark-name"),
        (
            "a b\n\na b c\n",
            ", line 3: expected two names, found 3: a b c",
            "write: sample-name benchmark-name; quote names with blanks, or put a tab between the two",
        ),
        (
            "alone\n",
            ", line 1: expected two names, found 1: alone",
            "write: sample-name benchmark-name; quote names with blanks, or put a tab between the two",
        ),
        ("it's b\n", ", line 1: No closing quotation: it's b", 'quote names with blanks: "a b" c'),
        ("a b\nx y\na c\n", ", line 3: 'a' is mapped twice", "keep one of the two"),
        ('{"a": "b", "a": "c"}', ": 'a' is mapped twice", "keep one of the two"),
        ('{"a": 7}', ": 'a': expected the name of a tensor, found 7", 'write: {"sample-name": "benchmark-name", ...}'),
        ('{"a": {"b": "c"}}', ": 'a': expected the name of a tensor, found [[\"b\", \"c\"]]", None),
        ('{"a" "b"}', ": not valid JSON: Expecting ':' delimiter: line 1 column 6 (char 5)", None),
        ('{"a":' + "[" * 100_000, ": not valid JSON: ", None),
        (b"a \xff\n", ": byte 2: expected UTF-8 text", "a map holds two names a line"),
    ],
)  # fmt: skip
def test_what_is_no_map_is_named_with_file_and_line(load, tmp_path, text, message, hint):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value).startswith(f"{tmp_path / 'names.map'}{message}")
    assert caught.value.hint == (hint or 'write: {"sample-name": "benchmark-name", ...}')


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no such map file: .*nowhere"):
        load_name_map(str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"cannot read the map file .*: Is a directory"):
        load_name_map(str(tmp_path))


@given(st.binary(max_size=80))
def test_whatever_the_bytes_it_is_a_map_or_a_config_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.map"
    path.write_bytes(content)
    try:
        pairs = load_name_map(str(path))
    except ConfigError:
        return
    assert all(isinstance(name, str) for pair in pairs.items() for name in pair)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")), min_size=1
    )
)
def test_any_names_come_through_json(tmp_path_factory, names):
    path = tmp_path_factory.getbasetemp() / "names.json"
    path.write_text(json.dumps(names), encoding="utf-8")
    assert load_name_map(str(path)) == names
