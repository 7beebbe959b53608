"""X in fit, update and predict: the forecast of the pipeline with the same columns."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from sktime.forecasting.compose import ForecastingPipeline, TransformedTargetForecaster
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.series.boxcox import LogTransformer
from sktime.transformations.series.exponent import ExponentTransformer
from sktime_cases import forecaster, walk

from timer_forecaster import release
from timer_forecaster.frames.calendar.periods import periods_of
from timer_forecaster.inference.covariates import CovariateOptions, CovariateWarning
from timer_forecaster.sktime import TimerS1Forecaster
from timer_forecaster.sktime import evaluate as timer_evaluate

pytestmark = pytest.mark.filterwarnings(
    "ignore::timer_forecaster.inference.covariates.CovariateWarning"
)

N, H = 150, 6
FH = range(1, H + 1)


def problem(n=N, seed=0, start="2024-01-01"):
    """Return y of n steps, and X of n + 30 that explains much of it."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=n + 30, freq="h")
    X = pd.DataFrame(
        {
            "price": rng.normal(size=n + 30),
            "kind": pd.Categorical(rng.choice(["low", "mid", "high"], n + 30)),
            "seen": rng.normal(size=n + 30).cumsum(),
        },
        times,
    )
    effect = 4 * X["price"].to_numpy() + 5 * (X["kind"] == "high").to_numpy()
    y = pd.Series(walk(n + 30, seed) + 30 + effect, times, name="load")
    return y[:n], X


def panel(**parts):
    ys = {key: y.to_frame("load") for key, (y, _) in parts.items()}
    Xs = {key: X.astype({"kind": str}) for key, (_, X) in parts.items()}
    y, X = (pd.concat(each, names=["id", "t"]) for each in (ys, Xs))
    return y, X.astype({"kind": "category"})


def by_pipeline(pipeline, y, X, horizon, known=("price", "kind"), past=("seen",), **options):
    n, cycles = len(y), periods_of("h")
    return pipeline.predict(
        y.to_numpy(dtype=float),
        horizon,
        known=X[list(known)][: n + horizon] if known else None,
        past=X[list(past)][:n] if past else None,
        cycles=cycles,
        **options,
    )


# ---------------------------------------------------------------------------- the pipeline's answer


@pytest.mark.parametrize("fh", [FH, [2, 5]])
def test_every_question_has_the_answer_of_the_pipeline(pipeline, calls, fh):
    y, X = problem()
    expected = by_pipeline(pipeline, y, X, max(fh))
    at = np.array(list(fh)) - 1
    before = len(calls)
    fitted = forecaster().fit(y, X[:N])
    ahead = X[["kind", "price"]][N:]
    np.testing.assert_allclose(fitted.predict(fh, ahead), expected.median[0, at], rtol=1e-6)
    quantiles = fitted.predict_quantiles(fh, ahead, alpha=[0.1, 0.33]).to_numpy()
    np.testing.assert_allclose(quantiles[:, 1], expected.quantile(0.33)[0, at], rtol=1e-6)
    interval = fitted.predict_interval(fh, ahead, coverage=0.8).to_numpy()
    np.testing.assert_allclose(interval.T, [e[0, at] for e in expected.interval(0.8)], rtol=1e-6)
    variance = fitted.predict_var(fh, ahead).to_numpy()[:, 0]
    np.testing.assert_allclose(variance, expected.variance[0, at], rtol=1e-6)
    median = fitted.predict_proba(fh, ahead).ppf(0.5).to_numpy()[:, 0]
    np.testing.assert_allclose(median, expected.median[0, at], rtol=1e-6)
    copy.deepcopy(fitted).predict(fh, ahead)
    assert len(calls) == before + 1  # all questions share one answer
    plain = forecaster().fit(y).predict(fh)
    assert not np.allclose(plain, expected.median[0, at], rtol=1e-2)


