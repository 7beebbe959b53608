"""Options of the windows of a backtest."""

import argparse

import pytest

from timer_forecaster.cli.windows import WINDOW_OPTIONS, add_windows


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_windows(parser)
    return parser.parse_args(["--horizon", "3", *words])


def test_defaults_are_those_of_the_pipeline():
    import inspect

    from timer_forecaster import ForecastPipeline

    parameters = inspect.signature(ForecastPipeline.backtest_frame).parameters
    arguments = parsed()
    for name in WINDOW_OPTIONS:
        if name != "levels":
            assert getattr(arguments, name) == parameters[name].default


def test_names_are_separated_by_commas():
    assert parsed("--against", "AutoETS, Theta").against == ("AutoETS", "Theta")
    assert parsed("--levels", "0.05,0.95").levels == (0.05, 0.95)
    with pytest.raises(SystemExit):
        parsed("--levels", "a")
