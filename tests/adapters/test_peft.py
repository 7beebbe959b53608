"""Low-rank adapters in peft's format forecast with peft as they do here, both ways."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1.targets import replaced_by, widened_by_lora

MODEL = "timer-s1-test"
HOT = {f"{block}.ffn_layer.experts": [1] for block in ("model.layers.0", "mtp_modules.0.layer")}
LAYER = "model.layers.0.self_attn.q_proj"


def load(name=MODEL):
    return ForecastPipeline.from_pretrained(name, device="cpu", dtype="float32")


def noise(shape, seed, scale=0.3):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def low_rank(pipe, layers, ranks=(2,)):
    weights = {}
    for i, layer in enumerate(layers):
        n_out, n_in = pipe.network.get_parameter(f"{layer}.weight").shape
        rank = ranks[i % len(ranks)]
        weights[f"{layer}.lora_A.weight"] = noise((rank, n_in), 2 * i)
        weights[f"{layer}.lora_B.weight"] = noise((n_out, rank), 2 * i + 1)
    return weights


def replaced(pipe, target):
    own = dict(pipe.network.named_parameters())
    names = replaced_by(target, own)
    return {name: own[name].float() + noise(own[name].shape, i) for i, name in enumerate(names)}


def make_adapter(pipe, ranks=(2,), hot=None, **weights):
    names = [name for name, _ in pipe.network.named_parameters()]
    return Adapter(
        Base.of(pipe.key), "lora", low_rank(pipe, widened_by_lora(names, hot), ranks) | weights
    )


def series():
    return noise((2, 80), 0, 1.0).cumsum(-1)


def ours(pipe, adapter):
    network = dataclasses.replace(pipe, adapter=adapter).network
    return network.generate(series(), 40)


def plain_model(name=MODEL):
    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

    folder = find_checkpoint(name)
    return TimerS1ForPrediction.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def peft():
    return pytest.importorskip("peft", reason="the peft library is not installed")


@pytest.fixture
def pipe():
    return load()


@pytest.fixture
def written(pipe, tmp_path):
    return make_adapter(pipe).to_peft(tmp_path / "peft")


def assert_same(found, expected, other):
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
    assert (other - expected).abs().mean() > 0.05


# ------------------------------------------------------------------------------- to the library


@pytest.mark.parametrize(
    ("name", "ranks", "hot"),
    [(MODEL, (2,), None), (MODEL, (3, 1, 3, 2), HOT), ("timer-s1-mini", (2, 4), HOT)],
)
def test_peft_loads_what_is_written(peft, name, ranks, hot, tmp_path):
    pipe = load(name)
    adapter = make_adapter(pipe, ranks, hot)
    folder = adapter.to_peft(tmp_path / "new" / "folder")
    model = plain_model(name)
    before = model.generate(series(), 40)
    model = peft.PeftModel.from_pretrained(model, str(folder)).eval()
    assert_same(model.generate(series(), 40), ours(pipe, adapter), before)
    found = peft.PeftConfig.from_pretrained(str(folder))
    assert (found.base_model_name_or_path, found.revision) == (name, None)
    assert Adapter.from_peft(folder, pipe) == adapter


@pytest.mark.parametrize("target", ["router+head", "router", "head"])
def test_peft_loads_routers_and_heads_beside_low_rank_matrices(peft, pipe, target, tmp_path):
    adapter = make_adapter(pipe, **replaced(pipe, target))
    folder = adapter.to_peft(tmp_path)
    model = peft.PeftModel.from_pretrained(plain_model(), str(folder)).eval()
    assert_same(model.generate(series(), 40), ours(pipe, adapter), ours(pipe, None))
    assert Adapter.from_peft(folder, pipe) == adapter


def test_norms_too(peft, pipe, tmp_path):
    weights = {name: own for name, own in replaced(pipe, "norms").items() if "_scale" not in name}
    adapter = make_adapter(pipe, **weights)
    folder = adapter.to_peft(tmp_path)
    model = peft.PeftModel.from_pretrained(plain_model(), str(folder)).eval()
    assert_same(model.generate(series(), 40), ours(pipe, adapter), ours(pipe, None))
    assert Adapter.from_peft(folder, pipe) == adapter


def test_the_library_is_not_needed(pipe, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    adapter = make_adapter(pipe)
    assert Adapter.from_peft(adapter.to_peft(tmp_path), pipe) == adapter


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "no low-rank matrices, without which peft reads none"),
        ({"model.layers.0.self_attn.q_scale": (8,)}, r"not \['q_scale'\] of 'model.layers.0.self"),
        ({f"{LAYER}.weight": (16, 16)}, rf"not \['weight'\] of '{LAYER}'"),
        ({"output_patch_embedding.hidden_layer.weight": (16, 16)}, "not .*hidden_layer"),
    ],
)
def test_what_peft_would_not_read_is_not_written(pipe, weights, message, tmp_path):
    weights = {name: torch.ones(shape) for name, shape in weights.items()}
    if weights:
        weights |= low_rank(pipe, ["model.layers.0.self_attn.k_proj"])
    adapter = Adapter(Base.of(pipe.key), "lora", weights)
    with pytest.raises(ValueError, match=message):
        adapter.to_peft(tmp_path / "peft")
    assert not (tmp_path / "peft").exists()


# ----------------------------------------------------------------------------- from the library

TRAINED = {
    "attention": {"target_modules": ["q_proj", "v_proj"]},
    "by a pattern": {"target_modules": r".*experts\.\d+\.(up|down)_proj"},
    "everything linear": {"target_modules": "all-linear"},
    "alpha": {"target_modules": ["q_proj", "up_proj"], "r": 4, "lora_alpha": 10},
    "rslora": {"target_modules": ["o_proj"], "r": 3, "lora_alpha": 4, "use_rslora": True},
    "patterns": {
        "target_modules": ["q_proj", "k_proj", "up_proj"],
        "rank_pattern": {"q_proj": 2, r"experts\.1\.up_proj": 3},
        "alpha_pattern": {"self_attn.k_proj": 1, r"mtp_modules\.0\..*up_proj": 20},
    },
    "router and head": {
        "target_modules": ["k_proj"],
        "modules_to_save": ["gate", "output_patch_embedding"],
    },
    "norms": {"target_modules": ["k_proj"], "modules_to_save": ["norm1", "norm_embeds"]},
    "dropout": {"target_modules": ["q_proj"], "lora_dropout": 0.3},
}


def trained(peft, **settings):
    """What peft would have trained: matrices that are not zero, and modules that have changed."""
    torch.manual_seed(0)
    config = peft.LoraConfig(**settings)
    model = peft.get_peft_model(plain_model(), config).eval()
    for i, (name, value) in enumerate(model.named_parameters()):
        if "lora_" in name or "modules_to_save" in name:
            value.data += noise(value.shape, i, 0.15)
    return model


@pytest.mark.parametrize("kind", TRAINED)
def test_what_peft_trained_forecasts_the_same_here(peft, pipe, kind, tmp_path):
    model = trained(peft, **TRAINED[kind])
    model.save_pretrained(tmp_path / "peft")
    adapter = Adapter.from_peft(tmp_path / "peft", pipe)
    expected = model.generate(series(), 40)
    assert_same(ours(pipe, adapter), expected, ours(pipe, None))
    assert (adapter.base, adapter.target) == (Base.of(pipe.key), "lora")
    assert adapter.record["peft"]["peft_type"] == "LORA"
    assert Adapter.load(adapter.save(tmp_path / "own")) == adapter
    folder = adapter.to_peft(tmp_path / "again")
    again = peft.PeftModel.from_pretrained(plain_model(), str(folder)).eval()
    torch.testing.assert_close(again.generate(series(), 40), expected, rtol=1e-5, atol=1e-4)


def test_matrices_of_a_smaller_type_are_widened(peft, pipe, tmp_path):
    model = trained(peft, target_modules=["q_proj"])
    model.save_pretrained(tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    save_file({name: value.bfloat16() for name, value in load_file(file).items()}, file)
    adapter = Adapter.from_peft(tmp_path, pipe)
    assert {value.dtype for value in adapter.weights.values()} == {torch.float32}
    torch.testing.assert_close(ours(pipe, adapter), model.generate(series(), 40), rtol=0.1, atol=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_modules": ["q_proj"], "use_dora": True}, "use_dora=True is not supported"),
        ({"target_modules": ["q_proj"], "bias": "lora_only"}, "bias='lora_only' is not supported"),
        ({"target_modules": ["o_proj"], "lora_bias": True}, "lora_bias=True is not supported"),
        (
            {"target_modules": ["q_proj"], "init_lora_weights": "pissa"},
            "init_lora_weights='pissa' changes the base",
        ),
        (
            {"target_modules": ["q_proj"], "modules_to_save": ["embed_layer"]},
            r"'model\.embed_layer\..*' is neither a low-rank matrix nor of a router",
        ),
    ],
)
def test_what_cannot_be_honored_is_refused_by_name(peft, pipe, settings, message, tmp_path):
    trained(peft, **settings).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=message):
        Adapter.from_peft(tmp_path, pipe)


@pytest.mark.parametrize("kind", ["IA3Config", "LoHaConfig"])
def test_other_kinds_of_adapters_are_refused(peft, pipe, kind, tmp_path):
    options = {"feedforward_modules": []} if kind == "IA3Config" else {}
    config = getattr(peft, kind)(target_modules=["q_proj"], **options)
    peft.get_peft_model(plain_model(), config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"peft_type='(IA3|LOHA)' is not 'LORA'"):
        Adapter.from_peft(tmp_path, pipe)


# ------------------------------------------------------------------------------------ the files


def save_peft(folder, pipe, *, layers=(LAYER,), tensors=None, **config):
    """An adapter as peft would write it."""
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["x"]} | config
    (folder / "adapter_config.json").write_text(json.dumps(config))
    stored = low_rank(pipe, layers) if tensors is None else tensors
    save_file(
        {f"base_model.model.{name}": value for name, value in stored.items()},
        folder / "adapter_model.safetensors",
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"target_parameters": ["experts.up_proj"]}, r"target_parameters=\['experts.up_proj'\] is"),
        ({"use_something_new": {"a": 1}}, "use_something_new={'a': 1} is not supported"),
        ({"peft_type": None}, "peft_type=None is not 'LORA'"),
        (
            {"auto_mapping": {"base_model_class": "LlamaForCausalLM"}},
            "it belongs to a LlamaForCausalLM",
        ),
        ({"lora_alpha": "8"}, "cannot be read"),
    ],
)
def test_configurations_that_are_refused(pipe, config, message, tmp_path):
    save_peft(tmp_path, pipe, **config)
    with pytest.raises(ValueError, match=message):
        Adapter.from_peft(tmp_path, pipe)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"model.x.lora_A.weight": (2, 16)}, "'model.x', which is no linear layer"),
        ({f"{LAYER}.lora_A.weight": (2, 16)}, "lora_B None"),
        ({f"{LAYER}.lora_B.weight": (16, 2)}, "lora_A has None"),
        ({f"{LAYER}.lora_magnitude_vector": (16,)}, "lora_magnitude_vector' is neither"),
        ({f"{LAYER}.lora_embedding_A": (2, 16)}, "lora_embedding_A' is neither"),
        ({"model.layers.9.ffn_layer.gate.weight": (2, 16)}, "layers.9.*does not have"),
    ],
)
def test_tensors_of_another_network_are_named(pipe, tensors, message, tmp_path):
    named = {name: torch.ones(shape) for name, shape in tensors.items()}
    save_peft(tmp_path, pipe, tensors=named)
    with pytest.raises(ValueError, match=message):
        Adapter.from_peft(tmp_path, pipe)


def test_files_that_cannot_be_read(pipe, written):
    (written / "adapter_config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"adapter_config\.json holds no settings"):
        Adapter.from_peft(written, pipe)
    (written / "adapter_config.json").write_text("{")
    with pytest.raises(ValueError, match="cannot be read: Expecting"):
        Adapter.from_peft(written, pipe)
    (written / "adapter_model.safetensors").write_bytes(b"short")
    with pytest.raises(ValueError, match="cannot be read"):
        Adapter.from_peft(written, pipe)
    (written / "adapter_model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"adapter_model\.safetensors.*missing"):
        Adapter.from_peft(written, pipe)


def test_all_files_have_the_usual_permissions(written, tmp_path):
    (tmp_path / "usual").touch()
    assert {file.stat().st_mode for file in written.iterdir() if file.is_file()} == {
        (tmp_path / "usual").stat().st_mode
    }


def test_the_base_stays_checked_on_the_way_through_peft(written, pipe, tmp_path):
    """What peft itself saved tells nothing of its base but its name."""
    weights = pipe.network.state_dict()
    changed = {name: value.float() + 0.1 for name, value in weights.items()}
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "config.json").write_text((find_checkpoint(MODEL) / "config.json").read_text())
    save_file(changed, folder / "model.safetensors", metadata={"format": "pt"})
    other = load(folder)
    with pytest.raises(ValueError, match=r"tuned on 'timer-s1-test', and this is .*other'"):
        Adapter.from_peft(written, other)
    save_file(
        load_file(written / "adapter_model.safetensors"), written / "adapter_model.safetensors"
    )
    assert Adapter.from_peft(written, other).base == Base.of(other.key)


def test_forecasts_of_a_pipeline_with_what_peft_trained(written, pipe):
    adapter = Adapter.from_peft(written, pipe)
    values = np.sin(np.arange(60))
    tuned = ForecastPipeline.from_pretrained(MODEL, device="cpu", adapter=adapter)
    assert not np.allclose(tuned.predict(values, 5).median, pipe.predict(values, 5).median)