def test_rows_are_taken_by_their_times(pipeline):
    y, X = problem()
    fitted = forecaster().fit(y, X[:N])
    ahead = X[["price", "kind"]][N : N + H]
    expected = fitted.predict(FH, ahead)
    odd = X[["price", "kind"]].copy()
    odd.iloc[N + H :, 0] = 1e6  # beyond the horizon
    odd.iloc[:N, 0] = 1e6  # the X of fit is first
    pd.testing.assert_series_equal(fitted.predict(FH, odd), expected)
    absolute = fitted.predict(pd.DatetimeIndex(X.index[N : N + H]), ahead)
    np.testing.assert_allclose(absolute, expected)
    # rows between the steps of fh may be absent, as sktime's splits leave them out
    with pytest.warns(CovariateWarning, match="missing values in the horizon"):
        sparse = fitted.predict([2, 5], ahead.iloc[[1, 4]])
    gaps = X.copy()
    gaps.loc[X.index[[N, N + 2, N + 3]], ["price", "kind"]] = np.nan
    expected = by_pipeline(pipeline, y, gaps, 5).median[0, [1, 4]]
    np.testing.assert_allclose(sparse, expected, rtol=1e-6)
    # so may be rows of the past
    holes = forecaster().fit(y, X[:N].drop(X.index[40:60])).predict(FH, ahead)
    gaps = X.copy()
    gaps.loc[X.index[40:60]] = np.nan
    np.testing.assert_allclose(holes, by_pipeline(pipeline, y, gaps, H).median[0], rtol=1e-6)


def test_off_and_no_X_give_the_plain_forecast_to_the_bit():
    y, X = problem()
    plain = forecaster().fit(y).predict(FH)
    off = forecaster(covariates="off").fit(y, X[:N])
    pd.testing.assert_series_equal(off.predict(FH), plain)
    pd.testing.assert_series_equal(off.predict(FH, X[N:]), plain)
    assert off._beside is None


@pytest.mark.parametrize("mode", ["always", "fast", CovariateOptions(windows=4)])
def test_covariates_reach_the_pipeline(pipeline, mode):
    y, X = problem()
    predicted = forecaster(covariates=mode).fit(y, X[:N]).predict(FH, X[N:])
    expected = by_pipeline(pipeline, y, X, H, tuple(X.columns), (), covariates=mode)
    np.testing.assert_allclose(predicted, expected.median[0], rtol=1e-6)
    assert forecaster(covariates=mode).clone().get_params()["covariates"] == mode


def test_columns_of_the_past_alone(pipeline):
    y, X = problem()
    fitted = forecaster().fit(y, X[:N])
    expected = by_pipeline(pipeline, y, X, H, (), tuple(X.columns)).median[0]
    np.testing.assert_allclose(fitted.predict(FH, X[[]][N:]), expected, rtol=1e-6)


def test_numbers_without_frequency_and_arrays(pipeline):
    y, X = problem()
    X = X[["price", "seen"]].to_numpy()
    fitted = forecaster().fit(y.to_numpy()[:140], X[:140]).update(y.to_numpy()[140:], X[140:N])
    predicted = fitted.predict(FH, X[N : N + H])
    expected = pipeline.predict(y.to_numpy(), H, known=X[: N + H]).median[0]
    np.testing.assert_allclose(predicted.ravel(), expected, rtol=1e-6)
    with pytest.raises(TypeError, match="X is an array, whose rows have no times"):
        fitted.update_predict_single(y.to_numpy()[:3], FH, X[:3])
    with pytest.raises(ValueError, match=r"X is an array, which has no times.*datetime64"):
        forecaster().fit(y, problem()[1][:N]).predict(FH, X[N : N + H])


# ----------------------------------------------------------------------------- panels, hierarchies


@pytest.mark.parametrize("levels", [2, 3])
def test_instances_keep_to_themselves(pipeline, levels):
    parts = {"b": problem(150, 1), "a": problem(120, 2, "2024-01-03")}
    y, X = panel(**parts)
    if levels == 3:
        y, X = (pd.concat({"all": part}, names=["top"]) for part in (y, X))
    past = X.loc[y.index]
    predicted = forecaster().fit(y, past).predict(FH, X.drop(columns="seen"))
    values = predicted.to_numpy().reshape(2, H)
    for own, (single, columns) in zip(values, parts.values(), strict=True):
        expected = by_pipeline(pipeline, single, columns, H).median[0]
        np.testing.assert_allclose(own, expected, rtol=1e-6)
    changed = X.drop(columns="seen").copy()
    of_a = changed.index.get_level_values("id") == "a"
    changed.loc[of_a, "price"] *= -3
    other = forecaster().fit(y, past).predict(FH, changed).to_numpy().reshape(2, H)
    np.testing.assert_allclose(other[0], values[0], rtol=1e-9)


