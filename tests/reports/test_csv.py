from __future__ import annotations

import csv
import io

import pytest

from ipudebug.reports import REPORTS
from tests.reports.every_row import make_comparison

EXPECTED = r'''index,name,op_type,shape,status,mse,cos,rmse,note
0,ok,CONV_2D,"[1, 4]",ok,0.000244140625,0.999992468,0.003125,
1,suspicious,CONV_2D,"[1, 4]",suspicious,5,0.666666667,0.8,
2,equal,CONV_2D,"[1, 4]",equal,0,1,0,
3,both zero,CONV_2D,"[1, 2]",equal,0,0,nan,
4,nan,CONV_2D,"[1, 4]",nan,nan,nan,nan,
5,inf,CONV_2D,"[1, 4]",inf,inf,nan,inf,
,sizes,CONV_2D,"[1, 3]",uncompared,,,,"sizes differ: sample [1, 3] has 3 elements, benchmark [1, 4] 4"
6,a|b*c_d`,CONV_2D,"[1, 2]",equal,0,1,0,
7,<script>alert(1)</script>,CONV_2D,"[1, 2]",equal,0,1,0,
8,"esc\x1b[31m\x07, ""quoted""",CONV_2D,"[1, 2]",equal,0,1,0,
9,tab\tname\r,CONV_2D,"[1, 2]",equal,0,1,0,
10,raw??,CONV_2D,"[1, 2]",equal,0,1,0,
11,größe\u2028,CONV_2D,"[1, 2]",equal,0,1,0,
'''.replace("??", "\udcff\udcc3")


def test_the_whole_text(tmp_path):
    comparison = make_comparison(tmp_path)
    assert "".join(REPORTS["csv"].render(comparison, comparison)) == EXPECTED


def test_it_parses_back_to_the_numbers(tmp_path):
    comparison = make_comparison(tmp_path, metrics=["gain", "p99_abs"])
    rows = list(comparison)
    parsed = list(csv.DictReader(io.StringIO("".join(REPORTS["csv"].render(comparison, rows)))))
    assert len(parsed) == len(rows)
    for line, row in zip(parsed, rows, strict=True):
        assert line["status"] == row.status
        assert (line["index"] == "") == (row.index < 0)
        for name, value in row.values.items():
            assert float(line[name]) == pytest.approx(value, rel=1e-8, nan_ok=True)
