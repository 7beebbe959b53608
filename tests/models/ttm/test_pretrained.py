"""Loading, saving, training and errors of the classes behind transformers."""

import inspect
import json

import pytest
import torch
from safetensors.torch import load_file
from ttm import OWN, QUANTILES, R3, TINY, save, tiny_network, walks

from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.models.ttm import (
    TinyTimeMixerConfig,
    TinyTimeMixerForDecomposedPrediction,
    TinyTimeMixerForPrediction,
)

CLASSES = {
    "r2_ft": TinyTimeMixerForPrediction,
    "r3_decomposed": TinyTimeMixerForDecomposedPrediction,
}
RELEASED_ARGUMENTS = {
    "past_values",
    "future_values",
    "past_observed_mask",
    "future_observed_mask",
    "freq_token",
    "static_categorical_values",
    "output_hidden_states",
    "return_loss",
    "return_dict",
    "metadata",
}


def model_of(**changes):
    torch.manual_seed(0)
    config = TinyTimeMixerConfig(**(TINY | changes))
    decomposed = config.decompose
    kind = TinyTimeMixerForDecomposedPrediction if decomposed else TinyTimeMixerForPrediction
    return kind(config).eval()


@pytest.mark.parametrize("kind", CLASSES.values())
def test_the_arguments_of_the_released_forward(kind):
    assert RELEASED_ARGUMENTS <= set(inspect.signature(kind.forward).parameters)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("max_shard_size", ["5GB", "30KB"])
def test_save_and_load_keep_layout_and_outputs(name, tmp_path, max_shard_size):
    model = CLASSES[name].from_pretrained(OWN / name)
    model.save_pretrained(tmp_path, max_shard_size=max_shard_size)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert (len(files) > 1) is (max_shard_size == "30KB")
    saved = {key: value for file in files for key, value in load_file(file).items()}
    stored = load_file(OWN / name / "model.safetensors")
    assert saved.keys() == stored.keys()
    assert all(torch.equal(saved[key], value) for key, value in stored.items())
    past = walks(2, 90, 1)
    given = {"freq_token": torch.tensor([0, 3])} if name == "r2_ft" else {}
    with torch.no_grad():
        expected = model(past, **given).prediction_outputs
        for again in (CLASSES[name].from_pretrained(tmp_path), load_plain_network(tmp_path)):
            torch.testing.assert_close(again(past, **given).prediction_outputs, expected)


@pytest.mark.parametrize("changes", [{}, R3, {"decompose": True} | QUANTILES])
def test_the_plain_network_is_loaded_with_equal_output(changes, tmp_path):
    network = tiny_network(**changes)
    save(network, tmp_path / "tiny")
    decomposed = network.architecture.decompose
    kind = TinyTimeMixerForDecomposedPrediction if decomposed else TinyTimeMixerForPrediction
    model = kind.from_pretrained(tmp_path / "tiny")
    past, future = walks(2, 48, 2), walks(2, 12, 2)
    with torch.no_grad():
        own, found = network(past, future), model(past_values=past, future_values=future)
    torch.testing.assert_close(found.prediction_outputs, own.prediction_outputs)
    torch.testing.assert_close(found.loss, own.loss)
    torch.testing.assert_close(found.loc, own.loc)
    assert found.input_data is past and found.forecast_groundtruth is future


def test_the_outputs_that_users_ask_for():
    model, past, future = model_of(), walks(2, 48, 1), walks(2, 12, 1)
    with torch.no_grad():
        output = model(past, future, output_hidden_states=True)
        parts = model(past, future, return_dict=False)
    assert list(output.keys()) == [
        "loss",
        "prediction_outputs",
        "backbone_hidden_state",
        "decoder_hidden_state",
        "hidden_states",
        "loc",
        "scale",
        "input_data",
        "forecast_groundtruth",
    ]
    assert isinstance(parts, tuple) and len(parts) == 10
    assert torch.equal(parts[0], output.loss)
    assert torch.equal(parts[1], output["prediction_outputs"])
    assert parts[4] is None and parts[9] is None
    assert model(past, future, return_loss=False).loss is None
    assert model(past, metadata=["any"]).hidden_states is None


@pytest.mark.parametrize("decompose", [False, True])
def test_light_outputs_have_forecasts_alone(decompose):
    model = model_of(light_mode=True, decompose=decompose)
    assert list(model(walks(2, 48, 1)).keys()) == ["prediction_outputs"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_dtype_is_honored_and_forecasts_stay_close(dtype):
    model = TinyTimeMixerForPrediction.from_pretrained(OWN / "r2_ft", dtype=dtype)
    exact = TinyTimeMixerForPrediction.from_pretrained(OWN / "r2_ft")
    assert model.dtype == dtype
    past, frequency = walks(2, 90, 1) + 1000, torch.tensor([0, 3])
    with torch.no_grad():
        found, expected = (one(past, freq_token=frequency) for one in (model, exact))
    assert (found.prediction_outputs - expected.prediction_outputs).abs().max() < 0.1
    assert found.prediction_outputs.dtype == torch.float32


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"num_input_channels": 3, "decoder_mode": "mix_channel"}, "missing .*channel_feature"),
        ({"context_length": 180}, r"of another shape .*patch_mixer.* with \[\d+\], not \[\d+\]"),
        ({"resolution_prefix_tuning": False}, "unexpected .*freq_mod"),
        ({"num_layers": 1}, r"unexpected .*mixer_layers\.1"),
    ],
)
def test_parts_without_weights_are_refused_by_name(changes, named):
    with pytest.raises(ValueError, match=named):
        TinyTimeMixerForPrediction.from_pretrained(OWN / "r2_ft", **changes)