def test_absolute_times_need_rows_as_far_as_each_instance_goes(pipeline):
    parts = {"a": problem(150, 1), "b": problem(147, 2)}
    y, X = panel(**parts)
    times = parts["a"][1].index
    ahead = X.drop(columns="seen")
    ahead = ahead[ahead.index.get_level_values("t") < times[153]]
    predicted = forecaster().fit(y, X).predict(times[150:153], ahead)
    for (key, (single, columns)), horizon in zip(parts.items(), (3, 6), strict=True):
        expected = by_pipeline(pipeline, single, columns, horizon).median[0, -3:]
        np.testing.assert_allclose(predicted.loc[key, "load"], expected, rtol=1e-6)


def test_all_variables_share_X(pipeline):
    y, X = problem()
    both = pd.DataFrame({"one": y, "two": y.to_numpy()[::-1]}, y.index)
    predicted = forecaster().fit(both, X).predict(FH, X.drop(columns="seen"))
    for name in both:
        expected = by_pipeline(pipeline, both[name], X, H).median[0]
        np.testing.assert_allclose(predicted[name], expected, rtol=1e-6)


def test_instances_without_usable_rows_are_nan_and_named():
    y, X = panel(a=problem(150, 1), b=problem(150, 2))
    ahead = X.drop(columns="seen")
    short = ahead.drop(("b", ahead.loc["b"].index[N + 2]))
    with pytest.raises(ValueError, match=r"X, instance 'b', has no row at 2024-01-07 08:00:00"):
        forecaster().fit(y, X).predict(FH, short)
    with pytest.warns(UserWarning, match="1 of 2 series have no forecast.*no row at 2024-01-07"):
        predicted = forecaster(on_error="nan").fit(y, X).predict(FH, short)
    assert predicted.loc["b", "load"].isna().all()
    expected = forecaster().fit(y, X).predict(FH, ahead)
    np.testing.assert_allclose(predicted.loc["a"], expected.loc["a"], rtol=1e-6)


def test_instances_without_any_row_are_nan_until_they_have_some():
    y, X = panel(a=problem(150, 1), b=problem(150, 2))
    ahead, fitted = X.drop(columns="seen"), forecaster(on_error="nan")
    with pytest.raises(ValueError, match="X, instance 'b', has no row at a time of y"):
        forecaster().fit(y, X.loc[["a"]])
    with pytest.warns(UserWarning, match="1 of 2 series have no forecast.*instance 'b', has no"):
        fitted.fit(y, X.loc[["a"]])
    with pytest.warns(UserWarning, match="1 of 2 series have no forecast.*instance 'b', has no"):
        predicted = fitted.predict(FH, ahead)
    assert predicted.loc["b", "load"].isna().all()
    expected = forecaster().fit(y, X).predict(FH, ahead)
    np.testing.assert_allclose(predicted.loc["a"], expected.loc["a"], rtol=1e-6)
    later = fitted.update(y.groupby("id").tail(2), X).predict(FH, ahead)
    np.testing.assert_allclose(later, expected, rtol=1e-6)


@pytest.mark.parametrize("place", [3, N + 1])
def test_instances_with_infinite_rows_are_nan_until_they_are_replaced(place):
    y, X = panel(a=problem(150, 1), b=problem(150, 2))
    columns, bad = ["price", "kind"], X.copy()
    bad.loc[("b", X.loc["b"].index[place]), "price"] = np.inf
    message = r"1 of 2 series have no forecast.*instance 'b': column 'price' is infinite at 2024"
    fitted = forecaster(on_error="nan")
    with pytest.warns(UserWarning, match=message):
        fitted.fit(y, bad[columns])
    with pytest.warns(UserWarning, match=message):
        predicted = fitted.predict(FH, bad[columns])
    assert predicted.loc["b", "load"].isna().all()
    expected = forecaster().fit(y, X[columns]).predict(FH, X[columns])
    np.testing.assert_allclose(predicted.loc["a"], expected.loc["a"], rtol=1e-6)
    later = fitted.update(y.groupby("id").tail(2), X[columns]).predict(FH, X[columns])
    np.testing.assert_allclose(later, expected, rtol=1e-6)


def test_months_with_a_gap_are_forecast_beside_covariates():
    y, X = problem()
    y, X = (one.set_axis(pd.date_range("2010", periods=len(one), freq="MS")) for one in (y, X))
    missing = y.copy()
    missing.iloc[[40, 41]] = np.nan
    found = forecaster().fit(y.drop(y.index[[40, 41]]), X).predict(FH, X)
    pd.testing.assert_series_equal(found, forecaster().fit(missing, X).predict(FH, X))
    assert found.index.freq == "MS"


