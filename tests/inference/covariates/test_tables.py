"""Tables of covariates, and forecasts with covariates in the memory."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference import memo
from timer_forecaster.inference.covariates import CovariateWarning
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.options import ForecastOptions

RNG = np.random.default_rng(0)
COLUMNS = RNG.normal(size=(206, 2))
SERIES = 10 + np.sin(np.arange(200) / 3) + 2 * COLUMNS[:200, 0]
KNOWN = {"a": COLUMNS[:, 0], "b": COLUMNS[:, 1]}


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="float64")


@pytest.mark.parametrize(
    "other",
    [
        {"a": COLUMNS[:, 0]},
        {"a": COLUMNS[:, 0], "c": COLUMNS[:, 1]},
        {"a": COLUMNS[:, 0], "b": COLUMNS[::-1, 1]},
        {"a": COLUMNS[:, 0], "b": COLUMNS[:, 1].astype("float32")},
        pd.DataFrame({"a": COLUMNS[:, 0], "b": COLUMNS[:, 1].astype(str)}),
        COLUMNS,
    ],
)
def test_digests_tell_tables_apart(other):
    tables = Tables(known=[KNOWN, other, dict(KNOWN)])
    assert tables.digest(0) == tables.digest(2) != tables.digest(1)
    assert Tables(past=[KNOWN]).digest(0) != tables.digest(0)
    assert Tables(known=[KNOWN], cycles=[(7.0,)]).digest(0) != tables.digest(0)
    assert Tables(known=[KNOWN], categories=("a",)).digest(0) != tables.digest(0)


def test_the_memory_forecasts_and_recalls_with_covariates(pipe, monkeypatch):
    release()
    calls, predict = [], ForecastPipeline.predict
    monkeypatch.setattr(
        ForecastPipeline,
        "predict",
        lambda self, series, *args, **kwargs: (
            calls.append(len(series)) or predict(self, series, *args, **kwargs)
        ),
    )
    late = np.concatenate([np.full(9, np.nan), SERIES])
    many = [SERIES, late, np.full(5, np.nan), SERIES]
    tables = Tables(known=[KNOWN, KNOWN, KNOWN, COLUMNS[::-1]], cycles=[(7.0,)] * 4)
    found = [memo.predict(pipe, many, 6, unobserved="nan", tables=tables) for _ in range(2)]
    assert calls == [2]
    expected = predict(pipe, [SERIES, SERIES], 6, known=[KNOWN, COLUMNS[::-1]], cycles=(7.0,))
    assert np.isnan(found[0].quantiles[2]).all()
    for forecast in found:
        np.testing.assert_allclose(forecast.quantiles[[0, 3]], expected.quantiles, atol=1e-9)
        np.testing.assert_array_equal(forecast.quantiles[0], forecast.quantiles[1])
    off = memo.predict(
        pipe, [SERIES], 6, ForecastOptions(covariates="off"), tables=tables.take([0])
    )
    np.testing.assert_array_equal(off.quantiles, predict(pipe, [SERIES], 6).quantiles)
    np.testing.assert_allclose(
        predict(pipe, [late], 6, known=[KNOWN], cycles=(7.0,)).quantiles[0],
        expected.quantiles[0],
        atol=1e-9,
    )


def test_the_memory_numbers_series_in_warnings_and_errors_as_the_caller_does(pipe):
    constant = KNOWN | {"flat": np.ones(206)}
    many = [SERIES, SERIES, SERIES]
    with pytest.warns(CovariateWarning, match=r"'flat' is constant.*of series\[2\]"):
        memo.predict(pipe, many, 6, tables=Tables(known=[KNOWN, KNOWN, constant]))
    infinite = KNOWN | {"a": np.full(206, np.inf)}
    tables = Tables(known=[KNOWN, KNOWN, infinite])
    with pytest.raises(ValueError, match=r"known\[2\] column 'a' is infinite"):
        memo.predict(pipe, many, 6, tables=tables)
    found = memo.predict(pipe, many, 6, on_error="nan", tables=tables)
    assert list(found.failures) == [2]
    assert np.isnan(found.quantiles[2]).all() and np.isfinite(found.quantiles[:2]).all()
