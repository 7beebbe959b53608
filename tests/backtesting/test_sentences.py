"""The sentence about a backtest."""

import numpy as np
import pytest

from timer_forecaster.backtesting.sentences import sentence

NAN = np.nan


def said(ratios, series, steps, names=("a", "b", "c")):
    return sentence("mini", ratios, 12, (list(names), np.array(series)), np.array(steps))


@pytest.mark.parametrize(
    ("ratios", "start"),
    [
        ((0.7, 0.8), "mini beats Seasonal Naive on these data: over 12 windows of 3 series, its "),
        ((1.7, 1.8), "mini does not beat Seasonal Naive on these data: "),
        ((0.7, 1.8), "mini beats Seasonal Naive on these data in one score, and not in the other"),
        ((0.7, NAN), "mini beats Seasonal Naive on these data: "),
        ((NAN, np.inf), "These data do not tell whether mini beats Seasonal Naive: "),
    ],
)
def test_who_is_better(ratios, start):
    assert said(ratios, [0.5, 0.5, 0.5], [0.5]).startswith(start)


def test_no_window_is_no_zero():
    text = sentence("mini", (NAN, NAN), 0, ([], np.array([])), np.array([NAN]))
    assert text.endswith("whether mini beats Seasonal Naive: it failed in every window.")


def test_how_much():
    text = said((0.75, 1.004), [1, 1, 1], [1, 1])
    assert "weighted quantile loss is 25 % lower, and its MASE is 0.4 % higher" in text
    assert "its MASE is the same" in said((0.5, 1.0), [1, 1, 1], [1])
    assert "MASE" not in said((0.5, NAN), [1, 1, 1], [1])


def test_where_not():
    better = said((0.5, 0.5), [0.5, 0.5, NAN], [0.5, 0.9])
    assert better.endswith("it is better on every series and at every step.")
    worse = said((0.5, 0.5), [1.5, 0.5, 1.0], [1.1, 1.2, 0.5, 2, 0.5])
    assert worse.endswith("not better on 2 of 3 series (a, c) and at steps 1 to 2, 4 of 5.")
    one = said((0.5, 0.5), [1.5], [0.9, 1.2], names=["a"])
    assert one.endswith("it is not better on 1 of 1 series and at step 2 of 2.")