def test_equal_categories_of_other_types_are_the_same():
    y, X = problem()
    promo = pd.Series(np.arange(len(X)) % 3, X.index)
    past, ahead = promo[:N].astype(float), promo[N:]
    past.iloc[3] = np.nan  # makes floats of all
    fitted = forecaster().fit(y, past.astype("category").to_frame("promo"))
    expected = fitted.predict(FH, ahead.astype(float).astype("category").to_frame("promo"))
    found = fitted.predict(FH, ahead.astype("category").to_frame("promo"))
    pd.testing.assert_series_equal(found, expected)


# ------------------------------------------------------------------------------------ memory of X


@pytest.mark.parametrize("later", [True, False])
def test_update_extends_X(later):
    y, X = problem()
    expected = forecaster().fit(y, X[:N]).predict(FH, X[["price"]])
    seen = X if later else X[:N]  # rows after y are remembered for later updates
    fitted = forecaster().fit(y[:100], seen if later else X[:100])
    fitted.update(y[100:130], X[100:130]).update(y[130:], seen[130:])
    pd.testing.assert_series_equal(fitted.predict(FH, X[["price"]]), expected)
    back = fitted.update(y[:120], X[:120]).predict(FH, X[["price"]])
    expected = forecaster().fit(y[:120], X[:120]).predict(FH, X[["price"]])
    pd.testing.assert_series_equal(back, expected, rtol=1e-6)


def test_update_of_one_instance_and_a_new_one():
    y, X = panel(a=problem(150, 1), b=problem(150, 2), c=problem(90, 3))
    ahead, at = X.drop(columns="seen"), y.index.get_level_values("t")
    first = y[(at < at.levels[0][100] if hasattr(at, "levels") else at < at.unique()[100])]
    fitted = forecaster().fit(first.drop("c"), X.drop("c"))
    rest = y.drop(first.drop("c").index)
    fitted.update(rest, X)
    whole = forecaster().fit(y, X).predict(FH, ahead)
    pd.testing.assert_frame_equal(fitted.predict(FH, ahead), whole, rtol=1e-6)


def test_memory_of_X_is_bounded_and_pickles_are_small():
    y = pd.Series(walk(70_000))
    X = pd.DataFrame({"x": walk(70_100, 1)})
    fitted = forecaster(context_length=60).fit(y[:69_000], X[:69_000])
    fitted.update(y[69_000:], X[69_000:70_000])
    assert fitted._beside.values[()].shape == (1, 65_536)
    restored = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    expected = forecaster().fit(y[-65_536:], X[-65_636:-100]).predict([3], X)
    pd.testing.assert_series_equal(restored.predict([3], X), fitted.predict([3], X))
    assert expected.index.equals(fitted.predict([3], X).index)
    small = forecaster().fit(*(part[:N] for part in problem()))
    plain = forecaster().fit(problem()[0])
    assert len(pickle.dumps(small)) < len(pickle.dumps(plain)) + 3 * N * 8 + 1_500


def test_X_may_change_after_fit():
    y, X = problem()
    fitted = forecaster().fit(y, X[:N])
    mine = X[:N].copy()
    other = forecaster().fit(y, mine)
    mine["price"] = 0.0
    pd.testing.assert_series_equal(other.predict(FH, X[N:]), fitted.predict(FH, X[N:]))


