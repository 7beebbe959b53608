"""The models that a user may name."""

import numpy as np
import pytest
from ttm_channels import mixing

from timer_forecaster import ForecastPipeline
from timer_forecaster.backtesting import backtest
from timer_forecaster.backtesting.baselines import models_of
from timer_forecaster.backtesting.models import SEASONAL_NAIVE, FunctionModel, PipelineModel
from timer_forecaster.evaluation import naive_forecaster
from timer_forecaster.inference.options import DEFAULT


def names(pipe, baselines):
    return list(models_of(pipe, DEFAULT, baselines))


def test_seasonal_naive_takes_part_in_any_case(pipe):
    for given in ((), None, [], {}, "seasonal_naive", ["seasonal_naive"]):
        assert names(pipe, given) == ["timer-s1-test", "seasonal_naive"]


def test_functions_and_pipelines(pipe):
    ttm = ForecastPipeline.from_pretrained("ttm-test", device="cpu")
    found = models_of(pipe, DEFAULT, [naive_forecaster, ttm, "naive"])
    assert list(found)[2:] == ["naive_forecaster", "ttm-test", "naive"]
    assert isinstance(found["ttm-test"], PipelineModel)
    named = models_of(pipe, DEFAULT, {"last": naive_forecaster, "small": ttm})
    assert isinstance(named["last"], FunctionModel)
    assert named["small"].name == "small"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (3, TypeError, "baselines: 3 is neither a name"),
        ([np.zeros(3)], TypeError, "is neither a name"),
        (["naive", "naive"], ValueError, "two models are named 'naive'"),
        (
            {"timer-s1-test": "naive"},
            ValueError,
            "two models are named 'timer-s1-test'; pass a mapping from other names to baselines",
        ),
    ],
)
def test_what_is_no_baseline_is_refused(pipe, given, error, message):
    with pytest.raises(error, match=message):
        models_of(pipe, DEFAULT, given)


def test_a_mapping_names_the_naive_models_too(pipe):
    result = backtest(pipe, np.arange(60.0) % 7, 5, seasonality=7, baselines={"last": "naive"})
    other = backtest(
        pipe, np.arange(60.0) % 7, 5, seasonality=7, baselines={"week": SEASONAL_NAIVE}
    )
    assert result.models[1:] == [SEASONAL_NAIVE, "last"]
    assert other.models[1:] == [SEASONAL_NAIVE, "week"]
    assert result.leaderboard.loc["last", "WQL"] > other.leaderboard.loc["week", "WQL"]


def test_a_pipeline_that_reads_other_rows_is_refused(pipe):
    with pytest.raises(ValueError, match="reads 3 series as one row, and timer-s1-test reads 1"):
        models_of(pipe, DEFAULT, mixing())
