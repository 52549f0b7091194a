from __future__ import annotations

from ipudebug.reports import REPORTS
from tests.reports.every_row import make_comparison

EXPECTED = r"""  #  name                       op       shape         MSE       COS      RMSE  remarks
---  -------------------------  -------  -------  --------  --------  --------  --------------------------------------------------------------------------
  0  ok                         CONV_2D  [1, 4]   0.000244  0.999992  0.003125
  1  suspicious                 CONV_2D  [1, 4]   5.000000  0.666667  0.800000  suspicious
  2  equal                      CONV_2D  [1, 4]   0.000000  1.000000  0.000000  equal
  3  both zero                  CONV_2D  [1, 2]   0.000000  0.000000       nan  equal
  4  nan                        CONV_2D  [1, 4]        nan       nan       nan  NaN: 1 in the sample, 1 in the benchmark
  5  inf                        CONV_2D  [1, 4]        inf       nan       inf  Inf: 1 in the sample, 0 in the benchmark
  -  sizes                      CONV_2D  [1, 3]          -         -         -  uncompared; sizes differ: sample [1, 3] has 3 elements, benchmark [1, 4] 4
  6  a|b*c_d`                   CONV_2D  [1, 2]   0.000000  1.000000  0.000000  equal
  7  <script>alert(1)</script>  CONV_2D  [1, 2]   0.000000  1.000000  0.000000  equal
  8  esc\x1b[31m\x07, "quoted"  CONV_2D  [1, 2]   0.000000  1.000000  0.000000  equal
  9  tab\tname\r                CONV_2D  [1, 2]   0.000000  1.000000  0.000000  equal
 10  raw??                      CONV_2D  [1, 2]   0.000000  1.000000  0.000000  equal
 11  größe\u2028                CONV_2D  [1, 2]   0.000000  1.000000  0.000000  equal
""".replace("??", "\udcff\udcc3")  # noqa: E501  # the table is that wide


def test_the_whole_text(tmp_path):
    comparison = make_comparison(tmp_path)
    assert "".join(REPORTS["table"].render(comparison, comparison)) == EXPECTED


def test_an_empty_selection_has_its_headings(tmp_path):
    comparison = make_comparison(tmp_path)
    text = "".join(REPORTS["table"].render(comparison, []))
    assert text.splitlines()[0].split() == ["#", "name", "op", "shape", "MSE", "COS", "RMSE", "remarks"]