# ------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda f, y, X: f.fit(y, X).predict(FH), r"columns \['price', 'kind', 'seen'\] in fit"),
        (lambda f, y, X: f.fit(y, X).predict_interval(FH), r"absent here; pass the columns"),
        (lambda f, y, X: f.fit(y, X).update(y[-3:]), r"in fit, and is absent in update"),
        (lambda f, y, X: f.fit(y, X).update(y[-3:], X[["price"]]), r"lacks columns \['kind'"),
        (lambda f, y, X: f.fit(y).predict(FH, X), r"X has columns \['price', .*fit never saw"),
        (lambda f, y, X: f.fit(y).update(y, X), r"X has columns \['price', .*fit never saw"),
        (
            lambda f, y, X: f.fit(y, X).predict(FH, X.assign(new=1.0)),
            r"columns \['new'\], which fit never saw; it saw \['price', 'kind', 'seen'\]",
        ),
        (
            lambda f, y, X: f.fit(y, X).predict(FH, X.drop(X.index[N + 1])),
            r"X has no row at 2024-01-07 07:00:00, a time of fh",
        ),
        (
            lambda f, y, X: f.fit(y, X).predict(FH, X.assign(seen=X["seen"][:N])),
            r"column 'seen' has no value at the times of fh; leave the column out",
        ),
        (lambda f, y, X: f.fit(y, X.shift(freq="9D")), "X has no row at a time of y"),
        (lambda f, y, X: f.fit(y, X.shift(freq="7min")), "X: times from .* whole steps of h"),
        (lambda f, y, X: f.fit(y, X.tz_localize("UTC")), "X: times are .* those of y are"),
        (lambda f, y, X: f.fit(y, X.replace({"price": {X["price"].iloc[3]: np.inf}})), "infinite"),
        (
            lambda f, y, X: f.fit(y, X).predict(FH, X.assign(price=np.inf)),
            "X: column 'price' is infinite at 2024-01-07 06:00:00",
        ),
        (
            lambda f, y, X: f.fit(y, X).predict(FH, X.assign(kind=1.0)),
            "column 'kind' holds numbers, and held categories in fit",
        ),
        (
            lambda f, y, X: f.fit(y, X).predict(FH, X.assign(price=X["kind"])),
            "column 'price' holds categories, and held numbers in fit",
        ),
    ],
)
def test_refusals_name_the_column_or_the_time(use, message):
    y, X = problem()
    with pytest.raises((ValueError, TypeError), match=message):
        use(forecaster(), y, X)


def test_instances_of_X_alone_are_refused():
    y, X = panel(a=problem(60, 1), b=problem(60, 2))
    with pytest.raises(ValueError, match="X has instance 'b', and y has not"):
        forecaster().fit(y.loc[["a"]], X)
    with pytest.raises(ValueError, match="X, instance 'b', has no row at a time of y"):
        forecaster().fit(y, X.loc[["a"]])
    with pytest.raises(ValueError, match="X has rows without an instance"):
        forecaster().fit(y, X).predict(FH, problem()[1])


# ---------------------------------------------------------------------------------- past steps


def test_past_steps_are_forecast_without_X_and_a_warning_says_so():
    y, X = problem(60)
    fitted, plain = forecaster().fit(y, X), forecaster().fit(y)
    with pytest.warns(CovariateWarning, match="past steps are forecast from y alone") as caught:
        predicted = fitted.predict([-1, 0, 2], X)
    assert all(one.filename == __file__ for one in caught)
    np.testing.assert_array_equal(predicted[:2], plain.predict([-1, 0]))
    np.testing.assert_array_equal(predicted[2:], fitted.predict([2], X))
    np.testing.assert_array_equal(fitted.predict_residuals(y), plain.predict_residuals(y))
    later = problem(64)[0]
    with pytest.raises(ValueError, match="in fit, and is absent here"):
        fitted.predict_residuals(later)
    residuals = fitted.predict_residuals(later[58:], X)
    np.testing.assert_allclose(residuals[2:], later[60:] - fitted.predict([1, 2, 3, 4], X))


def test_warnings_name_the_series():
    y, X = panel(a=problem(150, 1), b=problem(150, 2))
    X = X.assign(level=1.0)
    fitted = forecaster().fit(y, X)
    with pytest.warns(CovariateWarning, match=r"'level' is constant.*y, instance 'a', column 'l"):
        fitted.predict(FH, X)


# ------------------------------------------------------------------------- compositions, backtests


@pytest.mark.parametrize(
    "wrap",
    [
        lambda f: TransformedTargetForecaster([("log", LogTransformer()), ("f", f)]),
        lambda f: ForecastingPipeline([("power", ExponentTransformer(power=3)), ("f", f)]),
    ],
)
def test_X_reaches_the_forecaster_in_a_pipeline(wrap):
    y, X = problem()
    X = X[["price"]]
    used = wrap(forecaster()).fit(y, X[:N]).predict(FH, X[N:])
    unused = wrap(forecaster(covariates="off")).fit(y, X[:N]).predict(FH, X[N:])
    other = wrap(forecaster()).fit(y, X[:N]).predict(FH, -X[N:])
    assert not np.allclose(used, unused, rtol=1e-3)
    assert not np.allclose(used, other, rtol=1e-3)


