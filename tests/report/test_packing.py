import numpy as np
import pandas as pd
from report_cases import unpacked

from timer_forecaster.report.detail import Detail
from timer_forecaster.report.packing import Pool, packed_chart
from timer_forecaster.report.series import Chart, Fan

LEVELS = (0.1, 0.5, 0.9)


def chart(steps=300, horizon=12, **more):
    rng = np.random.default_rng(0)
    values = rng.normal(size=steps).cumsum()
    quantiles = values[-1] + np.array([-1.0, 0.0, 1.0]) + rng.normal(size=(horizon, 1)) / 9
    times = pd.RangeIndex(steps + horizon)
    return Chart("a", times, values, [Fan(steps, LEVELS, quantiles)], **more)


def test_values_and_quantiles_survive():
    one = chart()
    packed = packed_chart(one, Detail(9, 1, 4000, 800), [], Pool())
    assert (packed["l"], packed["b"]) == (300, 0)
    np.testing.assert_allclose(unpacked(packed["v"], packed["e"]), one.values, atol=1e-3)
    (fan,) = packed["f"]
    assert (fan["s"], fan["n"]) == (300, [0.1, 0.5, 0.9])
    found = np.stack([unpacked(curve, packed["e"]) for curve in fan["q"]], axis=1)
    np.testing.assert_allclose(found, one.fans[0].quantiles, atol=1e-3)


def test_long_histories_become_blocks():
    one = chart(3001)
    packed = packed_chart(one, Detail(9, 1, 100, 50), [], Pool())
    assert packed["b"] == packed["k"] * len(packed["lo"]) <= 2901
    assert len(packed["lo"]) <= 50 and len(packed["v"]) == 3001 - packed["b"]
    early = one.values[: packed["b"]].reshape(-1, packed["k"])
    np.testing.assert_allclose(unpacked(packed["lo"], packed["e"]), early.min(axis=1), atol=1e-2)
    np.testing.assert_allclose(unpacked(packed["hi"], packed["e"]), early.max(axis=1), atol=1e-2)


def test_long_forecasts_keep_some_steps_and_the_last():
    packed = packed_chart(chart(horizon=100), Detail(3, 7, 100, 50), [], Pool())
    (fan,) = packed["f"]
    assert fan["k"] == 7
    assert fan["s"] + 7 * (len(fan["q"][0]) - 1) == 300 + 99


def test_windows_of_the_past_are_drawn_step_by_step():
    one = chart(3000)
    early = Fan(1000, LEVELS, one.fans[0].quantiles)
    packed = packed_chart(
        Chart("a", one.times, one.values, [early, *one.fans]), Detail(9, 1, 100, 50), [], Pool()
    )
    assert packed["b"] <= 1000 - 36


def test_covariates_are_numbers_or_categories_and_stored_once():
    numbers, texts = np.arange(312.0), np.array(["", "fair"] * 156, dtype=object)
    numbers[3] = np.nan
    texts[5] = None
    pool = Pool()
    columns = {"price": numbers, "<b>": texts}
    packed = packed_chart(chart(columns=columns), Detail(9, 1, 4000, 800), [], pool)
    again = packed_chart(chart(columns=columns), Detail(9, 1, 4000, 800), [], pool)
    assert packed["x"] == again["x"] == [0, 1]
    price, fair = pool.items
    np.testing.assert_allclose(unpacked(price["v"], price["e"]), numbers, atol=0.1)
    assert [None if k is None else fair["n"][k] for k in fair["v"]] == texts.tolist()


def test_marked_steps_keep_their_values_in_blocks():
    one = chart(2000)
    odd = np.zeros(2000, dtype=bool)
    odd[[5, 1990]] = True
    expected = Fan(0, LEVELS, np.stack([one.values - 1, one.values, one.values + 1], axis=1))
    marked = Chart("a", one.times, one.values, [expected], odd=odd)
    packed = packed_chart(marked, Detail.of([marked], 2000), [], Pool())
    assert packed["b"] > 1000
    assert packed["f"][0]["s"] == packed["b"]
    assert [step for step, _ in packed["o"]] == [5, 1990]
    found = unpacked([whole for _, whole in packed["o"]], packed["e"])
    np.testing.assert_allclose(found, one.values[[5, 1990]], atol=1e-2)


def test_bounds_that_are_far_away_do_not_make_values_coarse():
    one = chart(50, horizon=0)
    far = np.stack([one.values - 1e9, one.values, np.full(50, np.inf)], axis=1)
    marked = Chart("a", one.times, one.values, [Fan(0, LEVELS, far)], odd=np.zeros(50, bool))
    packed = packed_chart(marked, Detail(9, 1, 4000, 800), [], Pool())
    np.testing.assert_allclose(unpacked(packed["v"], packed["e"]), one.values, atol=1e-2)
    (fan,) = packed["f"]
    np.testing.assert_allclose(unpacked(fan["q"][0], packed["e"]), far[:, 0])
    assert fan["q"][2] == [None] * 50
