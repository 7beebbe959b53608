"""Forecasters of sktime as baselines: found by name, fitted to each window, failures noted."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from timer_forecaster.backtesting import backtest, sktime_models
from timer_forecaster.evaluation import LEVELS

rng = np.random.default_rng(0)
SERIES = [10 + np.sin(np.arange(n) * np.pi / 3) + 0.1 * rng.normal(size=n) for n in (40, 50)]


def run(pipe, baselines, series=SERIES, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return backtest(pipe, series, 6, windows=2, baselines=baselines, **options)


def test_theta_by_its_short_name_equals_a_loop(pipe):
    pytest.importorskip("statsmodels")
    from sktime.forecasting.theta import ThetaForecaster

    result = run(pipe, "Theta", seasonality=6)
    assert result.models == ["timer-s1-test", "seasonal_naive", "Theta"]
    fh = np.arange(1, 7)
    expected = []
    for values in SERIES:
        for origin in (len(values) - 12, len(values) - 6):
            forecaster = ThetaForecaster(sp=6).fit(pd.Series(values[:origin]), fh=fh)
            expected.append(forecaster.predict_quantiles(fh=fh, alpha=list(LEVELS)).to_numpy())
    np.testing.assert_allclose(result.answers["Theta"].quantiles, expected)
    assert result.has_quantiles["Theta"]


def test_an_instance_with_points_alone(pipe):
    from sktime.forecasting.trend import PolynomialTrendForecaster

    points = PolynomialTrendForecaster(degree=1)
    points.set_tags(**{"capability:pred_int": False})
    result = run(pipe, {"line": points})
    board = result.leaderboard.loc["line"]
    assert not board["quantiles"] and np.isnan(board["coverage_80"])
    own = result.forecasts[result.forecasts["model"] == "line"]
    error = (own["q0.5"] - own["y"]).abs().sum() / own["y"].abs().sum()
    assert board["WQL"] == pytest.approx(error)
    assert (own["q0.1"] == own["q0.9"]).all()
    result.plot("line")


def test_gaps_and_a_season_longer_than_half_of_the_history(pipe):
    series = [SERIES[0].copy()]
    series[0][[0, 1, 20]] = np.nan
    result = run(pipe, "NaiveForecaster", series, seasonality=30)
    assert not result.failures.size
    last = result.answers["NaiveForecaster"].quantiles[0, 0, LEVELS.index(0.5)]
    assert last == pytest.approx(series[0][27])


def test_a_failure_in_a_window_is_noted(pipe):
    from sktime.forecasting.naive import NaiveForecaster

    class Fails(NaiveForecaster):
        def _fit(self, y, X, fh):
            if len(y) < 38:
                raise RuntimeError("too short")
            return super()._fit(y, X, fh)

    with pytest.warns(UserWarning, match="Fails failed in 2 of 4 windows.*RuntimeError: too short"):
        result = run(pipe, [Fails()])
    assert result.leaderboard.loc["Fails", "windows"] == 2


def test_times_are_given_to_forecasters(pipe):
    from sktime.forecasting.naive import NaiveForecaster

    seen = []

    class Looks(NaiveForecaster):
        def _fit(self, y, X, fh):
            seen.append(y.index)
            return super()._fit(y, X, fh)

    times = pd.date_range("2020-01-01", periods=40, freq="MS")
    frame = pd.DataFrame({"month": times, "sold": SERIES[0]})
    pipe.backtest_frame(frame, 6, time_column="month", windows=2, baselines=Looks())
    assert [index[-1] for index in seen] == [times[27], times[33]]
    assert all(index.freqstr == "MS" for index in seen)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("AutoETZ", "sktime has no forecaster 'AutoETZ'; did you mean 'AutoETS'"),
        ("Xyzzy", "sktime has no forecaster 'Xyzzy'"),
    ],
)
def test_an_unknown_name_is_refused_with_suggestions(monkeypatch, given, message):
    from sktime.forecasting.ets import AutoETS
    from sktime.forecasting.naive import NaiveForecaster

    known = {"AutoETS": AutoETS, "NaiveForecaster": NaiveForecaster}
    monkeypatch.setattr(sktime_models, "_registry", lambda: known)  # the whole one takes long
    with pytest.raises(ValueError, match=message):
        sktime_models.of_name(given)
    assert sktime_models._class_of("autoets") is AutoETS
    assert sktime_models._class_of("Naive") is NaiveForecaster


@pytest.mark.slow
def test_the_registry_has_the_names():
    classes = sktime_models._registry()
    missing = [name for name in sktime_models._HOMES if name not in classes]
    assert missing == []
    for name, home in sktime_models._HOMES.items():
        assert classes[name].__module__.startswith(f"sktime.forecasting.{home}"), name


def test_a_forecaster_that_lacks_a_package_says_so():
    import importlib.util

    if importlib.util.find_spec("pmdarima") is not None:
        pytest.skip("pmdarima is installed")
    with pytest.raises(ImportError, match=r"'AutoARIMA' of sktime cannot be used.*pmdarima"):
        sktime_models.of_name("AutoARIMA")


def test_without_sktime_the_error_says_what_to_install():
    program = (
        "import sys; sys.modules['sktime'] = None\n"
        "from timer_forecaster.backtesting import sktime_models\n"
        "sktime_models.of_name('AutoETS')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: baselines: 'AutoETS'")
    assert "[sktime]" in last
