import doctest
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

pytest.importorskip("skpro")

import skpro.metrics
import sktime.performance_metrics.forecasting.probabilistic as sktime_metrics

from timer_forecaster.inference import quantiles as functionals
from timer_forecaster.skpro import QuantileFunction

DECILES = tuple(round(0.1 * i, 1) for i in range(1, 10))
MONTHS = pd.period_range("2020-01", periods=3, freq="M", name="month")
INDICES = {
    "series": MONTHS,
    "panel": pd.MultiIndex.from_product([["a", "b"], MONTHS], names=["shop", "month"]),
    "hierarchy": pd.MultiIndex.from_product(
        [["x", "y"], ["a", "b"], MONTHS], names=["region", "shop", "month"]
    ),
}


def distribution(index="series", columns=("price", "sales")):
    """Return a distribution with normal quantiles, and observed values to score it by."""
    index = INDICES[index]
    generator = np.random.default_rng(0)
    shape = (len(index), len(columns))
    center, scale = generator.normal(size=shape), generator.uniform(0.5, 2, size=shape)
    quantiles = center[..., None] + scale[..., None] * stats.norm.ppf(DECILES)
    labels = {"index": index, "columns": list(columns)}
    y = pd.DataFrame(center + scale * generator.normal(size=shape), **labels)
    return QuantileFunction(quantiles, DECILES, **labels), y


@pytest.fixture(params=INDICES)
def of_index(request):
    return distribution(request.param)


def entries(d):
    """Return the quantiles of each entry."""
    return [d.iloc[i, j].quantiles for i, j in np.ndindex(d.shape)]


def test_methods_give_frames_like_the_distribution(of_index):
    d, y = of_index
    values = np.array(entries(d)).reshape(*d.shape, 9)
    at = y.to_numpy()[..., None]
    expected = {
        "mean": functionals.mean(values, DECILES),
        "var": functionals.variance(values, DECILES),
        "pdfnorm": functionals.density_norm(values, DECILES, 2),
    }
    for name, array in expected.items():
        frame = getattr(d, name)()
        pd.testing.assert_frame_equal(frame, pd.DataFrame(array, y.index, y.columns))
    log_density = functionals.log_density(values, DECILES, at)[..., 0]
    expected = {
        "cdf": functionals.cdf(values, DECILES, at)[..., 0],
        "log_pdf": log_density,
        "pdf": np.exp(log_density),
        "pmf": np.zeros(d.shape),
        "log_pmf": np.full(d.shape, -np.inf),
    }
    for name, array in expected.items():
        frame = getattr(d, name)(y)
        pd.testing.assert_frame_equal(frame, pd.DataFrame(array, y.index, y.columns))
    pd.testing.assert_frame_equal(d.ppf(d.cdf(y)), y)


def test_energies_sum_over_columns(of_index):
    d, y = of_index
    deviation = sum(d.loc[:, [column]].energy(y[[column]]) for column in y)
    pd.testing.assert_frame_equal(d.energy(y), deviation)
    pd.testing.assert_frame_equal(
        d.energy(), sum(d.loc[:, [column]].energy() for column in y.columns)
    )
    single, values = d.iloc[0, 0], y.iloc[0, 0]
    levels = np.linspace(0, 1, 200_001)[:-1] + 1 / 400_000
    draws = functionals.evaluate(single.quantiles, DECILES, levels)
    np.testing.assert_allclose(single.energy(values), np.abs(draws - values).mean(), rtol=1e-3)


def test_quantiles_come_in_the_layout_of_forecasters(of_index):
    d, y = of_index
    found = d.quantile([0.1, 0.35])
    assert found.index.equals(y.index)
    assert found.columns.tolist() == [(c, a) for c in y.columns for a in (0.1, 0.35)]
    np.testing.assert_array_equal(
        found.xs(0.1, axis=1, level=1).to_numpy().ravel(), np.array(entries(d))[:, 0]
    )


