"""Experts in 8-bit integers: close to float32, and made at loading or once on disk."""

import json
import pickle
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from places import ROOT
from safetensors.torch import load_file

from timer_forecaster import ForecastPipeline, cli, release
from timer_forecaster.checkpoints import conversion as int8
from timer_forecaster.checkpoints import key, quantization
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.evaluation import PipelineForecaster
from timer_forecaster.inference import convert_checkpoint
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.choice import restoring
from timer_forecaster.models.timer_s1.layouts.experts import FusedExpert

MODEL = "timer-s1-test"
PARITY = ROOT / "tests" / "data" / "parity" / "tiny"
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}


def walks(n=12, steps=300):
    return np.random.default_rng(0).normal(size=(n, steps)).cumsum(axis=1)


def load(name=MODEL, device="cpu", **options):
    return ForecastPipeline.from_pretrained(name, device=device, **options)


def difference(pipe, other, series=None):
    """Mean distance of two pipelines' quantiles over the standard deviation of each series."""
    series = walks() if series is None else series
    first, second = (p.predict(series, 96).quantiles for p in (pipe, other))
    return np.mean(np.abs(first - second) / np.std(series, axis=1)[:, None, None])


@pytest.fixture
def pipe(int8_kernel):
    return load(quantization="int8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return convert_checkpoint(MODEL, tmp_path_factory.mktemp("converted") / "net")


# ------------------------------------------------------------------------------- how close it is


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


# ------------------------------------------------------------------------------------ the laws


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


# ------------------------------------------------------------------------------- keys and copies


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
            "two ways to quantise; give one",
        ),
        # any device but a CPU: this one is on every machine
        (
            {"quantization": "int8", "device": "meta"},
            ValueError,
            "for CPUs, and the device is 'meta': give device='cpu' or 'auto', .*_config",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(options, error, message, loads, int8_kernel):
    with pytest.raises(error, match=message):
        load(**options)
    assert loads == []


def test_the_automatic_device_is_the_cpu(monkeypatch, int8_kernel):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for device in ("auto", {"": "auto"}):
        key = NetworkKey.resolve(MODEL, None, device, "auto", quantization="int8")
        assert key.device == "cpu"
    assert load(device="auto", quantization="int8").network.device.type == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_refused():
    with pytest.raises(ValueError, match="device is 'cuda:0': give device_map='cpu' or"):
        NetworkKey.resolve(
            MODEL, None, "cuda:0", "auto", quantization="int8", device_argument="device_map"
        )


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


# ---------------------------------------------------------------------------------- on disk


def test_a_converted_checkpoint_is_the_same_in_a_smaller_file(folder, pipe):
    stored = load(folder)
    assert stored.key.quantization == "int8"
    assert load(folder, quantization="int8").network is stored.network
    series = walks()
    expected = pipe.predict(series, 96).quantiles
    np.testing.assert_array_equal(stored.predict(series, 96).quantiles, expected)
    original = load_file(find_checkpoint(MODEL) / "model.safetensors")
    weights = load_file(folder / "model-00001.safetensors")
    name = "model.layers.0.ffn_layer.experts.0.up_proj.weight"
    assert weights[name].dtype == torch.int8
    restored = weights[name] * weights[f"{name}_scale"]
    assert (restored - original[name]).abs().max() < original[name].abs().max() / 200
    assert torch.equal(weights["model.norm.weight"], original["model.norm.weight"])
    assert not list(folder.parent.glob(".converting*"))


def test_shards_and_the_types_of_other_tensors(tmp_path, monkeypatch, int8_kernel):
    monkeypatch.setattr(int8, "MAX_SHARD_BYTES", 5_000)
    many = convert_checkpoint(find_checkpoint(MODEL), tmp_path / "many")
    index = json.loads((many / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert len(files) > 3
    assert files == {file.name for file in many.glob("*.safetensors")}
    stored = {name: tensor for file in files for name, tensor in load_file(many / file).items()}
    assert stored.keys() == index["weight_map"].keys()
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in stored.values())
    assert difference(load(many), load(quantization="int8")) == 0


def test_on_other_devices_the_experts_are_plain_ones(folder):
    experts = load(folder, device="meta").network.model.layers[0].ffn_layer.experts
    assert {type(expert) for expert in experts} == {Expert}
    assert NetworkKey.resolve(folder, None, "meta", "auto").quantization is None


def test_restored_weights_are_close(folder, monkeypatch):
    release()
    monkeypatch.setattr("timer_forecaster.checkpoints.loading.packing", restoring)
    monkeypatch.setattr("timer_forecaster.checkpoints.loading.join_experts", lambda network: None)
    restored = load(folder, dtype="float32")
    assert 0 < difference(load(), restored) < 0.01
    release()


def test_transformers_reads_it_by_the_library_of_the_format(folder):
    from transformers import CompressedTensorsConfig

    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

    try:
        import compressed_tensors  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match="compressed-tensors"):
            TimerS1ForPrediction.from_pretrained(folder)
        pytest.skip("needs compressed-tensors; that it is named was tested")
    with pytest.warns(UserWarning, match="already has a `quantization_config`"):
        model = TimerS1ForPrediction.from_pretrained(
            folder,
            dtype=torch.float32,
            quantization_config=CompressedTensorsConfig(dequantize=True),
        )
    series = torch.from_numpy(walks(4)).float()
    expected = load().network.generate(series, 40)
    assert 0 < (model.generate(series, 40) - expected).abs().mean() < 0.01 * series.std()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantization_config": {"quant_method": "quanto"}}, "whose experts are stored in 8 bits"),
        ({"quantization": "int4"}, "quantization='int4' is unknown"),
    ],
)
def test_another_quantisation_of_a_converted_checkpoint_is_refused(folder, options, message):
    with pytest.raises(ValueError, match=message):
        load(folder, **options)


