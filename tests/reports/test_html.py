from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from ipudebug import __version__
from ipudebug.comparison import compare
from ipudebug.diagnosis.blame import Blame, LayerBlame
from ipudebug.diagnosis.judgement import diagnose_rows
from ipudebug.errors import TruncatedDump
from ipudebug.manifest import write_manifest
from ipudebug.metrics import METRICS, VENDOR
from ipudebug.reports import REPORTS, list_metrics
from tests.dump_files import record, write_dump_file
from tests.reports.every_row import ROWS, make_comparison
from tests.reports.page.browser import Browser, browser
from tests.reports.page.test_graph import RESIDUAL, make

__all__ = ["browser"]  # a fixture

VOID = {"meta", "input", "img", "br"}


class Page(HTMLParser):
    """Reads a page: its text, its elements, and whether every element is closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)


def render(comparison, rows=None) -> str:
    return "".join(REPORTS["html"].render(comparison, comparison if rows is None else rows))


def make_many(folder, count, elements=48):
    """Write two dumps of many layers and return their comparison with all that the page draws."""
    rng = np.random.default_rng(3)
    records = {"a": [], "b": []}
    for index in range(count):
        values = rng.normal(size=elements)
        noisy = values + rng.normal(size=elements) * (0.3 if index > count // 3 else 0.01 if index else 0)
        for side, data in (("a", noisy), ("b", values)):
            name = f"stage{index // 50}/block{index // 5}/convolution{index}/BiasAdd:0"
            records[side].append(record(name, data.tolist(), (1, 4, 4, elements // 16), op="CONV_2D", index=index))
    paths = [write_dump_file(folder / f"{side}.bin", *parts) for side, parts in records.items()]
    return compare(sample=paths[0], benchmark=paths[1], metrics=(*VENDOR, "sqnr"))


def test_the_page_is_well_formed_and_shows_every_row(tmp_path):
    page = Page(render(make_comparison(tmp_path, metrics=list(METRICS))))
    assert page.open == []
    text = " ".join(page.words)
    for name in ("suspicious", "both zero", "<script>alert(1)</script>", "a|b*c_d`", "raw\\xff\\xc3", "größe\\u2028"):
        assert name in text
    rows = [attrs for tag, attrs in page.elements if tag == "tr" and "data-status" in attrs]
    assert [row["data-status"] for row in rows][:6] == ["ok", "suspicious", "equal", "equal", "nan", "inf"]
    assert len(rows) == len(ROWS)
    assert [tag for tag, _ in page.elements].count("script") == 1


def test_nothing_is_fetched(tmp_path):
    text = render(make_comparison(tmp_path))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    page = Page(text)
    for tag, attrs in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert (attrs.get("src") or "data:image/png").startswith("data:image/png")
        assert (attrs.get("href") or "#").startswith("#")
        assert not [name for name in attrs if name.startswith("on")]


def test_the_policy_allows_the_one_script_and_nothing_else(tmp_path):
    text = render(make_comparison(tmp_path))
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(attrs["content"] for tag, attrs in Page(text).elements if "http-equiv" in attrs)
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def test_every_link_leads_to_a_row(tmp_path):
    page = Page(render(make_comparison(tmp_path)))
    targets = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    links = {attrs["href"][1:] for tag, attrs in page.elements if tag == "a"}
    assert {"layer-1", "layer-4", "layer-11"} <= links <= targets


def test_the_result_comes_first(tmp_path):
    text = " ".join(Page(render(make_comparison(tmp_path))).words)
    places = [text.index(part) for part in (
        "First suspicious layer: 1) suspicious (COS 0.666667 < 0.99, RMSE 0.800000 > 0.1)", "12 of 14",
        "fc11#55", "Over the layers", "The 4 that differ most", "All layers", "What was compared with what",
    )]  # fmt: skip
    assert places == sorted(places)
    assert f"ipudebug {__version__}" in text


def test_a_verdict_stands_before_the_result(tmp_path):
    comparison = make_comparison(tmp_path)
    text = " ".join(Page(render(comparison)).words)
    assert text.index("Verdict") < text.index("Abrupt at") < text.index("Do ") < text.index("First suspicious layer")


def test_a_selection_of_rows_has_no_verdict(tmp_path):
    comparison = make_comparison(tmp_path)
    assert 'class="verdict' not in render(comparison, list(comparison)[:5])


def test_the_verdict_does_not_depend_on_the_order_of_the_rows(tmp_path):
    comparison = make_comparison(tmp_path)
    pages = [render(comparison, rows) for rows in (list(comparison), list(comparison)[::-1])]
    assert len({re.search(r'<section class="verdict.*?</section>', page, re.DOTALL)[0] for page in pages}) == 1


def test_the_worst_come_worst_first(tmp_path):
    page = render(make_comparison(tmp_path))
    cards = re.findall(r'<h3><a href="#layer-\d+">\d+\) ([^<]*)', page)
    assert cards == ["nan", "inf", "suspicious", "ok"]


def test_equal_dumps_have_nothing_to_draw_but_their_curves(tmp_path):
    comparison = make_comparison(tmp_path, [("a", [1.0, 2], [1.0, 2])])
    text = render(comparison)
    assert "No layer is suspicious" in text
    assert "differ" not in " ".join(Page(text).words)
    assert 'class="p equal"' in text


def test_it_asks_for_the_metric_that_it_draws(tmp_path):
    assert list_metrics("html") == ("sqnr",)
    assert list_metrics("rows") == ()
    assert ">SQNR<" not in render(make_comparison(tmp_path))
    assert render(make_comparison(tmp_path, metrics=["sqnr"])).count(">SQNR<") == 2 + 4  # curve, column, four cards


def test_every_row_is_drawn_once(tmp_path):
    comparison = make_comparison(tmp_path)
    drawn = []

    def watched():
        for row in comparison:
            drawn.append(row.name)
            yield row

    render(comparison, watched())
    assert len(drawn) == len(ROWS)


def test_an_error_in_the_middle_leaves_no_beginning_of_a_page(tmp_path):
    comparison = make_many(tmp_path, 3)
    rows = list(comparison)
    (tmp_path / "a.bin").write_bytes((tmp_path / "a.bin").read_bytes()[:100])
    pieces = REPORTS["html"].render(comparison, rows)
    with pytest.raises(TruncatedDump):
        next(pieces)


def test_where_the_dumps_came_from_is_told(tmp_path):
    comparison = make_comparison(tmp_path)
    for name, image in (("sample.bin", b"cat"), ("benchmark.bin", b"dog")):
        (tmp_path / f"{name}.jpg").write_bytes(image)
        write_manifest(
            str(tmp_path / name), "ipudebug 7", {"numpy": "2.1"}, [str(tmp_path / f"{name}.jpg")], {"quiet": True}
        )
    text = " ".join(Page(render(comparison)).words)
    assert hashlib.sha256(b"cat").hexdigest() in text
    assert hashlib.sha256(b"dog").hexdigest() in text
    assert "numpy 2.1" in text
    assert "quiet: True" in text
    assert text.index("DIFFERENT INPUTS") < text.index("First suspicious layer")


def test_without_manifests_that_is_said(tmp_path):
    assert " ".join(Page(render(make_comparison(tmp_path))).words).count("none beside the dump") == 2


def test_five_hundred_layers_stay_small(tmp_path):
    assert len(render(make_many(tmp_path, 500)).encode()) < 3_000_000 / 3


DRIVER = """
"use strict";
(() => {
  document.body.offsetHeight;
  const told = {ready: performance.now()};
  const body = document.getElementById("layers").tBodies[0];
  const headings = [...document.querySelectorAll("#layers th")];
  const list = (column) => [...body.rows].filter((row) => !row.hidden).map((row) => row.cells[column].textContent);
  const click = (label) => headings.find((h) => h.textContent === label).querySelector("button").click();
  told.filterShown = !document.querySelector(".filter").hidden;
  told.count = document.getElementById("count").textContent;
  click("COS"); told.risingCos = list(5);
  click("COS"); told.fallingCos = list(5);
  click("name"); told.byName = list(1);
  click("#"); told.byIndex = list(0);
  const search = document.getElementById("search");
  search.value = "CONV equal"; search.dispatchEvent(new Event("input")); told.searched = list(1);
  search.value = ""; search.dispatchEvent(new Event("input"));
  const box = document.querySelector("input[value=equal]");
  box.click(); told.withoutEqual = list(1); box.click();
  told.all = list(1).length;
  told.resources = performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith("data:"));
  const out = document.createElement("pre");
  out.id = "told";
  out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(told))));
  document.body.append(out);
})();
"""


def drive(browser: Browser, folder, text: str) -> tuple[dict, list[str]]:
    """Open a page, use its table, and return what was seen there, and the console."""
    digest = base64.b64encode(hashlib.sha256(DRIVER.encode()).digest()).decode()
    page = folder / "page.html"
    text = text.replace("script-src ", f"script-src 'sha256-{digest}' ").replace(
        "</body>", f"<script>{DRIVER}</script></body>"
    )
    page.write_text(text, encoding="utf-8", errors="surrogateescape")
    dom, console = browser.dump(page)
    told = re.search(r'<pre id="told">([^<]*)</pre>', dom)
    assert told is not None, console
    return json.loads(base64.b64decode(told[1])), console


def test_a_real_browser_sorts_filters_and_searches(browser, tmp_path):
    told, console = drive(browser, tmp_path, render(make_comparison(tmp_path)))
    assert console == []
    assert told["filterShown"]
    assert told["count"] == "13 of 13 layers"
    finite = ["0.000000", "0.666667", "0.999992", *["1.000000"] * 7]
    assert told["risingCos"] == [*finite, "nan", "nan", "-"]
    assert told["fallingCos"] == [*finite[::-1], "nan", "nan", "-"]
    assert told["byName"].index("both zero") < told["byName"].index("equal") < told["byName"].index("suspicious")
    assert told["byIndex"] == [*map(str, range(12)), "-"]
    assert told["searched"][:2] == ["equal", "both zero"]
    assert "<script>alert(1)</script>" in told["searched"]
    assert "ok" not in told["searched"]
    assert told["withoutEqual"] == ["ok", "suspicious", "nan", "inf", "sizes"]
    assert told["all"] == 13
    assert told["resources"] == []


def test_a_real_browser_opens_five_hundred_layers_in_two_seconds(browser, tmp_path):
    text = render(make_many(tmp_path, 500))
    runs = [drive(browser, tmp_path, text) for _ in range(2)]
    assert [console for _, console in runs] == [[], []]
    assert min(told["ready"] for told, _ in runs) < 2000


def test_a_real_browser_paints_the_page(browser, tmp_path):
    from PIL import Image

    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(render(make_many(tmp_path, 60)), encoding="utf-8")
    browser.run(page, "--window-size=1280,1800", f"--screenshot={picture}")
    image = Image.open(picture).convert("RGB")
    assert image.size == (1280, 1800)
    colours = {colour: count for count, colour in image.getcolors(1 << 20)}
    assert colours[0xFA, 0xF9, 0xF6] > 100_000  # paper
    assert colours[0xC3, 0x27, 0x2F] > 300  # what is suspicious
    assert colours[0x2B, 0x62, 0xC4] > 100  # what is not


def test_rendering_five_hundred_layers_takes_no_time(tmp_path):
    comparison = make_many(tmp_path, 500)
    rows = list(comparison)
    begin = time.perf_counter()
    render(comparison, rows)
    assert time.perf_counter() - begin < 5


def test_what_the_models_add_is_drawn(tmp_path):
    """The table of shares, the parts in the table of layers, and a graph from the model where the dumps tell none."""
    comparison = make_many(tmp_path, 4)
    rows = list(comparison)
    names = [row.name for row in rows]
    layers = [
        LayerBlame(names[0], 0.01, 0.01, 0.0, 0.0, share=0.02),
        LayerBlame(names[1], 0.4, 0.39, 0.01, 0.01, share=0.9, jump=12),
        LayerBlame(names[2], 0.9, 0.02, 0.89, 0.3, alone=0.02, share=0.1),
        LayerBlame(names[3], 0.1, 0.01, 0.09, 0.9, share=-0.02),
    ]
    diagnosis = replace(
        diagnose_rows(comparison, rows),
        blame=Blame(tuple(layers), ("<prob>",), 0.0),
        parents={1: (0,), 2: (1,), 3: (0,)},
    )
    text = "".join(REPORTS["html"].with_diagnosis(diagnosis).render(comparison, rows))
    page = Page(text)
    words = " ".join(page.words)
    assert page.open == []
    assert "Where the error of <prob> comes from" in words
    assert "amplifies \u00d73" in words
    assert [
        attrs["style"] for tag, attrs in page.elements if tag == "i" and "width:100.0%" in (attrs.get("style") or "")
    ]
    assert re.findall(r'<rect class="p (role-[\w-]+)"', text) == [
        "role-originates", "role-originates", "role-amplifies", "role-absorbs",
    ]  # fmt: skip
    assert text.count('<path class="edge') == 3
    assert re.findall(r'<td><span class="role [\w-]+" title="[^"]*">([^<]*)', text) == [
        "originates", "originates", "amplifies", "absorbs",
    ]  # fmt: skip


def test_without_models_what_changes_clearly_is_coloured(tmp_path):
    comparison = make(tmp_path, *RESIDUAL)
    text = render(comparison)
    assert re.findall(r'<rect class="p ([\w-]+)"', text) == ["equal", "role-changes-clearly", "equal"]
    legend = re.search(r'<p class="legend">(.*?)</p>', text)
    assert legend is not None
    assert re.sub(r"<[^>]*>", " ", legend[1]).split() == ["changes", "clearly", "equal"]