@pytest.mark.parametrize("metrics", [sktime_metrics, skpro.metrics], ids=["sktime", "skpro"])
@pytest.mark.parametrize("columns", [("sales",), ("price", "sales")], ids=["one", "two"])
@pytest.mark.parametrize("index", INDICES)
def test_scores_of_sktime_and_skpro(metrics, columns, index):
    d, y = distribution(index, columns)
    scores, log_losses, squared, pinball = [], [], [], []
    for quantiles, value in zip(entries(d), y.to_numpy().ravel(), strict=True):
        grid = np.linspace(value - 60, value + 60, 24_001)
        below = functionals.cdf(quantiles, DECILES, grid)
        density = np.exp(functionals.log_density(quantiles, DECILES, grid))
        scores.append(integrate.trapezoid((below - (grid >= value)) ** 2, grid))
        log_losses.append(-np.log(np.interp(value, grid, density)))
        squared.append(integrate.trapezoid(density**2, grid))
        error = value - quantiles[[0, 4]]
        pinball.append(np.maximum(error * (0.1, 0.5), error * (-0.9, -0.5)).mean())

    def by_entry(metric, predicted):
        metric = getattr(metrics, metric)(multioutput="raw_values")
        return metric.evaluate_by_index(y, predicted)[list(columns)].to_numpy().ravel()

    np.testing.assert_allclose(by_entry("CRPS", d), scores, rtol=0.01)
    np.testing.assert_allclose(by_entry("LogLoss", d), log_losses, rtol=1e-6)
    assert np.isfinite(by_entry("SquaredDistrLoss", d)).all()
    np.testing.assert_allclose(d.pdfnorm(2).to_numpy().ravel(), squared, rtol=0.01)
    quantiles = d.quantile([0.1, 0.5])
    np.testing.assert_allclose(by_entry("PinballLoss", quantiles), pinball)
    calibration = metrics.AUCalibration(multioutput="raw_values")
    assert np.isfinite(np.asarray(calibration.evaluate(y, d))).all()
    assert np.isfinite(metrics.CRPS(multivariate=True)(y, d))


def test_scores_follow_the_labels_of_observations(of_index):
    d, y = of_index
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = y.iloc[order, ::-1]
    pd.testing.assert_frame_equal(d.cdf(shuffled), d.cdf(y).iloc[order, ::-1])
    some = y.iloc[1:3]
    pd.testing.assert_frame_equal(d.energy(some), d.energy(y).iloc[1:3])
    unknown = y.set_axis(y.columns + "?", axis=1)
    with pytest.raises(KeyError):
        d.cdf(unknown)


def test_rows_need_not_be_sorted():
    d, y = distribution("panel")
    order = [4, 0, 3, 5, 1, 2]
    unsorted, observed = d.iloc[order], y.iloc[order]
    loss = skpro.metrics.CRPS(multioutput="raw_values")
    pd.testing.assert_frame_equal(
        loss.evaluate_by_index(observed, unsorted), loss.evaluate_by_index(y, d).iloc[order]
    )
    pd.testing.assert_frame_equal(unsorted.cdf(y), d.cdf(y))
    pd.testing.assert_frame_equal(unsorted.loc["b"].mean(), d.mean().iloc[[4, 3, 5]])


SELECTIONS = {
    "series": [
        MONTHS[1],
        [MONTHS[2], MONTHS[0]],
        slice(MONTHS[1], None),
        (slice(None), ["price"]),
        (MONTHS[1:], "sales"),
        np.array([True, False, True]),
    ],
    "panel": [
        "b",
        ("b", MONTHS[0]),
        ["b"],
        ("b", "price"),
        (slice(None), ["price"]),
        ("b", ["price", "sales"]),
        (("b", MONTHS[1]), "price"),
        (INDICES["panel"][[4, 0]], ["price"]),
        slice("b", None),
    ],
    "hierarchy": [
        "y",
        ("y", "b"),
        ("y", "b", MONTHS[2]),
        (slice(None), ["sales"]),
        (("y", "b"), ["sales"]),
        (INDICES["hierarchy"][[7, 3]], ["price", "sales"]),
    ],
}


