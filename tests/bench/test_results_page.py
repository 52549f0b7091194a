"""RESULTS.md, and the command line that fills it."""

import importlib
import sys

import pytest

from bench.__main__ import main
from bench.harness import Row, Table
from bench.harness.groups import find_groups
from bench.harness.report import format_section, read_sections, update_results

GOOD = Row("fast", "<= 3 x cat", "2.00 (1.90..2.10) x", True)
BAD = Row("slow | odd", ">= 40 x", "1.00 x", False, "it\nwaits")
UNKNOWN = Row("elsewhere", ">= 7 x", "-", None, "offline")

GROUP_FILE = """
from bench.harness import BenchError, Row
GROUP = "Fruit"
def rows(context):
    (context.work / "data").write_text("x")
    yield Row("ripe", "yes", "quick" if context.quick else "full", True)
"""
TABLING = (
    GROUP_FILE.replace("Row\n", "Row, Table\n") + '    yield Table("Trees", ("tree", "height"), [("fig", "3 m")])\n'
)
STOPPING = GROUP_FILE + '    raise BenchError("the tree fell")\n'


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of benches: two groups, a module that is none, a package, a private module."""
    folder = tmp_path / "orchard"
    (folder / "parts").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "parts" / "__init__.py").write_text("GROUP = 'no'\nrows = None\n")
    (folder / "fruit.py").write_text(GROUP_FILE)
    (folder / "stops.py").write_text(STOPPING.replace("Fruit", "Stops"))
    (folder / "faults.py").write_text("FAULTS = ()\n")
    (folder / "__main__.py").write_text("raise SystemExit('not to be imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield "orchard"
    for name in [name for name in sys.modules if name.split(".")[0] == "orchard"]:
        del sys.modules[name]


def test_a_section_is_a_table_that_survives_any_text():
    text = format_section("Speed", "2 cores", [GOOD, BAD])
    assert text == (
        "## Speed\n\n2 cores.\n\n"
        "| row | aim | measured | verdict | note |\n|---|---|---|---|---|\n"
        "| fast | <= 3 x cat | 2.00 (1.90..2.10) x | holds |  |\n"
        "| slow \\| odd | >= 40 x | 1.00 x | does not hold | it waits |\n\n"
    )


def test_tables_stand_below_the_rows_and_out_of_the_closing_list(tmp_path):
    table = Table("Every layer", ("layer", "COS"), [("a|b", "0.5"), ("c", "1")], "Of 24 images.")
    text = format_section("Speed", "2 cores", [GOOD], [table])
    assert text.partition("holds |  |\n\n")[2] == (
        "### Every layer\n\nOf 24 images.\n\n| layer | COS |\n|---|---|\n| a\\|b | 0.5 |\n| c | 1 |\n\n"
    )
    page = tmp_path / "RESULTS.md"
    update_results(page, {"a": text})
    assert page.read_text().count("0.5") == 1
    assert read_sections(page.read_text()) == {"a": text}


def test_a_group_may_yield_tables(package, tmp_path, capsys):
    (tmp_path / "orchard" / "fruit.py").write_text(TABLING)
    page = tmp_path / "RESULTS.md"
    assert main(["fruit", "--results", str(page)], package, tmp_path / "work") == 0
    assert "### Trees\n\n| tree | height |\n|---|---|\n| fig | 3 m |\n" in page.read_text()
    assert "Trees" not in capsys.readouterr().out


def test_a_partial_run_changes_its_own_section_only(tmp_path):
    page = tmp_path / "RESULTS.md"
    update_results(
        page, {"dump": format_section("Dump", "old", [BAD]), "compare": format_section("Compare", "old", [])}
    )
    before = read_sections(page.read_text())
    update_results(page, {"dump": format_section("Dump", "new", [GOOD])})
    after = read_sections(page.read_text())
    assert list(after) == ["compare", "dump"]
    assert after["compare"] == before["compare"]
    assert "new." in after["dump"]
    assert "old." not in after["dump"]
    assert [path.name for path in tmp_path.iterdir()] == ["RESULTS.md"]


def test_the_page_ends_in_a_list_of_what_holds(tmp_path):
    page = tmp_path / "RESULTS.md"
    update_results(page, {"a": format_section("A", "m", [GOOD, BAD]), "b": format_section("B", "m", [UNKNOWN])})
    assert page.read_text().partition("## Which rows hold\n\n")[2] == (
        "Holds (1):\n\n- A: fast: 2.00 (1.90..2.10) x (aim <= 3 x cat)\n\n"
        "Does not hold (1):\n\n- A: slow \\| odd: 1.00 x (aim >= 40 x)\n\n"
        "Not measured (1):\n\n- B: elsewhere: - (aim >= 7 x)\n"
    )


def test_an_unchanged_page_stays_as_it_is(tmp_path):
    page = tmp_path / "RESULTS.md"
    update_results(page, {"a": format_section("A", "m", [GOOD, BAD])})
    before = page.read_text()
    update_results(page, {})
    assert page.read_text() == before


def test_a_group_is_a_module_with_a_title_and_rows(package):
    groups = find_groups(package)
    assert {name: group.title for name, group in groups.items()} == {"fruit": "Fruit", "stops": "Stops"}


def test_the_benches_of_this_project_are_found():
    assert {"accuracy", "calibrate", "compare", "dump", "simulate", "startup", "sums"} <= set(find_groups())


def test_a_full_run_fills_the_page_and_cleans_up(package, tmp_path, capsys):
    page = tmp_path / "RESULTS.md"
    assert main(["fruit", "--results", str(page)], package, tmp_path / "work") == 0
    assert "| ripe | yes | full | holds |" in page.read_text()
    assert "holds         ripe: full" in capsys.readouterr().out
    assert not (tmp_path / "work").exists()


def test_a_quick_run_keeps_nothing_unless_asked(package, tmp_path, capsys):
    assert main(["fruit", "--quick", "--keep"], package, tmp_path / "work") == 0
    printed = capsys.readouterr().out
    assert "ripe: quick" in printed
    assert "means nothing" in printed
    assert (tmp_path / "work" / "fruit" / "data").read_text() == "x"


def test_a_group_that_stops_is_a_row_that_does_not_hold(package, tmp_path, capsys):
    page = tmp_path / "RESULTS.md"
    assert main(["--results", str(page)], package, tmp_path / "work") == 1
    text = page.read_text()
    assert "| the rest of the group | runs to its end | it stopped | does not hold | the tree fell |" in text
    assert list(read_sections(text)) == ["fruit", "stops"]
    assert "stopped: the tree fell" in capsys.readouterr().out


def test_an_unknown_group_is_refused(package, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["frut"], package, tmp_path / "work")
    assert stop.value.code == 2
    assert "no group 'frut'; there are: fruit, stops" in capsys.readouterr().err
