from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipudebug.baseline import Gate, find_loss, load_baseline, parse_slack, read_values
from ipudebug.errors import ConfigError, UnknownPlugin
from ipudebug.reports import REPORTS
from tests.reports.every_row import ROWS, make_comparison

NAN, INF = math.nan, math.inf
STRICT = {"cos": 0.0, "rmse": 0.0}


def save(comparison, path, rows=None):
    path.write_text("".join(REPORTS["json"].render(comparison, comparison if rows is None else rows)))
    return str(path)


def hold(tmp_path, before, after, layer=STRICT, overall=STRICT, **options):
    """Hold a comparison of the rows ``after`` against a report on the rows ``before``."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir(exist_ok=True)
    metrics = list(layer)
    baseline = load_baseline(save(make_comparison(tmp_path / "before", before, metrics=metrics), tmp_path / "b.json"))
    gate = Gate(baseline, layer, overall, **options)
    for row in make_comparison(tmp_path / "after", after, metrics=metrics):
        gate.add(row)
    return gate


def test_a_report_against_itself_passes_whatever_is_in_it(tmp_path):
    gate = hold(tmp_path, ROWS, ROWS)
    assert gate.list_regressions() == []
    assert (gate.better, gate.new) == ([], [])
    (line,) = gate.lines()
    assert line.startswith("against the baseline: 0 worse, 0 better, 13 as before, 0 new; mean COS ")


def test_what_is_read_is_what_was_measured(tmp_path):
    comparison = make_comparison(tmp_path, metrics=["sqnr", "gain"])
    baseline = load_baseline(save(comparison, tmp_path / "b.json"))
    for row in comparison:
        assert list(map(repr, baseline.layers[row.name, 0].values())) == (
            list(map(repr, {name: read_values(row)[name] for name in ("mse", "cos", "rmse", "sqnr", "gain")}.values()))
            if row.compared
            else []
        )


GOOD, BAD = [1, 2, 3, 4.1], [4, 3, 2, 1]
TRUE = [1, 2, 3, 4]


def test_a_worse_layer_is_a_regression_and_a_better_one_is_told(tmp_path):
    gate = hold(tmp_path, [("a", GOOD, TRUE), ("b", BAD, TRUE)], [("a", BAD, TRUE), ("b", TRUE, TRUE)])
    (worse,) = gate.worse
    assert worse == "a: COS 0.999924 -> 0.666667, RMSE 0.010000 -> 0.800000"
    assert gate.better == ["b: COS 0.666667 -> 1.000000, RMSE 0.800000 -> 0.000000"]
    assert [line for line in gate.lines() if line.startswith("better")] == [f"better: {gate.better[0]}"]


@pytest.mark.parametrize(("slack", "is_worse"), [(0.0, True), (0.0099, True), (0.0101, False)])
def test_slack_is_allowed_to_a_layer(tmp_path, slack, is_worse):
    after = [1, 2, 3, 4.2]  # RMSE 0.02 instead of 0.01
    gate = hold(tmp_path, [("a", GOOD, TRUE)], [("a", after, TRUE)], {"rmse": slack}, {})
    assert bool(gate.worse) is is_worse
    assert bool(gate.list_regressions()) is is_worse


def test_many_small_losses_are_an_overall_regression(tmp_path):
    before = [(f"l{number}", GOOD, TRUE) for number in range(4)]
    after = [(name, [1, 2, 3, 4.2], TRUE) for name, _, _ in before]
    gate = hold(tmp_path, before, after, {"rmse": 0.05}, {"rmse": 0.005})
    assert gate.worse == []
    assert gate.list_regressions() == ["overall: mean RMSE 0.010000 -> 0.020000"]
    assert hold(tmp_path, before, after, {"rmse": 0.05}, {"rmse": 0.011}).list_regressions() == []


def test_a_layer_that_is_gone_or_no_longer_comparable_is_a_regression(tmp_path):
    gate = hold(
        tmp_path, [("a", TRUE, TRUE), ("b", TRUE, TRUE), ("c", TRUE, TRUE)], [("a", TRUE, TRUE), ("b", [1], TRUE)]
    )
    assert gate.list_regressions() == [
        "b: no longer compared: sizes differ: sample [1, 1] has 1 elements, benchmark [1, 4] 4", "c: gone",
    ]  # fmt: skip
    assert list(gate.lines())[-1].startswith("against the baseline: 2 worse, 0 better, 1 as before, 0 new")


def test_where_layers_were_selected_none_is_gone(tmp_path):
    rows = [("a", TRUE, TRUE), ("b", TRUE, TRUE)]
    assert hold(tmp_path, rows, rows[:1], is_whole=False).list_regressions() == []


def test_new_layers_are_told_and_pass(tmp_path):
    after = [("a", TRUE, TRUE), *((f"n{number}", BAD, TRUE) for number in range(25))]
    gate = hold(tmp_path, [("a", TRUE, TRUE)], after)
    assert gate.list_regressions() == []
    lines = list(gate.lines())
    assert lines[0] == "new: n0"
    assert lines[20] == "new: and 5 more"


def test_a_pair_that_can_be_compared_again_is_better(tmp_path):
    gate = hold(tmp_path, [("a", TRUE, TRUE), ("b", [1], TRUE)], [("a", TRUE, TRUE), ("b", TRUE, TRUE)])
    assert gate.better == ["b: compared now"]


def test_the_second_layer_of_a_name_is_held_against_the_second(tmp_path):
    comparison = make_comparison(tmp_path, [("a", GOOD, TRUE), ("b", BAD, TRUE)])
    first, second = comparison
    twin = type(second)(1, "a", second.sample, second.benchmark, second.values)
    gate = Gate(load_baseline(save(comparison, tmp_path / "b.json", [first, twin])), STRICT, STRICT)
    gate.add(first)
    gate.add(twin)
    assert gate.list_regressions() == []
    assert gate.new == []


def test_what_the_baseline_left_out_is_told(tmp_path):
    comparison = make_comparison(tmp_path)
    rows = list(comparison)
    gate = Gate(load_baseline(save(comparison, tmp_path / "b.json", rows[:3])), STRICT, STRICT)
    for row in rows:
        gate.add(row)
    assert next(gate.lines()) == f"baseline: {tmp_path}/b.json leaves out 10 layers: they count as new"


@pytest.mark.parametrize(
    ("metric", "before", "now", "loss"),
    [
        ("cos", 0.9, 0.8, 0.1),
        ("rmse", 0.1, 0.3, 0.2),
        ("rmse", 0.3, 0.1, -0.2),
        ("sqnr", INF, 40, INF),
        ("sqnr", INF, INF, 0),
        ("gain", 0.9, 1.2, 0.1),
        ("cos", NAN, NAN, 0),
        ("cos", 0.9, NAN, INF),
        ("cos", NAN, 0.1, -INF),
        ("rmse", INF, INF, 0),
    ],
)
def test_a_loss_is_how_much_worse(metric, before, now, loss):
    assert find_loss(metric, before, now) == pytest.approx(loss)


def test_slack_by_metric():
    assert parse_slack("--layer-slack", [], 0.5) == {"cos": 0.5, "rmse": 0.5}
    assert parse_slack("--layer-slack", ["0.1", "rmse:0.2", "SQNR:3"], 0.5) == {"cos": 0.1, "rmse": 0.2, "sqnr": 3.0}
    for text in ("x", "-1", "nan", "cos:", "rmse:-0.1"):
        with pytest.raises(ConfigError, match="expected \\[METRIC:\\]VALUE"):
            parse_slack("--layer-slack", [text], 0.5)
    with pytest.raises(UnknownPlugin):
        parse_slack("--layer-slack", ["cosine:0.1"], 0.5)


def test_a_metric_that_the_baseline_lacks(tmp_path):
    baseline = load_baseline(save(make_comparison(tmp_path), tmp_path / "b.json"))
    with pytest.raises(ConfigError, match="has no SQNR"):
        Gate(baseline, {"sqnr": 1.0}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found no JSON"),
        ("{", "found no JSON"),
        ("[]", "found other JSON"),
        ('{"version": 1}', "found other JSON"),
        ('{"version": 9, "layers": [], "summary": {}}', "version 9 of the report, expected 1"),
        ('{"version": 1, "layers": [], "summary": {}}', "damaged at summary"),
        ('{"version": 1, "layers": [{"name": "a"}], "summary": {}}', "damaged at layer 0"),
        (
            '{"version": 1, "layers": [{"name": "a", "status": "ok", "values": []}], "summary": {}}',
            "damaged at layer 0",
        ),
        ('{"version": 1, "layers": 3, "summary": {}}', "damaged"),
        ('{"version": 1, "layers": {"a": 1}, "summary": {}}', "damaged"),
        ('{"version": 1, "layers": [], "summary": 1}', "damaged"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path, text, message):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_baseline(str(path))
    assert "--format json" in (caught.value.hint or "")


def test_a_baseline_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_baseline(str(tmp_path / "none.json"))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda s: st.lists(s, max_size=3)))
def test_whatever_stands_in_the_fields_it_is_a_sentence(tmp_path, value):
    path = tmp_path / "b.json"
    good = {"name": "a", "status": "ok", "values": {"cos": 1.0}}
    for layers, summary in (
        (value, {"compared": 1, "uncompared": 0}),
        ([value], {"compared": 1, "uncompared": 0}),
        ([good | {"values": value}], {"compared": 1, "uncompared": 0}),
        ([good | {"values": {"cos": value}}], {"compared": 1, "uncompared": 0}),
        ([good], {"compared": value, "uncompared": 0}),
        ([good], value),
    ):
        path.write_text(json.dumps({"version": 1, "layers": layers, "summary": summary}))
        with contextlib.suppress(ConfigError):
            load_baseline(str(path))
