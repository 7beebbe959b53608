"""The series of a picture."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.report import Chart, Fan


def chart(**parts):
    fan = Fan(5, [0.1, 0.9], np.ones((2, 2)))
    given = {"times": pd.RangeIndex(7), "values": np.arange(5.0), "fans": [fan]} | parts
    return Chart("sales", **given)


def test_parts_that_fit():
    whole = chart(columns={"price": np.arange(7)}, odd=np.zeros(5, dtype=bool))
    assert len(whole.times) == 7


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"values": np.arange(8.0)}, "values reaches to step 8, and times has 7"),
        ({"times": pd.RangeIndex(6)}, r"fans\[0\] reaches to step 7, and times has 6"),
        ({"columns": {"price": range(9)}}, r"columns\['price'\] reaches to step 9, and times"),
        ({"odd": np.zeros(7, dtype=bool)}, "odd has 7 steps, and values has 5"),
    ],
)
def test_parts_of_other_lengths_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        chart(**parts)


@pytest.mark.parametrize("quantiles", [np.ones((2, 3)), np.ones(2)])
def test_quantiles_of_other_levels_are_refused(quantiles):
    with pytest.raises(ValueError, match=r"quantiles has shape .* with 2 levels"):
        Fan(0, [0.1, 0.9], quantiles)
