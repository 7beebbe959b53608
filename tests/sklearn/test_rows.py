"""The regressor with covariates: columns of X by their names."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.inference.covariates import CovariateOptions, CovariateWarning

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from timer_forecaster.sklearn import TimerS1Regressor, make_windows

MODEL = "timer-s1-test"  # random weights, nine levels, context 512, 32 steps in a pass
N, L, H = 240, 120, 6
RANDOM = np.random.default_rng(0)
STEPS = np.arange(N)
PRICE = RANDOM.normal(size=N) + np.sin(STEPS / 9)
EVENT = np.where(RANDOM.random(N) < 0.2, "fair", "none")
RAIN = np.convolve(RANDOM.normal(size=N + 9), np.ones(10) / 10, "valid")
STORE = RANDOM.integers(3, size=N)
SALES = 50 - 4 * PRICE + 6 * (EVENT == "fair") + 3 * np.sin(STEPS / 4) + STORE
KNOWN = {"price": PRICE, "event": EVENT, "store": STORE.astype(float)}
CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def regressor(**parameters):
    names = {"known": ("price", "event", "store"), "past": ("rain",), "categories": ("store",)}
    return TimerS1Regressor(
        MODEL, **{"dtype": "float64", "cycles": (24, 168), **names, **parameters}
    )


@pytest.fixture(scope="module")
def windows():
    return make_windows(SALES, L, H, step=30, known=KNOWN, past={"rain": RAIN})


def tables(start, stop, columns):
    return {name: values[start:stop] for name, values in columns.items()}


@pytest.fixture(scope="module")
def expected():
    """What the pipeline forecasts for the rows of `windows`."""
    starts = range(24, N - L - H + 1, 30)
    return ForecastPipeline.from_pretrained(MODEL, dtype="float64").predict(
        [SALES[start : start + L] for start in starts],
        H,
        known=[tables(start, start + L + H, KNOWN) for start in starts],
        past=[tables(start, start + L, {"rain": RAIN}) for start in starts],
        categories=["store"],
        cycles=(24, 168),
    )


def test_forecasts_are_the_pipelines_in_one_call(windows, expected, calls):
    X, y = windows
    fitted = regressor().fit(X, y)
    np.testing.assert_allclose(fitted.predict(X), expected.median, **CLOSE)
    quantiles = fitted.predict_quantiles(X, [0.2])[..., 0]
    np.testing.assert_allclose(quantiles, expected.quantile(0.2), **CLOSE)
    assert calls == [(len(X), H)]
    assert fitted.feature_names_in_.tolist() == X.columns.tolist()
    assert (fitted.n_features_in_, fitted.n_outputs_) == (X.shape[1], H)
    plain = regressor(covariates="off").fit(X, y).predict(X)
    assert not np.allclose(plain, fitted.predict(X), atol=0.1)
    assert abs(fitted.predict(X) - y).mean() < abs(plain - y).mean()


def test_a_frequency_has_cycles(windows):
    X, y = windows
    daily = regressor(cycles=(24, 168, 8766)).fit(X, y).predict(X[:3])
    np.testing.assert_array_equal(regressor(cycles=None, freq="h").fit(X, y).predict(X[:3]), daily)
    plain = regressor(cycles=None).fit(X, y).predict(X[:3])
    assert np.abs(plain - daily).max() > 1e-3


@pytest.mark.parametrize("options", ["always", "fast", CovariateOptions(windows=3)])
def test_options_reach_the_pipeline(windows, options):
    X, y = windows
    found = regressor(covariates=options).fit(X, y).predict(X[:1])
    wanted = ForecastPipeline.from_pretrained(MODEL, dtype="float64").predict(
        SALES[24 : 24 + L],
        H,
        known=tables(24, 24 + L + H, KNOWN),
        past=tables(24, 24 + L, {"rain": RAIN}),
        categories=["store"],
        cycles=(24, 168),
        covariates=options,
    )
    np.testing.assert_allclose(found, wanted.median, **CLOSE)


def test_the_order_of_columns_does_not_matter(windows, expected):
    X, y = windows
    mixed = X.sample(frac=1, axis=1, random_state=0)
    release()
    np.testing.assert_array_equal(regressor().fit(mixed, y).predict(X), expected.median)
    np.testing.assert_array_equal(regressor().fit(X, y).predict(mixed), expected.median)
    turned = regressor(known=["store", "event", "price"]).fit(X, y).predict(X)
    np.testing.assert_allclose(turned, expected.median, **CLOSE)


def test_rows_do_not_depend_on_each_other(windows, expected):
    X, y = windows
    fitted = regressor().fit(X, y)
    for row in (0, len(X) - 1):
        alone = fitted.predict(X.iloc[[row]])
        np.testing.assert_allclose(alone, expected.median[[row]], **CLOSE)
    changed = X.copy()
    changed.loc[1, "price[+1]":"price[+6]"] = 2.0
    found = fitted.predict(changed)
    np.testing.assert_allclose(np.delete(found, 1, 0), np.delete(expected.median, 1, 0), **CLOSE)
    assert not np.allclose(found[1], expected.median[1], atol=1e-3)


def test_steps_beyond_y_do_not_matter(windows):
    X, y = windows
    short, _ = make_windows(
        SALES[:-4],
        L,
        2,
        step=30,
        known={name: values[:-4] for name, values in KNOWN.items()},
        past={"rain": RAIN[:-4]},
    )
    found = regressor().fit(X, y[:, :2]).predict(X)
    np.testing.assert_allclose(found, regressor().fit(short, y[:, :2]).predict(short), **CLOSE)
    one = regressor().fit(X, y[:, 0])
    assert one.predict(X).shape == (len(X),)


@pytest.mark.parametrize("options", [{}, {"flip": True}, {"context_length": 60}])
def test_without_covariates_all_is_as_before(windows, options):
    X, y = windows
    plain = X.filter(like="target").to_numpy()
    wanted = regressor(known=(), past=(), categories=(), **options).fit(plain, y).predict(plain)
    off = regressor(covariates="off", **options).fit(X, y)
    np.testing.assert_array_equal(off.predict(X), wanted)
    unnamed = regressor(known=(), past=(), categories=(), **options)
    turned = X.filter(like="target").iloc[:, ::-1]
    np.testing.assert_array_equal(unnamed.fit(turned, y).predict(turned), wanted)


def test_missing_values_at_the_start_make_a_shorter_window():
    X, y = make_windows(SALES[:130], L, H, known=tables(0, 130, KNOWN), min_history=80)
    fitted = regressor(past=()).fit(X, y)
    found = fitted.predict(X[:1])
    wanted = ForecastPipeline.from_pretrained(MODEL, dtype="float64").predict(
        SALES[:80],
        H,
        known=tables(0, 80 + H, KNOWN),
        categories=["store"],
        cycles=(24, 168),
    )
    np.testing.assert_allclose(found, wanted.median, **CLOSE)


def test_categories_of_pandas_are_texts(windows, expected):
    table = pd.DataFrame(KNOWN).astype({"event": "category", "store": "category"})
    X, y = make_windows(SALES, L, H, step=30, known=table, past={"rain": RAIN})
    found = regressor(categories=()).fit(X, y).predict(X)
    np.testing.assert_allclose(found, expected.median, **CLOSE)


def test_copies(windows, expected):
    X, y = windows
    fitted = regressor().fit(X, y)
    dumped = pickle.dumps(fitted)
    assert len(dumped) < 5_000 + 20 * X.shape[1]
    copies = [pickle.loads(dumped), copy.deepcopy(fitted), clone(fitted).fit(X, y)]  # noqa: S301
    for each in copies:
        np.testing.assert_allclose(each.predict(X), expected.median, **CLOSE)


def test_searches_and_pipelines_carry_the_columns(windows, expected):
    X, y = windows
    search = GridSearchCV(
        Pipeline([("model", regressor())]),
        [
            {"model__covariates": ["off", "auto"]},
            {"model": [make_pipeline(FunctionTransformer(numbers), Ridge())]},
        ],
        cv=TimeSeriesSplit(2),
        scoring="neg_mean_absolute_error",
        error_score="raise",
    )
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert len(set(scores)) == 3
    assert scores[0] < scores[1]
    same = ColumnTransformer(
        [("all", "passthrough", X.columns[::-1])], verbose_feature_names_out=False
    ).set_output(transform="pandas")
    steps = make_pipeline(same, regressor()).fit(X, y)
    np.testing.assert_allclose(steps.predict(X), expected.median, **CLOSE)


def numbers(X):
    return X.select_dtypes("number")


def test_an_adapter_forecasts_the_remainders(windows, expected):
    X, _ = windows
    brief = FinetuneConfig(steps=2, batch_size=4, context_length=48, horizon=H, validation=0.3)
    long = make_windows(SALES, L, H, step=5, known=KNOWN, past={"rain": RAIN})
    fitted = regressor(tuning=brief).fit(*long)
    found = fitted.predict(X)
    assert np.isfinite(found).all()
    assert not fitted.adapter_.is_identity
    assert not np.allclose(found, expected.median, atol=1e-6)
    plain = regressor(tuning=brief, known=(), past=(), categories=())
    assert plain.fit(long[0].filter(like="target").to_numpy(), long[1]).adapter_ == fitted.adapter_


def test_warnings_name_rows(windows):
    X, y = windows
    fitted = regressor().fit(X, y)
    X = X.copy()
    X.loc[2, [f"price[{step:+d}]" for step in range(-L, 0)]] = 3.0
    X.loc[1:2, "event[+2]"] = "flood"
    release()
    with pytest.warns(CovariateWarning) as caught:
        fitted.predict(X)
    texts = [str(one.message) for one in caught]
    assert any("column 'price' is constant" in text and "row 2 of X" in text for text in texts)
    assert any("'event'" in text and "row 1 of X and 1 more" in text for text in texts)
    assert {one.filename for one in caught} == {__file__}


@pytest.mark.parametrize(
    "parameters, error, message",
    [
        ({"known": "price"}, TypeError, "known='price' must be a sequence of names"),
        ({"known": None}, TypeError, "known=None must be a sequence of names"),
        ({"past": (3,)}, TypeError, r"past=\(3,\) must hold texts"),
        ({"past": ("rain", "price")}, ValueError, "'price' occurs twice in known and past"),
        ({"past": ("rain", "target")}, ValueError, "'target' in known or past is the name of the"),
        ({"categories": ("shop",)}, ValueError, "categories: 'shop' is neither in known nor in"),
        ({"cycles": 24}, TypeError, "cycles=24 must be a sequence of periods"),
        ({"cycles": (0,)}, ValueError, "cycles=0"),
        ({"cycles": [(24, 168)]}, TypeError, "must be a sequence of numbers"),
        ({"covariates": "yes"}, ValueError, "covariates='yes' is unknown"),
        ({"known": ("price", "event")}, ValueError, "categories: 'store' is neither"),
        (
            {"known": ("price", "store")},
            ValueError,
            r"columns 'event\[-120\]', .* and 121 more of X",
        ),
        (
            {"past": ()},
            ValueError,
            r"'rain\[-120\]', .* of X belong to neither the target nor known",
        ),
        ({"past": ("rain", "snow")}, ValueError, r"X has no column 'snow\[-1\]'"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(windows, parameters, error, message):
    X, y = windows
    with pytest.raises(error, match=message):
        regressor(**parameters).fit(X, y)
    with pytest.raises(error, match=message):
        regressor().fit(X, y).set_params(**parameters).predict(X)


def test_columns_that_do_not_fit_are_refused(windows):
    X, y = windows
    with pytest.raises(ValueError, match=r"columns 'price\[-120\]', .* known=\(\) nor past=\(\)"):
        TimerS1Regressor(MODEL).fit(X, y)
    with pytest.raises(TypeError, match="X has type ndarray, without names of columns"):
        regressor().fit(X.to_numpy(), y)
    with pytest.raises(ValueError, match=r"no column 'price\[\+6\]'; known columns need the 6"):
        regressor().fit(X.drop(columns="price[+6]"), y)
    with pytest.raises(ValueError, match="column 'shop' of X"):
        regressor().fit(X.assign(shop=1), y)
    fitted = regressor().fit(X, y)
    for other in (X.drop(columns="rain[-7]"), X.assign(shop=1)):
        with pytest.raises(ValueError, match="feature names"):
            fitted.predict(other)
    with pytest.raises(TypeError, match="X has type ndarray"):
        fitted.predict(X.to_numpy())
    plain = X.filter(like="target").to_numpy()
    with pytest.raises(ValueError, match="need an X with names"):
        TimerS1Regressor(MODEL).fit(plain, y).set_params(known=("price",)).predict(plain)


@pytest.mark.parametrize("wrong", [None, [1.0] * 3])
def test_y_that_does_not_fit_is_refused(windows, wrong):
    with pytest.raises(ValueError, match=r"requires y|inconsistent numbers"):
        regressor().fit(windows[0], wrong)


def test_values_that_do_not_fit_are_refused(windows):
    X, y = windows
    fitted = regressor().fit(X, y)

    def changed(row, columns, value):
        return X.astype(dict.fromkeys(columns, object)).pipe(put, row, columns, value)

    def put(frame, row, columns, value):
        frame.loc[row, columns] = value
        return frame

    future = [f"price[+{step}]" for step in range(1, H + 1)]
    with pytest.raises(ValueError, match="row 2 of X: known column 'price' has no value in"):
        fitted.predict(changed(2, future, np.nan))
    with pytest.raises(ValueError, match=r"row 1 of X is infinite in column 'rain\[-3\]'"):
        fitted.predict(changed(1, ["rain[-3]"], np.inf))
    with pytest.raises(TypeError, match=r"column 'rain\[-3\]' of X must hold real numbers"):
        fitted.predict(changed(1, ["rain[-3]"], pd.Timestamp("2024-01-01")))
    with pytest.raises(ValueError, match="row 3 of X holds no observed value"):
        fitted.predict(changed(3, X.filter(like="target").columns.tolist(), np.nan))