def test_a_checkpoint_quantised_otherwise_is_refused(tmp_path, int8_kernel):
    other = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((other / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "quanto", "weights": "int4"}
    (other / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"'int8' cannot be applied to .*quantised already"):
        load(other, quantization="int8")
    with pytest.raises(ValueError, match=r"is quantised already; name the original"):
        convert_checkpoint(other, tmp_path / "again")


@pytest.mark.parametrize(
    ("name", "output", "options", "message"),
    [
        (MODEL, ".", {}, "output '.' exists already"),
        (MODEL, "no/such/folder", {}, "there is no folder 'no/such'"),
        (MODEL, "out", {"quantization": "int4"}, "quantization='int4' is unknown"),
        (MODEL, "out", {"revision": "main"}, "revision='main' applies to hub ids"),
        ("no-such-model", "out", {}, "neither a registry name"),
    ],
)
def test_conversions_that_cannot_be_made_are_refused(
    name, output, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        convert_checkpoint(name, output, **options)
    assert not list(tmp_path.iterdir())


def test_a_conversion_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(int8, "save_file", full)
    with pytest.raises(OSError, match="no space"):
        convert_checkpoint(MODEL, tmp_path / "net")
    assert not list(tmp_path.iterdir())


def test_weights_that_do_not_fit_are_not_converted(tmp_path):
    source = copytree(find_checkpoint(MODEL), tmp_path / "net")
    config = json.loads((source / "config.json").read_text()) | {"num_mtp_tokens": 9}
    (source / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"do not fit its config\.json: missing"):
        convert_checkpoint(source, tmp_path / "out")


# ------------------------------------------------------------------------------- other doors


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


def test_commands(tmp_path, monkeypatch, capsys, int8_kernel):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["convert", MODEL, "--quantization", "int8", "--output", "small"]) == 0
    assert capsys.readouterr().out.startswith(f"Converted {MODEL} in ")
    words = write_days()
    printed = []
    for more in (["--checkpoint", MODEL, "--quantization", "int8"], ["--checkpoint", "./small"]):
        assert cli.main([*words, *more]) == 0
        printed.append(capsys.readouterr().out.splitlines()[:4])
    assert printed[0] == printed[1]
    assert cli.main(["convert", MODEL, "--output", "small"]) == 2
    assert "'small' exists already" in capsys.readouterr().err