def test_X_reaches_the_forecaster_in_a_search():
    y, X = problem()
    cv = ExpandingWindowSplitter(fh=[1, 2, 3], initial_window=120, step_length=15)
    grid = {"covariates": ["auto", "off"]}
    search = ForecastingGridSearchCV(forecaster(), cv, grid, error_score="raise")
    search.fit(y, X[["price"]])
    assert search.best_params_ == {"covariates": "auto"}
    scores = search.cv_results_.filter(like="mean_test").iloc[:, 0]
    assert scores.nunique() == 2
    expected = forecaster().fit(y, X[["price"]]).predict([1, 2], X[["price"]])
    pd.testing.assert_series_equal(search.predict([1, 2], X[["price"]]), expected)


@pytest.mark.parametrize("strategy", ["refit", "update"])
@pytest.mark.parametrize("fh", [[1, 2, 3], [2, 5]])
@pytest.mark.parametrize("of", ["series", "panel"])
def test_evaluate_makes_the_forecasts_of_all_folds_in_one_batch(calls, strategy, fh, of):
    y, X = problem() if of == "series" else panel(a=problem(150, 1), b=problem(150, 2))
    X = X.loc[y.index, ["price", "kind"]]
    cv = ExpandingWindowSplitter(fh=fh, initial_window=120, step_length=10)
    options = {"strategy": strategy, "return_data": True, "error_score": "raise"}
    before = len(calls)
    batched = timer_evaluate(forecaster(), cv, y, X, **options)
    assert len(calls) == before + 1
    release()
    looped = evaluate(forecaster(), cv, y, X, **options)
    assert len(calls) == before + 1 + len(looped)
    for one, other in zip(batched["y_pred"], looped["y_pred"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_update_predict_makes_all_forecasts_in_one_batch(calls):
    y, X = problem()
    cv = ExpandingWindowSplitter(fh=[1, 2], initial_window=5, step_length=10)
    fitted = forecaster().fit(y[:110], X[:110])
    before = len(calls)
    batched = fitted.update_predict(y[110:], cv, X)
    assert len(calls) == before + 1
    columns = batched.columns
    for column in columns:
        end = y.index.get_loc(column) + 1
        own = batched[column].dropna()
        expected = forecaster().fit(y[:end], X[:end]).predict([1, 2], X)
        np.testing.assert_allclose(own, expected, rtol=1e-5)


# --------------------------------------------------------------------------- the earlier parameter


@pytest.mark.parametrize(
    "use",
    [
        lambda f, y, X: f.fit(y, X),
        lambda f, y, X: f.fit(y).predict([1], X),
        lambda f, y, X: f.fit(y).predict_interval([1], X),
        lambda f, y, X: f.fit(y).predict_residuals(y, X),
        lambda f, y, X: f.fit(y).update(y, X),
        lambda f, y, X: f.fit(y).update_predict(y, X=X),
    ],
)
@pytest.mark.filterwarnings("ignore:exogenous=:FutureWarning")
def test_exogenous_refuses_or_warns_as_before(use):
    y = problem(10)[0]
    X = y.to_frame("temperature")
    with pytest.raises(ValueError, match=r"exogenous='raise'\) cannot use X; leave exogenous out"):
        use(forecaster(exogenous="raise"), y, X)
    with pytest.warns(UserWarning, match="cannot use X; it is ignored"):
        use(forecaster(exogenous="warn"), y, X)


def test_exogenous_is_accepted_for_one_release():
    y, X = problem(60)
    clone = forecaster(exogenous="warn").clone()
    assert clone.get_params()["exogenous"] == "warn"
    with pytest.warns(
        FutureWarning, match="goes with the next release.*covariates='off'"
    ) as caught:
        clone.fit(y)
    assert [one.filename for one in caught] == [__file__]
    with pytest.warns(UserWarning, match="it is ignored"):
        pd.testing.assert_series_equal(clone.predict(FH, X), forecaster().fit(y).predict(FH))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TimerS1Forecaster("timer-s1-test").fit(y)


def test_a_forecaster_of_an_earlier_version_is_restored():
    fitted = forecaster().fit(problem(60)[0])
    state = {**fitted.__dict__, "exogenous": "raise"}
    for name in ("covariates", "_beside"):
        del state[name]
    old = forecaster()
    old.__setstate__(state)
    pd.testing.assert_series_equal(old.predict(FH), fitted.predict(FH))
    assert old.get_params()["exogenous"] is None
    assert old.get_params()["covariates"] == "auto"
