"""By what a run is known again."""

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.scale import ForecastTask, SeriesColumns
from timer_forecaster.scale.identity import run_identity

COLUMNS = SeriesColumns("day", "shop", ["sold"])


def test_all_settings_count(pipe):
    given = run_identity(pipe, ForecastTask(COLUMNS, 3), {"data": [["a", 1]]})
    assert given == run_identity(pipe, ForecastTask(COLUMNS, 3), {"data": (("a", 1),)})
    others = {
        "horizon": run_identity(pipe, ForecastTask(COLUMNS, 4), {"data": [["a", 1]]}),
        "flip": run_identity(
            pipe, ForecastTask(COLUMNS, 3, options=ForecastOptions(flip=True)), {"data": [["a", 1]]}
        ),
        "data": run_identity(pipe, ForecastTask(COLUMNS, 3), {"data": [["a", 2]]}),
    }
    for name, other in others.items():
        assert [key for key in given if given[key] != other[key]] == [name]


def test_the_weights_count_and_not_their_name(pipe):
    task = ForecastTask(COLUMNS, 3)
    other = ForecastPipeline.from_pretrained("ttm-test", device="cpu", dtype="float64")
    own, others = run_identity(pipe, task, {}), run_identity(other, task, {})
    assert [key for key in own if own[key] != others[key]] == ["checkpoint"]