@pytest.mark.parametrize(
    ("index", "key"), [(index, key) for index, keys in SELECTIONS.items() for key in keys]
)
def test_loc_selects_as_pandas_does(index, key):
    d, y = distribution(index)
    numbers = pd.DataFrame(np.arange(y.size).reshape(y.shape), y.index, y.columns)
    expected = np.ravel(numbers.loc[key])
    found = d.loc[key]
    means = np.ravel(d.mean())
    np.testing.assert_array_equal(np.ravel(found.mean()), means[expected])


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize(
    "key", ["z", ["z"], ("z", "sales"), (slice(None), "z"), (slice(None), ["z"])], ids=str
)
def test_labels_that_are_not_there_are_errors(index, key):
    with pytest.raises((KeyError, ValueError)):
        distribution(index)[0].loc[key]


def test_loc_keeps_the_labels(of_index):
    d, y = of_index
    found = d.loc[y.index[[2, 0]], ["price"]]
    assert found.index.equals(y.index[[2, 0]]) and found.columns.tolist() == ["price"]
    assert found.index.names == y.index.names


def test_positions_select_as_pandas_does(of_index):
    d, _ = of_index
    means = d.mean()
    for rows, columns in [([2, 0], [1]), (slice(1, 3), slice(None)), (-1, [0, 1]), ([], [0])]:
        found = d.iloc[rows, columns]
        rows = [rows] if isinstance(rows, int) else rows
        pd.testing.assert_frame_equal(found.mean(), means.iloc[rows, columns])
    pd.testing.assert_frame_equal(d.head(2).mean(), means.head(2))
    pd.testing.assert_frame_equal(d.tail(2).mean(), means.tail(2))
    with pytest.raises(IndexError):
        d.iloc[len(d)]


def test_one_entry_is_a_scalar_distribution(of_index):
    d, y = of_index
    label = y.index[1]
    for single in (d.iloc[1, 1], d.iat[1, 1], d.at[label, "sales"]):
        assert single.shape == () and single.ndim == 0
        assert single.mean() == d.mean().iloc[1, 1]
        assert single.cdf(0.3) == d.cdf(0.3).iloc[1, 1]
        assert np.isscalar(single.energy()) and np.isscalar(single.energy(0.3))
        assert np.isscalar(single.pdfnorm()) and np.isscalar(single.sample())
    with pytest.raises(KeyError):
        d.at[label, "sale"]


def test_point_masses():
    d = QuantileFunction([[[5.3] * 9], [[0.0, 1, 1, 1, 2, 3, 4, 5, 6]]], DECILES, columns=["sales"])
    at = pd.DataFrame({"sales": [5.3, 1.0]})
    assert d.mean().iloc[0, 0] == 5.3 and d.var().iloc[0, 0] == 0
    np.testing.assert_allclose(d.pmf(at)["sales"], [1, 0.2])
    np.testing.assert_allclose(d.log_pmf(at)["sales"], [0, np.log(0.2)], atol=1e-15)
    np.testing.assert_allclose(d.cdf(at)["sales"], [1, 0.4])
    np.testing.assert_array_equal(d.pdf(at)["sales"], [np.inf, np.inf])
    np.testing.assert_array_equal(d.log_pdf(at)["sales"], [np.inf, np.inf])
    np.testing.assert_allclose(d.pdf(at + 0.5)["sales"], [0, 0.1])
    assert d.log_pdf(at + 0.5).iloc[0, 0] == -np.inf
    np.testing.assert_array_equal(d.pdfnorm()["sales"], [np.inf, np.inf])
    loss = skpro.metrics.CRPS().evaluate_by_index(at + 0.5, d)
    np.testing.assert_allclose(loss.iloc[0, 0], 0.5)


