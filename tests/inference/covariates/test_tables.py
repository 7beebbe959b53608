"""Tables of covariates, and forecasts with covariates in the memory."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference import memo
from timer_forecaster.inference.covariates import CovariateOptions, CovariateWarning
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.inference.memo import Question
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


def question(seed=0, n=2, horizon=4, **changes):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 100 + horizon))
    series = [3 * own[:100] + rng.normal(size=100).cumsum() for own in x]
    kinds = np.array(list("uv") * (50 + horizon // 2), dtype=object)
    known = [{"x": own, "kind": kinds} for own in x]
    tables = Tables(known, cycles=[(24.0,)] * n, names=["one", "two"][:n])
    return Question(series, horizon, tables._replace(**changes))


def ask(pipe, asked, **options):
    series, horizon, tables, _ = asked
    return memo.predict(pipe, series, horizon, ForecastOptions(**options), tables=tables)


def test_the_same_question_is_computed_once(pipe, calls):
    first = ask(pipe, question())
    assert ask(pipe, question()).quantiles is first.quantiles
    series, _, tables, _ = question()
    expected = pipe.predict(series, 4, known=tables.known, cycles=[(24.0,)] * 2)
    np.testing.assert_array_equal(first.quantiles, expected.quantiles)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda known: {"known": [{**known[0], "x": known[0]["x"] + 1}, known[1]]},
        lambda known: {"known": [{**table, "kind": table["kind"][::-1]} for table in known]},
        lambda known: {"known": [{**table, "z": table["x"]} for table in known]},
        lambda known: {"known": [{}, {}], "past": [{}, {}]},
        lambda known: {"cycles": [(12.0,)] * 2},
    ],
)
def test_another_question_is_another_forecast(pipe, calls, change):
    ask(pipe, question())
    ask(pipe, question(**change(question().tables.known)))
    ask(pipe, question(), covariates=CovariateOptions(windows=3))
    assert len(calls) == 3


def test_prefetched_answers_are_recalled(pipe, calls):
    asked = [question(0), question(1), question(2, n=1, horizon=6)]
    plain = asked[0]._replace(tables=None)
    memo.prefetch(pipe, [*asked, plain])
    assert len(calls) == 3  # one for each horizon, and one without covariates
    answers = [ask(pipe, one) for one in (*asked, plain)]
    assert len(calls) == 3
    release()
    for one, answer in zip((*asked, plain), answers, strict=True):
        np.testing.assert_allclose(answer.quantiles, ask(pipe, one).quantiles, rtol=1e-5)


def test_prefetched_failures_are_recalled_for_their_series(pipe, calls):
    bad = question(1)
    bad.tables.known[1]["x"][3] = np.inf
    memo.prefetch(pipe, [question(0), bad], on_error="nan")
    series, horizon, tables, _ = bad
    for names, name in ((None, "known[1]"), (["a", "b"], "b: known")):
        tables = tables._replace(names=names)
        found = memo.predict(pipe, series, horizon, on_error="nan", tables=tables)
        assert found.failures == {1: f"{name} column 'x' is infinite at row 3; NaN means missing"}
        assert np.isnan(found.quantiles[1]).all() and np.isfinite(found.quantiles[0]).all()
    assert not ask(pipe, question(0)).failures
    assert len(calls) == 1
    with pytest.raises(ValueError, match="b: known column 'x' is infinite"):
        memo.predict(pipe, series, horizon, tables=tables)


def test_warnings_name_the_series_once_for_all_pieces(pipe, monkeypatch):
    asked = question()
    flat = [{**table, "flat": np.ones(104)} for table in asked.tables.known]
    for most in (memo._MOST_VALUES, 100):
        release()
        monkeypatch.setattr(memo, "_MOST_VALUES", most)
        with pytest.warns(CovariateWarning) as caught:
            ask(pipe, question(known=flat))
        (text,) = [str(one.message) for one in caught if "'flat'" in str(one.message)]
        assert text.endswith("it is left out of one and 1 more")


def test_errors_have_the_words_of_the_door(pipe):
    series, horizon, tables, _ = question()
    known = [{"x": np.full(104, np.inf)}] * 2
    tables = tables._replace(known=known, roles={"known": "future_covariates"})
    with pytest.raises(ValueError, match="one: future_covariates column 'x' is infinite at row 0"):
        memo.predict(pipe, series, horizon, tables=tables)
