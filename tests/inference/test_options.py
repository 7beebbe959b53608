"""Options of a forecast: their checks, and their meaning for a network."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from ttm import tiny_ttm

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting import backtest
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.options import (
    DEFAULT,
    ROLLOUT_CHOICES,
    ForecastOptions,
    check_symmetric,
)
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.ttm import TTMArchitecture

NETWORK = TimerS1Architecture(max_context_length=512, preferred_rollout="median")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"context_length": 0}, ValueError, "context_length=0 must be at least 1"),
        ({"context_length": 2.0}, TypeError, "context_length=2.0 must be an integer"),
        ({"batch_size": True}, TypeError, "batch_size=True must be an integer"),
        ({"batch_size": -3}, ValueError, "batch_size=-3 must be at least 1"),
        ({"rollout": "mean"}, ValueError, "rollout='mean' is unknown; use one of .*'quantile'"),
        ({"rollout": None}, ValueError, "rollout=None"),
        ({"padding": "zeros"}, ValueError, "padding='zeros' is unknown; use one of .*'released'"),
        ({"padding": None}, ValueError, "padding=None"),
        ({"nonnegative": "yes"}, TypeError, "nonnegative='yes' must be 'auto', True or False"),
        ({"nonnegative": 1}, TypeError, "nonnegative=1 must be"),
        ({"nonnegative": None}, TypeError, "nonnegative=None must be"),
        ({"flip": "yes"}, TypeError, "flip='yes' must be True or False"),
    ],
)
def test_options_that_cannot_be_used_are_named(options, error, message):
    with pytest.raises(error, match=message):
        ForecastOptions(**options)


@pytest.mark.parametrize("ask", ["backtest", "sample_paths_frame"])
def test_arguments_that_are_no_options_are_named(ask):
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    frame = pd.DataFrame({"t": pd.date_range("2024", periods=40, freq="D"), "y": np.arange(40.0)})
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'roll_out'; .* rollout"):
        if ask == "backtest":
            backtest(pipe, np.arange(40.0), 4, roll_out="median")
        else:
            pipe.sample_paths_frame(frame, 4, 2, time_column="t", roll_out="median")


def test_options_are_checked_when_they_are_replaced():
    with pytest.raises(ValueError, match="batch_size=0"):
        dataclasses.replace(DEFAULT, batch_size=0)


def test_options_are_values():
    assert ForecastOptions(64, "median", True, 8) == ForecastOptions(64, "median", True, 8)
    assert hash(ForecastOptions()) == hash(DEFAULT)


@pytest.mark.parametrize("rollout", ROLLOUT_CHOICES)
def test_auto_is_the_preference_of_the_checkpoint(rollout):
    expected = "median" if rollout == "auto" else rollout
    assert ForecastOptions(rollout=rollout).rollout_of(NETWORK) == expected


@pytest.mark.parametrize(
    ("context_length", "rollout", "history", "context"),
    [
        (None, "auto", 512, 512),
        (100, "auto", 100, 100),
        (9999, "quantile", 512, 512),
        (None, "multiscale", LOOK_BACK, 512),
        (9999, "multiscale", 9999, 512),
        (10**6, "multiscale", LOOK_BACK, 512),
    ],
)
def test_steps_that_a_forecast_can_read(context_length, rollout, history, context):
    options = ForecastOptions(context_length, rollout)
    assert options.longest_history(NETWORK) == history
    assert options.longest_context(NETWORK) == context


def test_point_forecasts_look_back_at_their_errors():
    points = tiny_ttm()
    assert ForecastOptions().longest_history(points) == LOOK_BACK
    assert ForecastOptions(100).longest_history(points) == 100
    assert ForecastOptions().longest_context(points) == 48


def test_levels_are_symmetric_to_rounding():
    check_symmetric((0.1, 0.30000000000000004, 0.7, 0.9))
    with pytest.raises(ValueError, match=r"symmetric about 0\.5; the checkpoint's are"):
        check_symmetric((0.1, 0.5, 0.8))


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint32, np.uint64, np.array])
def test_integers_of_numpy_mean_what_they_say(kind):
    assert ForecastOptions(nonnegative=np.True_).nonnegative is True
    options = ForecastOptions(context_length=kind(100), batch_size=kind(3), flip=np.True_)
    assert options == ForecastOptions(context_length=100, batch_size=3, flip=True)
    assert hash(options) == hash(ForecastOptions(context_length=100, batch_size=3, flip=True))
    assert [type(value) for value in (options.context_length, options.flip)] == [int, bool]
    assert options.longest_context(NETWORK) == 100


def test_zeros_before_short_series_are_for_networks_of_one_context():
    released = ForecastOptions(padding="released")
    assert released.zeros_before and not DEFAULT.zeros_before
    released.check_padding(TTMArchitecture(), "the mixer")
    DEFAULT.check_padding(NETWORK, "the network")
    with pytest.raises(ValueError, match=r"padding='released'.*the network reads a short.*leave"):
        released.check_padding(NETWORK, "the network")
