from __future__ import annotations

import re

from ipudebug.reports import REPORTS
from tests.reports.every_row import make_comparison

EXPECTED = r"""|   # | name                          | op       | shape    |      MSE |      COS |     RMSE | remarks                                                                        |
|-----|-------------------------------|----------|----------|----------|----------|----------|--------------------------------------------------------------------------------|
|   0 | ok                            | CONV\_2D | \[1, 4\] | 0.000244 | 0.999992 | 0.003125 |                                                                                |
|   1 | suspicious                    | CONV\_2D | \[1, 4\] | 5.000000 | 0.666667 | 0.800000 | suspicious                                                                     |
|   2 | equal                         | CONV\_2D | \[1, 4\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
|   3 | both zero                     | CONV\_2D | \[1, 2\] | 0.000000 | 0.000000 |      nan | equal                                                                          |
|   4 | nan                           | CONV\_2D | \[1, 4\] |      nan |      nan |      nan | NaN: 1 in the sample, 1 in the benchmark                                       |
|   5 | inf                           | CONV\_2D | \[1, 4\] |      inf |      nan |      inf | Inf: 1 in the sample, 0 in the benchmark                                       |
|   - | sizes                         | CONV\_2D | \[1, 3\] |        - |        - |        - | uncompared; sizes differ: sample \[1, 3\] has 3 elements, benchmark \[1, 4\] 4 |
|   6 | a\|b\*c\_d\`                  | CONV\_2D | \[1, 2\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
|   7 | \<script\>alert(1)\</script\> | CONV\_2D | \[1, 2\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
|   8 | esc\\x1b\[31m\\x07, "quoted"  | CONV\_2D | \[1, 2\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
|   9 | tab\\tname\\r                 | CONV\_2D | \[1, 2\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
|  10 | raw??                         | CONV\_2D | \[1, 2\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
|  11 | größe\\u2028                  | CONV\_2D | \[1, 2\] | 0.000000 | 1.000000 | 0.000000 | equal                                                                          |
""".replace("??", "\udcff\udcc3")  # noqa: E501  # the table is that wide


def render(comparison, rows=None):
    return "".join(REPORTS["markdown"].render(comparison, comparison if rows is None else rows))


def test_the_whole_text(tmp_path):
    assert render(make_comparison(tmp_path)) == EXPECTED


def test_every_line_has_as_many_cells_as_the_head_whatever_the_names(tmp_path):
    names = ["|", "\\|", "||", "a\\", "`|`", "**b**", "&lt;b&gt;", "$x$", "~~s~~", "![i](u)", "#1", "\x1b]8;;\x07"]
    text = render(make_comparison(tmp_path, [(name, [1.0], [1.0]) for name in names]))
    cells = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in text.splitlines()}
    assert cells == {9}
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_<>$~&]", "\n".join(text.splitlines()[2:]))
