import numpy as np
import pandas as pd
import pytest

from timer_forecaster.report import ScoreTable
from timer_forecaster.report.tables import cell_text


def test_cells_and_heads():
    frame = pd.DataFrame({"<id>": ["a & b"], "MASE": [np.nan], "n": [1234], "ok": [True]})
    text = ScoreTable("Scores", frame).markup(2)
    assert '<th scope="col">&lt;id&gt;</th>' in text
    assert '<th scope="row">a &amp; b</th><td>–</td><td>1,234</td><td>yes</td>' in text
    assert "<details" not in text
    assert "<details" in ScoreTable("Scores", frame, folded=True).markup(2)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (-12.345, "-12.3"), (4567.8, "4,568"), (1e12, "1e+12"), ("a", "a")],
)
def test_numbers_are_short(value, text):
    assert cell_text(value) == text
