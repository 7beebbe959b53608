"""Networks with experts in 8 bits are close to plain ones, and other quantizations are refused."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_cases import MODEL, SIZES, difference, load, walks
from places import ROOT
from safetensors.torch import load_file

from timer_forecaster import ForecastPipeline, cli, release
from timer_forecaster.checkpoints import key, quantization
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.quantization import canonical_quantization
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.evaluation import PipelineForecaster
from timer_forecaster.inference import convert_checkpoint
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.experts import FusedExpert

PARITY = ROOT / "tests" / "data" / "parity" / "tiny"


@pytest.fixture
def pipe(int8_kernel):
    return load(quantization="int8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return convert_checkpoint(MODEL, tmp_path_factory.mktemp("converted") / "net")


def test_the_golden_outputs_within_a_hundredth(int8_kernel):
    """Weights and inputs of experts are rounded by 1/254 of the largest of a row at most.

    That is 0.3 % of the largest golden value as measured, the more if a token changes experts.
    """
    network = load(PARITY, quantization="int8").network
    golden = load_file(PARITY / "golden.safetensors")
    for case in json.loads((PARITY / "cases.json").read_text())["cases"]:
        expected = golden[f"{case['key']}.output"]
        found = network.generate(
            golden[f"{case['key']}.input"], case["horizon"], revin=case["revin"]
        )
        error = (found - expected).abs().max() / expected.abs().max()
        assert 0 < error < 0.01, case


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_a_trained_checkpoint_forecasts_nearly_the_same(dtype, int8_kernel):
    plain = load("timer-s1-mini")
    rounded = load("timer-s1-mini", dtype=dtype, quantization="int8")
    assert str(rounded.network.dtype) == f"torch.{dtype}"
    assert 0 < difference(plain, rounded) < (0.02 if dtype == "bfloat16" else 0.01)


def test_experts_are_replaced_and_the_rest_is_as_it_was(pipe):
    plain, network = load().network, pipe.network
    pipe.predict(np.random.default_rng(0).normal(size=(20, 300)), 1)  # experts pack at first use
    kinds = {type(expert) for expert in network.modules()}
    assert FusedExpert in kinds
    assert Expert not in kinds
    stayed = network.state_dict()
    expected = {k: v for k, v in plain.state_dict().items() if ".experts." not in k}
    assert stayed.keys() == expected.keys()
    assert all(torch.equal(stayed[name], expected[name]) for name in stayed)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_scale_and_level_do_not_matter(dtype, int8_kernel):
    pipe, series = load(dtype=dtype, quantization="int8"), walks(4)
    expected = pipe.predict(series, 50).quantiles
    for scale, level in ((1e-9, 0), (1e9, 0), (64, 1024)):
        found = (pipe.predict(series * scale + level, 50).quantiles - level) / scale
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_forecast_does_not_depend_on_its_batch(pipe):
    series = [walk[: 40 + 20 * i] for i, walk in enumerate(walks())]
    together = pipe.predict(series, 70).quantiles
    alone = np.concatenate([pipe.predict([walk], 70).quantiles for walk in series])
    # float32 sums of what is not in 8 bits may differ, and with them a rounding
    np.testing.assert_allclose(alone, together, atol=1e-4)
    assert np.array_equal(pipe.predict(series, 70).quantiles, together)


def test_series_of_zeros_and_of_one_value(pipe):
    forecast = pipe.predict([np.zeros(50), np.full(50, 3.0), walks(1)[0]], 20)
    assert (forecast.quantiles[0] == 0).all()
    assert (forecast.quantiles[1] == 3).all()
    assert np.isfinite(forecast.quantiles).all()


def test_networks_are_told_apart_and_shared(pipe):
    assert load(quantization="int8").network is pipe.network
    assert load().network is not pipe.network
    assert pickle.loads(pickle.dumps(pipe)).network is pipe.network  # noqa: S301
    assert len(pickle.dumps(pipe)) < 2000
    settings = {PipelineForecaster(load(quantization=q)).settings for q in (None, "int8")}
    assert len(settings) == 2


def test_random_networks_too(int8_kernel):
    plain, rounded = (load(None, config=SIZES, quantization=q) for q in (None, "int8"))
    assert 0 < difference(plain, rounded) < 0.05


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"quantization": "int4"}, ValueError, "quantization='int4' is unknown; use 'int8'"),
        ({"quantization": "INT8"}, ValueError, "quantization='INT8' is unknown"),
        ({"quantization": 8}, ValueError, "quantization=8 is unknown"),
        ({"quantization": torch.int8}, ValueError, "quantization=torch.int8 is unknown"),
        (
            {"quantization": "int8", "quantization_config": {"quant_method": "quanto"}},
            ValueError,
            "two ways to quantize; give one",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(options, error, message, loads, int8_kernel):
    with pytest.raises(error, match=message):
        load(**options)
    assert loads == []


def test_8_bits_are_refused_on_other_devices_than_a_cpu():
    message = "for CPUs, and the device is 'meta': give device='cpu' or 'auto', .*_config"
    with pytest.raises(ValueError, match=message):
        quantization.check_int8("int8", torch.device("meta"), "device")


def test_a_torch_without_the_kernel_is_refused_before_loading(monkeypatch, loads):
    def absent():
        raise ImportError("no such kernel")

    monkeypatch.setattr(quantization, "activation_steps", absent)
    with pytest.raises(ImportError, match="no such kernel"):
        load(quantization="int8")
    assert loads == []


def test_where_it_was_not_asked_for_stored_experts_are_made_plain_ones(folder, monkeypatch):
    def absent():
        raise ImportError("no such kernel")

    settled = NetworkKey.resolve(folder, None, "cpu", "auto")
    expected = load().predict(walks(), 20)
    release()
    monkeypatch.setattr(key, "activation_steps", absent)
    monkeypatch.setattr(quantization, "activation_steps", absent)
    pipe = load(folder)
    assert pipe.key.quantization is None
    np.testing.assert_allclose(pipe.predict(walks(), 20).median, expected.median, atol=0.5)
    if settled.quantization is not None:  # a key from another machine: told at loading
        with pytest.raises(ImportError, match="no such kernel"):
            _ = ForecastPipeline(settled).network
    release()


@pytest.mark.parametrize(
    ("quantization", "error", "message"),
    [
        ("int8", TypeError, "quantization_config='int8' must be a configuration"),
        ({"quant_method": "nope"}, ValueError, "Unknown quantization type, got nope"),
        ({"quant_method": object()}, TypeError, "quantization_config=.*JSON"),
    ],
)
def test_quantizations_that_cannot_be_used_are_refused(quantization, error, message):
    with pytest.raises(error, match=message):
        load(quantization_config=quantization)


def test_sktime_and_scikit_learn(int8_kernel):
    pytest.importorskip("sktime")
    import pandas as pd

    from timer_forecaster.sklearn import TimerS1Regressor
    from timer_forecaster.sktime import TimerS1Forecaster

    series = walks(1, 80)[0]
    options = {"model_path": MODEL, "device_map": "cpu", "quantization": "int8"}
    expected = load(quantization="int8").predict(series, 3).median[0]
    forecaster = TimerS1Forecaster(**options)
    assert forecaster.clone().get_params()["quantization"] == "int8"
    fitted = pickle.loads(pickle.dumps(forecaster.fit(pd.Series(series))))  # noqa: S301
    np.testing.assert_allclose(fitted.predict([1, 2, 3]), expected)
    assert len(pickle.dumps(fitted)) < 20_000
    regressor = TimerS1Regressor(**options).fit([series], [[0, 0, 0]])
    np.testing.assert_allclose(regressor.predict([series])[0], expected)
    for estimator in (TimerS1Forecaster, TimerS1Regressor):
        wrong = estimator(model_path=MODEL, device_map="cpu", quantization="int4")
        data = ([series], [[0]]) if estimator is TimerS1Regressor else (pd.Series(series),)
        with pytest.raises(ValueError, match="quantization='int4' is unknown"):
            wrong.fit(*data)


def test_darts(int8_kernel):
    pytest.importorskip("darts")
    from darts import TimeSeries

    from timer_forecaster.darts import TimerS1Model

    series = walks(1, 80)[0]

    def model(quantization):
        return TimerS1Model(
            (1, 80),
            3,
            hub_model_name=MODEL,
            quantization=quantization,
            pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
        )

    found = model("int8").fit(TimeSeries.from_values(series)).predict(3).values()[:, 0]
    expected = load(quantization="int8").predict(series, 3).median[0]
    np.testing.assert_allclose(found, expected)
    with pytest.raises(ValueError, match="quantization='int4' is unknown"):
        model("int4")
    for accelerator in ("gpu", "cuda", "mps"):
        with pytest.raises(ValueError, match=f"for CPUs, .* accelerator='{accelerator}'"):
            TimerS1Model(
                (1, 80), 3, quantization="int8", pl_trainer_kwargs={"accelerator": accelerator}
            )


@pytest.mark.parametrize("door", ["sktime", "sklearn", "command"])
def test_other_doors_compute_on_the_cpu_beside_a_gpu(door, monkeypatch, tmp_path, int8_kernel):
    resolved = []
    original = NetworkKey.resolve

    def resolve(*arguments, **options):  # sees the GPU; nothing else of torch does
        with monkeypatch.context() as patch:
            patch.setattr(torch.cuda, "is_available", lambda: True)
            resolved.append(original(*arguments, **options))
        return resolved[-1]

    monkeypatch.setattr(NetworkKey, "resolve", resolve)
    options = {"model_path": MODEL, "quantization": "int8"}
    if door == "sktime":
        forecasting = pytest.importorskip("timer_forecaster.sktime")
        import pandas as pd

        forecasting.TimerS1Forecaster(**options).fit(pd.Series(walks(1, 80)[0])).predict([1])
    elif door == "sklearn":
        from timer_forecaster.sklearn import TimerS1Regressor

        TimerS1Regressor(**options).fit(walks(1, 80), [[0]]).predict(walks(1, 80))
    else:
        monkeypatch.chdir(tmp_path)
        words = [*write_days(), "--checkpoint", MODEL, "--quantization", "int8"]
        assert cli.main(words) == 0
    assert {key.device for key in resolved} == {"cpu"}


def write_days():
    """Write a file; give the words of a forecast of it."""
    rows = ["day,load", *(f"2024-01-{day:02d},{day % 7}" for day in range(1, 31))]
    Path("data.csv").write_text("\n".join(rows))
    return ["forecast", "data.csv", "--time-column", "day", "--horizon", "3"]


def test_equal_quantizations_have_one_text():
    class Config:
        def to_dict(self):
            return {"bits": 4, "a": [1]}

    assert canonical_quantization(None) is None
    texts = {canonical_quantization(c) for c in (Config(), {"a": [1], "bits": 4}, Config())}
    assert texts == {'{"a": [1], "bits": 4}'}


def test_the_stored_form_is_told_from_other_quantizations(folder):
    config = quantization.read_config(folder)
    plain = quantization.read_config(find_checkpoint(MODEL))
    other = plain | {"quantization_config": {"quant_method": "quanto"}}
    configs = (plain, config, other)
    assert [quantization.is_int8(c) for c in configs] == [False, True, False]
    assert [quantization.is_quantized_otherwise(c) for c in configs] == [False, False, True]


# --- a TinyTimeMixer has no experts -----------------------------------------------------------


def test_a_mixer_is_not_quantized(tmp_path, int8_kernel):
    sizes = {"model_type": "tinytimemixer", "context_length": 32, "patch_length": 8}
    sizes |= {"patch_stride": 8, "d_model": 8, "decoder_d_model": 8}
    advice = "is a TinyTimeMixer.*leave quantization out"
    with pytest.raises(ValueError, match=f"quantization='int8'.*'ttm-test' {advice}"):
        load("ttm-test", quantization="int8")
    with pytest.raises(ValueError, match=f"this config {advice}"):
        load(None, config=sizes, quantization="int8")
    with pytest.raises(ValueError, match=advice):
        load(ROOT / "tests" / "data" / "ttm" / "r2_ft", quantization="int8")
    library = {"quantization_config": {"quant_method": "quanto", "weights": "int8"}}
    with pytest.raises(ValueError, match=r"'ttm-test' is a TinyTimeMixer.*quantization_config out"):
        load("ttm-test", **library)
    assert load("ttm-test").network is not None
