from __future__ import annotations

import xml.etree.ElementTree as ET

from ipudebug.reports import REPORTS, make_report
from ipudebug.thresholds import parse_threshold
from tests.reports.every_row import ROWS, make_comparison


def read(comparison, rows=None, thresholds=()):
    report = make_report("junit", thresholds)
    return ET.fromstring("".join(report.render(comparison, comparison if rows is None else rows)).encode())


def outcomes(suite):
    return {
        case.get("name"): case[0].tag for case in suite.iter("testcase")
    }  # fmt: skip


def test_every_layer_is_a_case_and_so_is_every_tensor_without_a_partner(tmp_path):
    told = outcomes(read(make_comparison(tmp_path)))
    assert len(told) == len(ROWS) + 1
    assert {name: tag for name, tag in told.items() if tag != "system-out"} == {
        "suspicious": "failure", "nan": "failure", "inf": "failure", "sizes": "skipped", "fc11#55": "skipped",
    }  # fmt: skip
    assert {"<script>alert(1)</script>", "a|b*c_d`", "größe\\u2028", "raw\\xff\\xc3"} <= told.keys()


def test_the_counts_are_those_of_the_cases(tmp_path):
    suites = read(make_comparison(tmp_path))
    suite = suites.find("testsuite")
    assert suite is not None
    for element in (suites, suite):
        counts = {name: element.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "14", "failures": "3", "errors": "0", "skipped": "2"}
    assert suite.get("name") == f"{tmp_path}/sample.bin against {tmp_path}/benchmark.bin"


def test_a_failure_says_why_and_shows_the_numbers(tmp_path):
    failure = read(make_comparison(tmp_path)).find(".//testcase[@name='suspicious']/failure")
    assert failure is not None
    assert failure.get("message") == "COS 0.666667 < 0.99, RMSE 0.800000 > 0.1"
    assert failure.text == "CONV_2D [1, 4]  MSE 5.000000  COS 0.666667  RMSE 0.800000"


def test_thresholds_that_were_asked_for_count_instead(tmp_path):
    thresholds = [
        parse_threshold("cos", "0.5", is_minimum=True), parse_threshold("mse", "ok:0.0001", is_minimum=False),
    ]  # fmt: skip
    suite = read(make_comparison(tmp_path), thresholds=thresholds)
    failed = {name for name, tag in outcomes(suite).items() if tag == "failure"}
    assert failed == {"ok", "nan", "inf", "sizes"}
    failure = suite.find(".//testcase[@name='ok']/failure")
    assert failure is not None
    assert failure.get("message") == "MSE 0.000244 > 0.0001"


def test_the_shared_report_is_not_changed_by_thresholds(tmp_path):
    make_report("junit", [parse_threshold("cos", "1", is_minimum=True)])
    comparison = make_comparison(tmp_path)
    assert "".join(REPORTS["junit"].render(comparison, comparison)).count("<failure") == 3


def test_characters_that_xml_cannot_hold_are_escaped(tmp_path):
    names = ["\x01", "\ufffe", "\uffff", "a\x85b", 'quote"<&>', "\u202egnp.exe"]
    rows = [(name, [1.0], [2.0]) for name in names]
    read_names = set(outcomes(read(make_comparison(tmp_path, rows))))
    assert {"\\x01", "\\ufffe", "\\uffff", "a\\x85b", 'quote"<&>', "\\u202egnp.exe"} <= read_names
