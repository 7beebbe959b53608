"""The network gives the released implementation's numbers, plain and behind transformers."""

import json

import pytest
import torch
from safetensors.torch import load_file
from ttm import OWN, SHARED, ParityModel, tolerance

from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.models.ttm import (
    TinyTimeMixerForDecomposedPrediction,
    TinyTimeMixerForPrediction,
    TTMArchitecture,
    make_network,
)

NAMES = [
    "all_mix",
    "batchnorm",
    "categorical",
    "channel_reconcile",
    "channel_subset",
    "decoder_mix",
    "exog",
    "exog_filter",
    "exog_plain",
    "filter",
    "level_disabled",
    "no_decoder_noscale",
    "no_levels_mean_scaler",
    "r1",
    "r2_ft",
    "r3_decomposed",
    "r3_plain",
    "r3_pool",
    "self_attn",
]
LAYOUT = SHARED / "released_checkpoint_layout.json"


def test_all_models_are_compared():
    if not SHARED.is_dir():
        pytest.skip(f"needs the shared parity models in {SHARED}")
    assert sorted(folder.name for folder in SHARED.iterdir() if folder.is_dir()) == NAMES


@pytest.fixture(params=NAMES)
def parity(request):
    folder = OWN / request.param if (OWN / request.param).is_dir() else SHARED / request.param
    if not folder.is_dir():
        pytest.skip(f"needs the shared parity model {request.param!r} in {SHARED}")
    return ParityModel(folder)


def assert_golden(model, parity, case):
    found = model(**parity.inputs(case))
    golden = parity.outputs(case)
    assert "prediction_outputs" in golden
    for name, value in golden.items():
        own = getattr(found, name).detach()
        assert own.shape == value.shape, (case["key"], name)
        lost = case["max_abs_f32_vs_f64"].get(name, 0.0)
        worst = ((own - value).abs() / tolerance(value, lost)).max().item()
        assert worst <= 1, (case["key"], name, worst)


@pytest.mark.parametrize("gradients", [False, True])
def test_the_plain_network_gives_the_golden_outputs(parity, gradients):
    network = load_plain_network(parity.folder)
    for case in parity.cases:
        with torch.set_grad_enabled(gradients):
            assert_golden(network, parity, case)


def test_the_classes_behind_transformers_give_the_golden_outputs(parity):
    classes = {
        "TinyTimeMixerForPrediction": TinyTimeMixerForPrediction,
        "TinyTimeMixerForDecomposedPrediction": TinyTimeMixerForDecomposedPrediction,
    }
    model = classes[parity.described["model_class"]].from_pretrained(parity.folder)
    for case in parity.cases:
        with torch.inference_mode():
            assert_golden(model, parity, case)


def test_activations_agree_module_by_module(parity):
    network, seen = load_plain_network(parity.folder), {}
    names = {key.removeprefix("act."): key for key in parity.golden if key.startswith("act.")}

    def keep(name):
        def hook(module, inputs, output):
            seen[name] = output.clone()

        return hook

    for name in names:
        network.get_submodule(name).register_forward_hook(keep(name))
    case = parity.cases[0]
    with torch.no_grad():
        network(**parity.inputs(case))
    assert len(names) > 5 and names.keys() == seen.keys()
    for name, key in names.items():
        golden = parity.golden[key]
        assert seen[name].shape == golden.shape, name
        scale = golden.abs().max().clamp_min(1)
        assert (seen[name] - golden).abs().max() / scale < 1e-5, name


def test_gradients_have_the_golden_norms(parity):
    described = parity.described["gradients"]
    case = next(case for case in parity.cases if case["key"] == described["case"])
    network = load_plain_network(parity.folder)
    loss = network(**parity.inputs(case)).loss
    assert loss.item() == pytest.approx(described["loss"], rel=1e-5)
    loss.backward()
    norms = {
        name: 0.0 if parameter.grad is None else parameter.grad.norm().item()
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }
    golden = {name: norm for name, norm in described["norms"].items() if name in norms}
    assert norms.keys() == golden.keys()
    for name, norm in golden.items():
        assert norms[name] == pytest.approx(norm or 0.0, rel=1e-4, abs=1e-6), name


def test_config_json_is_written_as_it_was_read(parity):
    stored = json.loads((parity.folder / "config.json").read_text())
    assert TTMArchitecture.from_dict(stored).to_dict() == stored


def test_all_weights_are_parameters_of_the_layout(parity):
    network = make_network(TTMArchitecture.from_config_file(parity.folder / "config.json"))
    stored = load_file(parity.folder / "model.safetensors")
    assert {name: value.shape for name, value in network.state_dict().items()} == {
        name: value.shape for name, value in stored.items()
    }
    assert (
        sum(parameter.numel() for parameter in network.parameters())
        == (parity.described["parameters"])
    )


def layouts():
    return json.loads(LAYOUT.read_text()) if LAYOUT.is_file() else {"released": None}


@pytest.mark.parametrize(("name", "layout"), layouts().items())
def test_released_checkpoints_have_these_names_and_shapes(name, layout):
    if layout is None:
        pytest.skip(f"needs the shared list of released tensors, {LAYOUT}")
    architecture = TTMArchitecture.from_dict(layout["config"])
    with torch.device("meta"):
        network = make_network(architecture)
    tensors = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert tensors == layout["tensors"]
    assert sum(value.numel() for value in network.parameters()) == layout["parameters"]
    assert architecture.class_name == layout["model_class"]


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({}, 805_280),
        ({"resolution_prefix_tuning": True, "frequency_token_vocab_size": 8}, 854_972),
    ],
)
def test_the_sizes_of_r2_have_the_published_number_of_parameters(changes, parameters):
    architecture = TTMArchitecture(
        context_length=512,
        prediction_length=96,
        patch_length=64,
        patch_stride=64,
        d_model=192,
        num_layers=2,
        adaptive_patching_levels=3,
        decoder_num_layers=2,
        decoder_d_model=128,
        **changes,
    )
    with torch.device("meta"):
        network = make_network(architecture)
    assert sum(value.numel() for value in network.parameters()) == parameters
