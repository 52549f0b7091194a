from __future__ import annotations

from ipudebug.reports import REPORTS
from tests.reports.every_row import make_comparison

EXPECTED = r"""   0) ok                           MSE: 0.000244    COS: 0.999992    RMSE: 0.003125
   1) suspicious                   MSE: 5.000000    COS: 0.666667    RMSE: 0.800000
   2) equal                        MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
   3) both zero                    MSE: 0.000000    COS: 0.000000    RMSE: nan
   4) nan                          MSE: nan    COS: nan    RMSE: nan
   5) inf                          MSE: inf    COS: nan    RMSE: inf
   6) a|b*c_d`                     MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
   7) <script>alert(1)</script>    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
   8) esc\x1b[31m\x07, "quoted"    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
   9) tab\tname\r                  MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
  10) raw??                        MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
  11) größe\u2028                  MSE: 0.000000    COS: 1.000000    RMSE: 0.000000
""".replace("??", "\udcff\udcc3")
PAGE = [("data", [1.0], [1.0]), ("conv3_1/linear/bn_xx01", [1.0], [1.0])]


def render(comparison, rows=None):
    return "".join(REPORTS["rows"].render(comparison, comparison if rows is None else rows))


def test_the_whole_text(tmp_path):
    assert render(make_comparison(tmp_path)) == EXPECTED


def test_a_row_of_the_page_byte_by_byte(tmp_path):
    """SPEC 7.3: with a longest name of 23 characters, 19 blanks and 4 follow ``data``."""
    longest = ("x" * 23, [1.0], [1.0])
    text = render(make_comparison(tmp_path, [PAGE[0], longest]))
    assert text.splitlines()[0] == (
        "   0) data" + " " * 19 + " " * 4 + "MSE: 0.000000" + " " * 4 + "COS: 1.000000" + " " * 4 + "RMSE: 0.000000"
    )
    assert {line.index("MSE") for line in text.splitlines()} == {6 + 23 + 4}


def test_an_index_of_five_digits_widens_its_column(tmp_path):
    comparison = make_comparison(tmp_path, [("a", [1.0], [1.0])])
    (row,) = comparison
    wide = type(row)(12345, row.name, row.sample, row.benchmark, row.values)
    assert render(comparison, [wide]) == "12345) a    MSE: 0.000000    COS: 1.000000    RMSE: 0.000000\n"


def test_further_metrics_follow_the_vendors_three(tmp_path):
    comparison = make_comparison(tmp_path, [("a", [2.0, 4], [1.0, 2])], metrics=["gain", "rmse", "sqnr"])
    assert render(comparison) == (
        "   0) a    MSE: 2.500000    COS: 1.000000    RMSE: 1.000000    GAIN: 2.000000    SQNR: 0.000000\n"
    )


def test_a_selection_is_as_wide_as_its_own_longest_name(tmp_path):
    comparison = make_comparison(tmp_path)
    assert render(comparison, list(comparison)[:1]) == "   0) ok    MSE: 0.000244    COS: 0.999992    RMSE: 0.003125\n"
