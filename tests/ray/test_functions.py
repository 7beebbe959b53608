import dataclasses
import inspect

import pytest

import timer_forecaster.ray as door
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.ray import functions
from timer_forecaster.ray.running import Way
from timer_forecaster.scale import BacktestTask, ForecastTask, PathsTask, SeriesColumns

NAMES = {"id_column": "shop", "time_column": "day", "target_columns": "sold", "output": "out"}
TINY = {"checkpoint": "timer-s1-test"}


@pytest.fixture
def runs(monkeypatch):
    """What the functions ask the run for, which is not made."""
    made = []
    monkeypatch.setattr(functions, "run", lambda *asked: made.append(asked))
    return made


def test_a_forecast_is_a_task_with_columns_and_options(runs):
    beside = {"future": "f", "known_columns": ["price"], "past_columns": "visits"}
    how = {"flip": True, "workers": 3, "partitions": 9, "progress": False}
    door.forecast("data", 7, levels=[0.2, 0.8], freq="D", **beside, **how, **NAMES, **TINY)
    data, future, pipeline, task, output, way = runs.pop()
    columns = SeriesColumns("day", "shop", ("sold",), "D", ("price",), ("visits",))
    assert task == ForecastTask(columns, 7, (0.2, 0.8), ForecastOptions(flip=True))
    assert (data, future, output, pipeline.key.device) == ("data", "f", "out", "cpu")
    assert way == Way(3, 9, gpus=True, progress=False)


def test_a_backtest_is_a_task_with_windows(runs):
    windows = {"windows": 3, "step": 2, "min_history": 5, "seasonality": 7}
    door.backtest("data", 7, baselines=["naive"], device="cpu", **windows, **NAMES, **TINY)
    task, way = runs[0][3], runs[0][5]
    columns = SeriesColumns("day", "shop", ("sold",))
    assert task == BacktestTask(columns, 7, 3, 2, 5, 7, (0.1, 0.5, 0.9), ("naive",))
    assert not way.gpus


def test_paths_are_a_task_with_a_seed(runs):
    door.sample_paths("data", 7, 50, random_state=4, past_windows=2, **NAMES, **TINY)
    assert runs[0][3] == PathsTask(SeriesColumns("day", "shop", ("sold",)), 7, 50, 2, 4)


@pytest.mark.parametrize("name", ["forecast", "backtest", "sample_paths"])
def test_every_option_of_a_forecast_is_a_parameter(name):
    parameters = inspect.signature(getattr(door, name)).parameters
    for field in dataclasses.fields(ForecastOptions):
        assert parameters[field.name].default == field.default


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("device", "cuda:1"),
        ("levels", [1.5]),
        ("rollout", "none"),
        ("workers", 0),
        ("partitions", 1.5),
        ("progress", "yes"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_before_ray_starts(argument, value, runs):
    with pytest.raises((ValueError, TypeError), match=argument.removesuffix("s")):
        door.forecast("data", 7, **{argument: value}, **NAMES, **TINY)
    assert runs == []


def test_the_door_has_no_other_names():
    assert all(hasattr(door, name) for name in door.__all__)
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        _ = door.predict
