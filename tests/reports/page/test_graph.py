from __future__ import annotations

import re

import pytest

from ipudebug.comparison import compare
from ipudebug.reports.page.graph import draw_graph, find_operators
from tests.dump_files import record, write_dump_file


def make(folder, *records):
    """Compare a dump with one of the same outputs, of which ``bad`` differs."""
    sample = write_dump_file(folder / "a.bin", *records)
    data = [part.replace(b"\x00\x00\x40\x40", b"\x00\x00\x40\x41") if b" bad " in part else part for part in records]
    return compare(sample=sample, benchmark=write_dump_file(folder / "b.bin", *data))


RESIDUAL = (
    record("input", [1, 3], role="in", op="CONV_2D", index=0),
    record("a", [1, 3], op="CONV_2D", index=0),
    record("a", [1, 3], role="in", op="CONV_2D", index=1),
    record("weight", [1], role="in", op="CONV_2D", index=1, constant=True),
    record("bad", [1, 3], op="CONV_2D", index=1),
    record("bad", [1, 3], role="in", op="ADD", index=2),
    record("a", [1, 3], role="in", op="ADD", index=2),
    record("sum", [1, 3], op="ADD", index=2),
)


def test_edges_lead_from_who_makes_a_tensor_to_who_reads_it(tmp_path):
    comparison = make(tmp_path, *RESIDUAL)
    operators = find_operators(comparison.sample.infos, list(comparison))
    assert [(item.op_type, item.outputs, item.producers) for item in operators] == [
        ("CONV_2D", ["a"], set()), ("CONV_2D", ["bad"], {0}), ("ADD", ["sum"], {0, 1}),
    ]  # fmt: skip
    assert [item.row and item.row.status for item in operators] == ["equal", "suspicious", "equal"]


def test_what_skips_is_an_arc_and_what_is_bad_is_red(tmp_path):
    comparison = make(tmp_path, *RESIDUAL)
    text = draw_graph(find_operators(comparison.sample.infos, list(comparison)))
    edges = re.findall(r'<path class="edge( bad)?" d="M[\d.]+ [\d.]+([HC])', text)
    assert edges == [("", "H"), ("", "C"), (" bad", "H")]
    assert re.findall(r'<rect class="p (\w+)"', text) == ["equal", "suspicious", "equal"]
    assert 'href="#layer-2"' in text


def test_a_dump_without_inputs_has_no_graph(tmp_path):
    comparison = make(tmp_path, record("a", [1]), record("b", [1], index=1))
    assert draw_graph(find_operators(comparison.sample.infos, list(comparison))) == ""


def test_an_operator_is_as_bad_as_its_worst_output(tmp_path):
    split = [record(name, [1, 3], op="SPLIT", index=1) for name in ("good", "bad")]
    comparison = make(tmp_path, RESIDUAL[1], RESIDUAL[2], *split)
    (_, operator) = find_operators(comparison.sample.infos, list(comparison))
    assert operator.outputs == ["good", "bad"]
    assert operator.row is not None
    assert operator.row.name == "bad"


def test_what_was_not_listed_is_grey(tmp_path):
    comparison = make(tmp_path, *RESIDUAL)
    text = draw_graph(find_operators(comparison.sample.infos, list(comparison)[:1]))
    assert text.count("p uncompared") == 3
    assert text.count("not compared</title>") == 3


def test_a_loop_in_a_strange_dump_does_no_harm(tmp_path):
    comparison = make(
        tmp_path, record("x", [1], role="in", index=0), record("a", [1], index=0), record("x", [1], index=1),
        record("a", [1], role="in", index=1),
    )  # fmt: skip
    operators = find_operators(comparison.sample.infos, list(comparison))
    assert [item.producers for item in operators] == [set(), {0}]


@pytest.mark.parametrize("op", ["<script>", "A" * 30])
def test_op_types_are_escaped_and_cut(tmp_path, op):
    comparison = make(
        tmp_path, RESIDUAL[1], record("a", [1, 3], role="in", op=op, index=1), record("b", [1], op=op, index=1)
    )
    text = draw_graph(find_operators(comparison.sample.infos, list(comparison)))
    assert "<script>" not in text
    assert ("AAAAAAAAAAAAA…</text>" in text) is (op[0] == "A")
