"""NaN and infinite forecasts are errors that name the checkpoint and the series."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from timer_forecaster import ForecastPipeline
from timer_forecaster.checkpoints import registry
from timer_forecaster.inference import Forecast
from timer_forecaster.inference.outcome import check_outcome, check_range

FOLDER = Path(registry.__file__).parent / "timer-s1-test"
WAVE = np.sin(np.arange(60) / 3)


def damaged(folder, spoil=None, **settings):
    """Copy the test checkpoint with other settings or with spoiled weights."""
    shutil.copytree(FOLDER, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | settings))
    (file,) = folder.glob("*.safetensors")
    weights = load_file(file)
    if spoil is not None:
        spoil(weights)
    save_file(weights, file, metadata={"format": "pt"})
    return str(folder)


def nan_everywhere(weights):
    for name in weights:
        weights[name] = torch.full_like(weights[name], np.nan)


def nan_in_the_head(weights):
    name = next(name for name in weights if name.startswith("output_patch_embedding"))
    weights[name] = weights[name].clone()
    weights[name].view(-1)[0] = np.nan


def infinite_norms(weights):
    for name in weights:
        if "norm" in name:
            weights[name] = torch.full_like(weights[name], np.inf)


def huge(weights):
    for name in weights:
        weights[name] = torch.full_like(weights[name], 1e38)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("options", [{}, {"rollout": "median"}, {"flip": True}, {"horizon": 100}])
def test_weights_that_overflow_are_no_forecast(tmp_path, options):
    timer_s1 = ForecastPipeline.from_pretrained(damaged(tmp_path / "broken", huge), device="cpu")
    with pytest.raises(ValueError, match=r"of series\[1\] is not finite: checkpoint '.*broken'"):
        timer_s1.predict([np.ones(9), WAVE], **{"horizon": 5, **options})


@pytest.mark.parametrize("spoil", [nan_everywhere, nan_in_the_head, infinite_norms])
@pytest.mark.parametrize("options", [{}, {"dtype": "bfloat16"}, {"dtype": "float64"}])
def test_damaged_weights_are_not_loaded(tmp_path, spoil, options):
    folder = damaged(tmp_path / "broken", spoil)
    with pytest.raises(ValueError, match=r"broken.*holds weights that are NaN or infinite in '"):
        ForecastPipeline.from_pretrained(folder, device="cpu", **options)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_weights_that_overflow_in_any_type(tmp_path, dtype):
    folder = damaged(tmp_path / "broken", huge)
    timer_s1 = ForecastPipeline.from_pretrained(folder, device="cpu", dtype=dtype)
    for ask in (
        lambda: timer_s1.predict(WAVE, 3),
        lambda: timer_s1.embed(WAVE),
        lambda: timer_s1.routing(WAVE),
    ):
        with pytest.raises(ValueError, match=r"series\[0\] is not finite: checkpoint"):
            ask()


def test_damaged_weights_in_8_bits(tmp_path, int8_kernel):
    folder = damaged(tmp_path / "broken", nan_everywhere)
    with pytest.raises(ValueError, match=r"broken.*NaN or infinite"):
        ForecastPipeline.from_pretrained(folder, quantization="int8").predict(WAVE, 3)


@pytest.mark.parametrize("theta", [0, 0.0, float("nan")])
def test_a_damaged_setting_is_no_forecast(tmp_path, theta):
    folder = damaged(tmp_path / "broken", rope_theta=theta)
    wave = np.sin(np.arange(300) / 3)  # several tokens: a single one has no place among others
    with pytest.raises(ValueError, match=r"broken|rope_theta"):
        ForecastPipeline.from_pretrained(folder, device="cpu").predict(wave, 3)


@pytest.mark.parametrize("factor", [1e-320, 1e-300, 1e-150, 1e150, 1e290, 1e306])
@pytest.mark.parametrize("horizon", [4, 100])
def test_forecasts_scale_with_series_of_any_size(timer_s1, factor, horizon):
    forecast = timer_s1.predict(WAVE * factor, horizon)
    assert np.isfinite(forecast.quantiles).all()
    if factor > 1e-300:
        np.testing.assert_allclose(
            forecast.quantiles / factor,
            timer_s1.predict(WAVE, horizon).quantiles,
            rtol=1e-6,
            atol=1e-6,
        )


def test_series_at_the_end_of_floats_are_refused_by_name_or_forecast(timer_s1):
    square = np.sign(np.sin(np.arange(60))) * 1.7e308
    refusal = r"series\[1\] by checkpoint 'timer-s1-test' goes beyond .* values reach 1.7e\+308"
    with pytest.raises(ValueError, match=refusal):
        timer_s1.predict([WAVE, square], 4)
    level = np.full(60, 1.7e308)
    level[::2] = 1.699e308
    assert np.isfinite(timer_s1.predict(level, 4).quantiles).all()
    assert timer_s1.predict(np.full(9, -1.7e308), 4).median.tolist() == [[-1.7e308] * 4]


def test_moments_and_tails_beyond_floats_are_refused():
    quantiles = np.array([-1e200, 0, 1e200]) * np.ones((2, 3, 1))
    quantiles[0] = 1
    with pytest.raises(ValueError, match=r"the variance of series\[1\] goes beyond"):
        _ = Forecast(quantiles, (0.1, 0.5, 0.9)).variance
    wide = Forecast(quantiles * 1e108, (0.1, 0.5, 0.9))
    with pytest.raises(ValueError, match=r"the 0.9999 quantile of series\[1\] goes beyond"):
        wide.quantile(0.9999)
    assert np.isnan(Forecast(quantiles * np.nan, (0.1, 0.5, 0.9)).variance).all()


def test_the_checks_themselves():
    check_outcome(np.zeros((1, 2)), [WAVE], "checkpoint 'a'")
    with pytest.raises(ValueError, match=r"embedding of series\[1\] is not finite: checkpoint 'a'"):
        check_outcome(np.array([[0.0], [np.inf]]), [WAVE, WAVE], "checkpoint 'a'", "embedding")
    quantiles = np.zeros((2, 1, 3))
    with pytest.raises(ValueError, match=r"the sample of series\[1\]"):
        check_range(np.array([[0.0], [np.nan]]), "sample", quantiles)
