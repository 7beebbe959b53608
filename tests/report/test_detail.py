import numpy as np
import pandas as pd
import pytest

from timer_forecaster.report.detail import Detail, chosen_levels
from timer_forecaster.report.series import Chart, Fan

NINE = tuple(np.arange(1, 10) / 10)


def charts(number, steps, horizon, levels=NINE):
    fan = Fan(steps, levels, np.zeros((horizon, len(levels))))
    return [Chart("a", pd.RangeIndex(steps + horizon), np.zeros(steps), [fan])] * number


def test_few_series_are_drawn_in_full():
    detail = Detail.of(charts(1, 3000, 168))
    assert (detail.levels, detail.every, detail.newest) == (9, 1, 4000)
    assert not detail.thinned
    assert "blocks" not in detail.sentence and "one of" not in detail.sentence


@pytest.mark.parametrize(("number", "horizon"), [(500, 24), (500, 168), (500, 2000), (50, 5000)])
def test_values_stay_within_the_room(number, horizon):
    detail = Detail.of(charts(number, 10_000, horizon))
    forecast = -(-horizon // detail.every) * min(9, detail.levels)
    each = forecast + detail.newest + 2 * detail.blocks
    assert number * each <= 1.2 * 1_200_000
    assert "lowest and the highest" in detail.sentence


def test_levels_go_before_steps():
    assert Detail.of(charts(500, 100, 300)).every == 1
    assert Detail.of(charts(500, 100, 300)).levels < 9


@pytest.mark.parametrize(
    ("levels", "most", "kept"),
    [
        (NINE, 9, NINE),
        (NINE, 3, (0.1, 0.5, 0.9)),
        (NINE, 1, (0.5,)),
        ((0.05, *NINE, 0.95), 5, (0.05, 0.3, 0.5, 0.7, 0.95)),
        ((0.5, 0.9, 0.1), 9, (0.1, 0.5, 0.9)),
        ((0.2,), 3, (0.2,)),
    ],
)
def test_the_outermost_pair_and_the_median_stay(levels, most, kept):
    found = [levels[place] for place in chosen_levels(levels, most)]
    np.testing.assert_allclose(found[0], kept[0])
    np.testing.assert_allclose(found[-1], kept[-1])
    assert len(found) == len(kept)
