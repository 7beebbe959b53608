"""The report of covariates as frames and as a picture."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline

HORIZON = 5


@pytest.fixture(scope="module")
def report():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    random = np.random.default_rng(0)
    tables = [random.normal(size=(100 + HORIZON, 2)).clip(-1, 1) for _ in range(2)]
    series = [table[:100, 0] + random.normal(size=100) for table in tables]
    return pipe.predict(series, HORIZON, known=tables, covariates="always").covariates


def test_a_row_for_each_series(report):
    frame = report.to_frame()
    assert frame["series"].tolist() == [0, 1] and (frame["windows"] >= 2).all()
    weights = frame.filter(like="weight ")
    assert weights.columns[0] == "weight univariate"
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    # Logarithms of negative values are none.
    assert (weights.filter(like="log") == 0).all(axis=None)


def test_a_row_for_each_effect(report):
    frame = report.effects_frame()
    assert len(frame) == 2 * 2 * HORIZON
    one = frame[(frame["series"] == 1) & (frame["column"] == 0)]
    assert one["step"].tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(one["effect"], report.effects[1][0])


def test_a_line_for_each_column(report):
    pytest.importorskip("matplotlib").use("Agg")
    axes = report.plot(series=1)
    lines = [line for line in axes.lines if len(line.get_xdata()) == HORIZON]
    np.testing.assert_array_equal(lines[0].get_ydata(), report.effects[1][0])
    assert len(lines) == 2
