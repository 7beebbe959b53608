import numpy as np
import pytest

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference import beside
from timer_forecaster.inference.covariates import CovariateOptions, CovariateWarning
from timer_forecaster.inference.options import ForecastOptions

OPTIONS = ForecastOptions()


@pytest.fixture
def pipeline():
    release()
    return ForecastPipeline.from_pretrained("timer-s1-test")


def question(seed=0, n=2, horizon=4, **changes):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 100 + horizon))
    series = [3 * own[:100] + rng.normal(size=100).cumsum() for own in x]
    kinds = np.array(list("uv") * (50 + horizon // 2), dtype=object)
    known = [{"x": own, "kind": kinds[: len(own)]} for own in x]
    whole = beside.Question(series, horizon, known, [{}] * n, [(24.0,)] * n, ["one", "two"][:n])
    return whole._replace(**changes)


def test_the_same_question_is_computed_once(pipeline, calls):
    first = beside.predict(pipeline, question(), OPTIONS)
    assert beside.predict(pipeline, question(), OPTIONS) is first
    one = question()
    expected = pipeline.predict(one.series, 4, known=one.known, cycles=[(24.0,)] * 2)
    np.testing.assert_array_equal(first.quantiles, expected.quantiles)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "other",
    [
        lambda q: (q._replace(known=[{**q.known[0], "x": q.known[0]["x"] + 1}, q.known[1]]), {}),
        lambda q: (q._replace(known=[{**t, "kind": t["kind"][::-1]} for t in q.known]), {}),
        lambda q: (q._replace(known=[{**t, "z": t["x"]} for t in q.known]), {}),
        lambda q: (q._replace(cycles=[(12.0,)] * 2), {}),
        lambda q: (q, {"covariates": CovariateOptions(windows=3)}),
        lambda q: (q._replace(known=[{}, {}]), {}),
    ],
)
def test_another_question_is_another_forecast(pipeline, calls, other):
    beside.predict(pipeline, question(), OPTIONS)
    asked, options = other(question())
    beside.predict(pipeline, asked, ForecastOptions(**options))
    assert len(calls) == 2


def test_prefetched_answers_are_recalled(pipeline, calls):
    asked = [question(0), question(1), question(2, n=1, horizon=6)]
    beside.prefetch(pipeline, asked, OPTIONS)
    assert len(calls) == 2  # one for each horizon
    answers = [beside.predict(pipeline, one, OPTIONS) for one in asked]
    assert len(calls) == 2
    release()
    for one, answer in zip(asked, answers, strict=True):
        alone = beside.predict(pipeline, one, OPTIONS)
        np.testing.assert_allclose(answer.quantiles, alone.quantiles, rtol=1e-5)
        np.testing.assert_allclose(answer.covariates.weights, alone.covariates.weights, atol=1e-5)
        assert answer.covariates.columns == alone.covariates.columns


def test_warnings_name_the_series(pipeline):
    one = question()
    tables = [{**table, "flat": np.ones(104)} for table in one.known]
    with pytest.warns(CovariateWarning, match="2 series, first one"):
        beside.predict(pipeline, one._replace(known=tables), OPTIONS)