def test_entries_that_are_never_negative():
    quantiles = np.stack([np.linspace(0.2, 4, 9), np.linspace(0.2, 4, 9)])[:, None]
    d = QuantileFunction(quantiles, DECILES, [[True], [False]], ["cut", "free"], ["y"])
    assert d.ppf(0.001)["y"]["cut"] == 0 > d.ppf(0.001)["y"]["free"]
    assert d.cdf(-0.01)["y"].tolist() == [
        0,
        functionals.cdf(quantiles[1, 0], DECILES, np.array([-0.01]))[0],
    ]
    assert d.pmf(0.0)["y"]["cut"] == d.cdf(0.0)["y"]["cut"] > 0 == d.pmf(0.0)["y"]["free"]
    assert d.log_pdf(-0.01)["y"]["cut"] == -np.inf and d.pdfnorm()["y"]["cut"] == np.inf
    assert d.mean()["y"]["cut"] > d.mean()["y"]["free"]
    assert d.var()["y"]["cut"] < d.var()["y"]["free"]
    assert d.energy().iloc[0, 0] < d.energy().iloc[1, 0]
    np.random.seed(0)
    draws = d.sample(5000)["y"].unstack()
    assert draws["cut"].min() == 0 > draws["free"].min()
    np.testing.assert_allclose(draws.mean(), d.mean()["y"], rtol=0.05)
    np.testing.assert_allclose(draws.var(), d.var()["y"], rtol=0.1)


def test_selections_and_copies_keep_that_entries_are_never_negative():
    quantiles = np.tile(np.linspace(0.2, 4, 9), (2, 2, 1))
    bounded = [[True, False], [False, True]]
    d = QuantileFunction(quantiles, DECILES, bounded, ["a", "b"], ["x", "y"])
    expected = d.mean()
    copies = d.clone(), pickle.loads(pickle.dumps(d)), QuantileFunction(**d.get_params())  # noqa: S301
    for copy in copies:
        pd.testing.assert_frame_equal(copy.mean(), expected)
    pd.testing.assert_frame_equal(d.loc[["b"]].mean(), expected.loc[["b"]])
    pd.testing.assert_frame_equal(d.iloc[:, [1]].mean(), expected.iloc[:, [1]])
    assert d.at["b", "y"].mean() == expected.loc["b", "y"] > d.at["a", "y"].mean()
    everywhere = QuantileFunction(quantiles, DECILES, nonnegative=True)
    assert (everywhere.ppf(0.001) == 0).all(axis=None)


def test_a_pickle_of_version_0_2_is_not_bounded():
    d = QuantileFunction(np.tile(np.linspace(0.2, 4, 9), (2, 1, 1)), DECILES)
    expected = d.ppf(0.001)
    del d.__dict__["nonnegative"], d.__dict__["_floor"]
    old = pickle.loads(pickle.dumps(d))  # noqa: S301
    pd.testing.assert_frame_equal(old.ppf(0.001), expected)
    pd.testing.assert_frame_equal(old.iloc[[1]].ppf(0.001), expected.iloc[[1]])


def test_functions_of_an_entry_without_forecast_are_nan():
    d, y = distribution()
    quantiles = d.quantiles.copy()
    quantiles[1, 0] = np.nan
    partly = QuantileFunction(quantiles, DECILES, index=d.index, columns=d.columns)
    for name in ("cdf", "pdf", "log_pdf", "pmf", "log_pmf", "mean", "var", "pdfnorm"):
        at = () if name in ("mean", "var", "pdfnorm") else (y,)
        expected = getattr(d, name)(*at)
        expected.iloc[1, 0] = np.nan
        pd.testing.assert_frame_equal(getattr(partly, name)(*at), expected)
    assert partly.ppf(0.3).isna().sum().tolist() == [1, 0]
    assert partly.energy(y).isna().to_numpy().ravel().tolist() == [False, True, False]
    assert np.isnan(partly.iloc[1, 0].cdf(0.0))


