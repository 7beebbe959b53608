"""Parameters that a Darts model refuses, each named in the error."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from darts.utils.likelihood_models import GaussianLikelihood
from darts_cases import (
    ONE_PASS,
    QUIET,
    TRAINING,
    make,
    make_series,
    tuned,
    without_chatter,
)

__all__ = ["without_chatter"]  # fixtures

pytestmark = TRAINING


def test_half_precision_is_refused():
    for precision in ("bf16-true", "16-true"):
        with pytest.raises(ValueError, match=f"precision='{precision}'.*would round the series"):
            make(pl_trainer_kwargs={"precision": precision})
    with pytest.raises(ValueError, match=r"float16.*astype\('float32'\)"):
        make().fit(make_series(dtype="float16"))
    trainer = pl.Trainer(**QUIET, precision="bf16-true", logger=False)
    with pytest.raises(ValueError, match=r"arrives as torch\.bfloat16"):
        make().fit(make_series()).predict(24, trainer=trainer)


@pytest.mark.parametrize("likelihood", [GaussianLikelihood(), "quantile"])
def test_other_likelihoods_are_refused(likelihood):
    with pytest.raises(ValueError, match="Only QuantileRegression likelihood is supported"):
        make(likelihood=likelihood)


@pytest.mark.parametrize(
    "n, error, message",
    [
        (0, ValueError, "n=0 must be at least 1"),
        (-1, ValueError, "n=-1 must be at least 1"),
        (1.5, TypeError, "n=1.5 must be an integer"),
        (True, TypeError, "n=True must be an integer"),
    ],
)
def test_a_horizon_that_is_none_is_refused(n, error, message):
    model = make().fit(make_series())
    with pytest.raises(error, match=message):
        model.predict(n)


def test_roll_sizes_for_which_darts_misplaces_chunks_are_refused():
    series = make_series()
    model = make(64, 24).fit(series)
    for n in (24, 60):
        with pytest.raises(ValueError, match=r"roll_size=5.*output_chunk_length=24"):
            model.predict(n, roll_size=5)
    with pytest.raises(ValueError, match="roll_size=5"):
        model.historical_forecasts(series, stride=9, predict_kwargs={"roll_size": 5})
    assert model.predict(60, roll_size=24) == model.predict(60)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"input_chunk_length": 513}, "input_chunk_length=513 .* at most 512 steps"),
        ({"input_chunk_length": (1, 513)}, "at most 512 steps"),
        ({"input_chunk_length": (5, 3)}, "1 <= min_length <= max_length"),
        ({"output_chunk_length": 0}, "output_chunk_length=0"),
        ({"output_chunk_shift": -1}, "output_chunk_shift=-1"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"hub_model_name": ""}, "hub_model_name='' is empty"),
        ({"covariates": "never"}, "covariates='never' is unknown"),
        ({"rollout": "mean"}, "rollout='mean' is unknown"),
        ({"dtype": "int8"}, "dtype='int8' is not supported"),
        ({"hub_model_name": "nonsense"}, "'nonsense' is neither a registry name"),
        ({"hub_model_revision": "main"}, "applies to hub ids"),
        ({"local_dir": "no-such-folder"}, "does not exist"),
        ({"local_dir": __file__}, "is not a directory"),
        ({"local_dir": Path(__file__).parent}, "holds no config.json"),
        ({"nonsense": 1}, "has no args/kwargs"),
    ],
)
def test_unusable_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"flip": "no"}, "flip='no' must be True or False"),
        ({"output_chunk_length": True}, "output_chunk_length=True must be an integer"),
        ({"input_chunk_length": True}, "input_chunk_length=True must be an integer"),
        ({"input_chunk_length": (1, np.True_)}, "input_chunk_length=.*True.* must be an integer"),
        ({"batch_size": 2.0}, "batch_size=2.0 must be an integer"),
        ({"hub_model_name": None}, "hub_model_name=None must be a string or a path"),
        ({"local_dir": 5}, "local_dir=5 must be a string or a path"),
        ({"pl_trainer_kwargs": 5}, "pl_trainer_kwargs=5 must be a dict"),
    ],
)
def test_parameters_of_other_types_are_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"enable_finetuning": "heads"}, ValueError, "'heads' is unknown; use one of"),
        ({"enable_finetuning": ["head"]}, TypeError, "must be a bool, one of"),
        ({"enable_finetuning": {"invalid": ["*"]}}, ValueError, "exactly one key"),
        ({"enable_finetuning": {"freeze": "*"}}, ValueError, "must be a list of strings"),
        ({"enable_finetuning": {"unfreeze": ["*", "encoder.*"]}}, ValueError, r"'encoder\.\*' mat"),
        ({"enable_finetuning": {"freeze": ["encoder.*"]}}, ValueError, "matches no weight"),
        ({"enable_finetuning": "channels"}, ValueError, "enable_finetuning='channels': Timer-S1"),
        ({"enable_finetuning": {"unfreeze": []}}, ValueError, "leaves nothing to tune"),
        ({"enable_finetuning": {"freeze": ["*"]}}, ValueError, "leaves nothing to tune"),
        ({"loss_fn": torch.nn.L1Loss()}, ValueError, "the loss that the checkpoint"),
        ({"output_chunk_shift": ONE_PASS}, ValueError, "shift=32 leaves nothing to tune"),
        ({"adapter": "no-such-folder"}, ValueError, "adapter='no-such-folder' is neither"),
        ({"adapter": 5}, TypeError, "adapter=5 must be an Adapter"),
    ],
)
def test_what_cannot_be_tuned_is_refused_when_the_model_is_made(arguments, error, message):
    with pytest.raises(error, match=message):
        tuned(**arguments)
