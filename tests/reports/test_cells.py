from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipudebug.comparison import compare
from ipudebug.reports.cells import exact_value, json_value, show_name, show_shape, show_valid, show_value
from tests.dump_files import record, write_dump_file


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("conv1/a b:0", "conv1/a b:0"),
        ("a\x1b[2J", r"a\x1b[2J"),
        ("a\tb\rc\x00", r"a\tb\rc\x00"),
        ("a\x9bb\x7f", r"a\x9bb\x7f"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("größe 大小", "größe 大小"),
        ("raw\udcff", "raw\udcff"),
        ("%s{}", "%s{}"),
        ("", ""),
    ],
)
def test_a_name_is_shown_on_one_line_without_control_characters(name, shown):
    assert show_name(name) == shown


@given(st.text())
def test_whatever_the_name_it_is_one_printable_line(name):
    shown = show_name(name)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)


@pytest.mark.parametrize(
    ("value", "shown", "exact", "json"),
    [
        (0.5, "0.500000", "0.5", 0.5),
        (1 / 3, "0.333333", "0.333333333", 1 / 3),
        (-0.0, "-0.000000", "-0", -0.0),
        (8.85270525e35, f"{int(8.85270525e35)}.000000", "8.85270525e+35", 8.85270525e35),
        (math.nan, "nan", "nan", "NaN"),
        (math.inf, "inf", "inf", "Infinity"),
        (-math.inf, "-inf", "-inf", "-Infinity"),
    ],
)
def test_values_for_people_for_scripts_and_for_json(value, shown, exact, json):
    assert (show_value(value), exact_value(value), json_value(value)) == (shown, exact, json)


def test_a_shape_is_the_benchmarks_where_the_sample_has_none(tmp_path):
    flat = write_dump_file(tmp_path / "flat.bin", record("a", range(6)), record("b", range(3)))
    shaped = write_dump_file(tmp_path / "shaped.bin", record("a", range(6), (1, 2, 3)), record("b", range(6), (1, 6)))
    assert [show_shape(row) for row in compare(sample=flat, benchmark=shaped)] == ["[1, 2, 3]", "[3]"]
    assert [show_shape(row) for row in compare(sample=shaped, benchmark=flat)] == ["[1, 2, 3]", "[1, 6]"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 大小 \U0001f600", "größe 大小 \U0001f600"),
        ("raw\udcff\udc80", r"raw\xff\x80"),
        ("half\ud83d", r"half\ud83d"),
        ("\ufffe\uffff", r"\ufffe\uffff"),
        ("\u202egnp.exe\u2069", r"\u202egnp.exe\u2069"),
        ("a\x1b\n", r"a\x1b\n"),
    ],
)
def test_what_no_document_can_hold_is_escaped(text, shown):
    assert show_valid(text) == shown


@given(st.text(st.characters()))
def test_whatever_the_text_it_is_utf8_and_xml(text):
    import xml.etree.ElementTree as ET
    from xml.sax.saxutils import escape

    shown = show_valid(text)
    assert ET.fromstring(f"<a>{escape(shown)}</a>".encode()).text in (shown, None)