def test_missing_observations_have_no_score():
    d, y = distribution()
    y.iloc[1, 0] = np.nan
    for frame in (d.cdf(y), d.pdf(y), d.log_pdf(y)):
        np.testing.assert_array_equal(frame.isna(), y.isna())


def test_draws_follow_the_quantiles(of_index):
    d, y = of_index
    np.random.seed(0)
    draws = d.sample(4000)
    expected = pd.concat([y] * 4000, keys=range(4000))
    assert draws.index.equals(expected.index) and draws.index.names == expected.index.names
    shares = (draws <= expected).to_numpy().reshape(4000, *d.shape).mean(axis=0)
    np.testing.assert_allclose(shares, d.cdf(y), atol=0.04)
    one = d.sample()
    assert one.index.equals(y.index) and one.columns.equals(y.columns)


def test_draws_depend_on_the_seed_of_numpy():
    d, _ = distribution()
    first, again, other = [], [], []
    for draws, seed in ((first, 1), (again, 1), (other, 2)):
        np.random.seed(seed)
        draws.extend([d.sample(2).to_numpy(), d.iloc[0, 0].sample(3).to_numpy()])
    for i in range(2):
        np.testing.assert_array_equal(first[i], again[i])
        assert not np.array_equal(first[i], other[i])


def test_survival_and_hazard(of_index):
    d, y = of_index
    np.testing.assert_allclose(d.surv(y), 1 - d.cdf(y))
    np.testing.assert_allclose(d.haz(y), d.pdf(y) / d.surv(y))


@pytest.mark.parametrize("function", ["cdf", "pdf"])
def test_plots(function):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = distribution()[0].head(2).plot(function)
    assert axes.shape == (2, 2)
    line = axes[0, 0].lines[0]
    assert np.isfinite(line.get_ydata()).all()
    plt.close(figure)


def test_copies_are_equal():
    d, y = distribution("panel")
    for copy in (d.clone(), pickle.loads(pickle.dumps(d)), QuantileFunction(**d.get_params())):  # noqa: S301
        pd.testing.assert_frame_equal(copy.cdf(y), d.cdf(y))


def test_default_labels_are_numbers():
    d = QuantileFunction(np.zeros((2, 3, 2)), (0.2, 0.7))
    assert d.shape == (2, 3) and d.index.tolist() == [0, 1] and d.columns.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"levels": (0.5, 0.2)}, "levels="),
        ({"levels": (0.0, 0.2)}, "levels="),
        ({"levels": (0.5,)}, "levels="),
        ({"levels": (0.2, 0.5, 0.8)}, r"shape \(2, 1, 2\); with 3 levels"),
        ({"quantiles": [[1.0, 2.0]]}, r"shape \(1, 2\)"),
        ({"quantiles": [[[1.0, 2.0]], [[2.0, 1.0]]]}, r"decrease along the levels at \(1, 0\)"),
        ({"quantiles": [[[1.0, 2.0]], [[2.0, np.nan]]]}, "finite"),
        ({"index": ["a"]}, "index has 1 labels"),
        ({"columns": ["a", "b"]}, "columns has 2 labels"),
        ({"quantiles": [1.0, 2.0], "index": ["a"]}, "scalar"),
        ({"nonnegative": [True]}, r"array of them of shape \(2, 1\)"),
        ({"nonnegative": 1}, "nonnegative must be True, False"),
        ({"quantiles": [-1.0, 2.0], "nonnegative": True}, "negative quantile; cut"),
    ],
)
def test_bad_arguments_are_refused(changed, message):
    parameters = {"quantiles": [[[1.0, 2.0]], [[2.0, 3.0]]], "levels": (0.2, 0.7)}
    with pytest.raises(ValueError, match=message):
        QuantileFunction(**(parameters | changed))


def test_docstring_examples():
    tests = doctest.DocTestFinder(recurse=False).find(QuantileFunction, "QuantileFunction")
    results = [doctest.DocTestRunner().run(test) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0