def test_new_parts_may_be_drawn_to_be_trained():
    changes = {"num_input_channels": 3, "decoder_mode": "mix_channel"}
    model, info = TinyTimeMixerForPrediction.from_pretrained(
        OWN / "r2_ft", **changes, ignore_mismatched_sizes=True, output_loading_info=True
    )
    assert len(info["missing_keys"]) == 16
    mixer = model.decoder.decoder_block.mixers[0].channel_feature_mixer
    assert mixer.mlp.fc1.weight.abs().max() <= 3**-0.5  # torch's own bounds
    assert mixer.mlp.fc1.weight.std() > 0.1 and (mixer.norm.norm.weight == 1).all()
    stored = load_file(OWN / "r2_ft" / "model.safetensors")
    torch.testing.assert_close(
        model.head.base_forecast_block.weight.detach(), stored["head.base_forecast_block.weight"]
    )


def test_each_class_refuses_the_checkpoints_of_the_other():
    with pytest.raises(ValueError, match=r"TinyTimeMixerForDecomposedPrediction .*'-dec-'"):
        TinyTimeMixerForPrediction.from_pretrained(OWN / "r3_decomposed")
    with pytest.raises(ValueError, match=r"decompose=False is a TinyTimeMixerForPrediction"):
        TinyTimeMixerForDecomposedPrediction.from_pretrained(OWN / "r2_ft")
    with pytest.raises(ValueError, match="do not fit TinyTimeMixerForPrediction"):
        TinyTimeMixerForPrediction.from_pretrained(OWN / "r3_decomposed", decompose=False)


def test_initial_weights_are_torch_s_own():
    model = model_of(**R3, use_positional_encoding=True)
    patcher = model.backbone.encoder.patcher.projectors[0].weight
    assert patcher.abs().max() <= 8**-0.5 and patcher.std() > 0.1
    assert 0.5 < model.backbone.encoder.add_tokens.patch_tokens.std() < 1.5
    assert model.backbone.encoder.positional_encoder.position_enc.std() == pytest.approx(0.1)


def test_training_lowers_the_loss():
    model = model_of(**QUANTILES, dropout=0.0, head_dropout=0.0).train()
    series = torch.sin(torch.arange(60) * 0.5)[None, :, None] + 0.1 * walks(8, 60, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = model(past_values=series[:, :48], future_values=series[:, 48:]).loss
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]


def test_the_trainer_of_transformers_trains_it(tmp_path):
    pytest.importorskip("accelerate")
    from transformers import Trainer, TrainingArguments

    model = model_of().train()
    windows = walks(16, 60, 1)
    data = [{"past_values": row[:48], "future_values": row[48:]} for row in windows]
    arguments = TrainingArguments(
        str(tmp_path), num_train_epochs=1, report_to=[], use_cpu=True, save_strategy="no"
    )
    trainer = Trainer(model, arguments, train_dataset=data, eval_dataset=data)
    before = trainer.evaluate()["eval_loss"]
    trainer.train()
    assert trainer.evaluate()["eval_loss"] < before
    forecast, *_ = trainer.predict(data).predictions
    assert forecast.shape == (16, 12, 1)


def test_peft_wraps_the_model():
    peft = pytest.importorskip("peft")
    model, past, future = model_of(), walks(2, 48, 1), walks(2, 12, 1)
    expected = model(past).prediction_outputs
    config = peft.LoraConfig(r=2, target_modules=["fc1", "fc2"])
    wrapped = peft.get_peft_model(model, config).eval()
    torch.testing.assert_close(wrapped(past_values=past).prediction_outputs, expected)
    wrapped(past_values=past, future_values=future).loss.backward()
    trained = {name for name, value in wrapped.named_parameters() if value.grad is not None}
    assert trained and all("lora_" in name for name in trained)


def test_an_exported_model_forecasts_other_series():
    model, past = model_of(), walks(3, 48, 1)
    with torch.no_grad():
        program = torch.export.export(model, (past,), strict=False).module()
        found = program(past.flip(0)).prediction_outputs
        torch.testing.assert_close(found, model(past.flip(0)).prediction_outputs)


def test_quantized_linear_layers_forecast_nearly_the_same():
    model, past = model_of(), walks(3, 48, 1)
    try:
        quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear})
    except (AttributeError, RuntimeError) as error:
        pytest.skip(f"torch has no dynamic quantization here: {error}")
    with torch.no_grad():
        found, expected = (one(past).prediction_outputs for one in (quantized, model))
    assert 0 < (found - expected).abs().max() < 0.2 * past.std()


def test_names_of_the_config_that_is_written(tmp_path):
    model_of(decompose=True).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["TinyTimeMixerForDecomposedPrediction"]
    assert config["init_processing"] is False and "num_patches" not in config
