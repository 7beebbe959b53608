"""Pipelines, weights and adapters for tests of adapters."""

import dataclasses
from shutil import copytree

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from timer_forecaster import ForecastPipeline
from timer_forecaster.adapters.adapter import Adapter
from timer_forecaster.adapters.base import Base
from timer_forecaster.checkpoints.loading import plain_network
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.tuning import replaced_by, widened_by_lora

MODEL = "timer-s1-test"
OTHER = "ttm-test"
FOLDER = find_checkpoint(MODEL)
WIDE = {  # is packed for oneDNN
    "hidden_size": 256,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}
LAYER = "model.layers.0.self_attn.q_proj"


def walks(n=3, steps=100):
    return np.random.default_rng(0).normal(size=(n, steps)).cumsum(axis=1)


def load(name=MODEL, device="cpu", **options):
    return ForecastPipeline.from_pretrained(name, device=device, **options)


def forecast(pipe, horizon=40, **options):
    return pipe.predict(walks(), horizon, **options).quantiles


def noise(shape, seed, scale=1.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make_weights(key, target="router+head", seed=0):
    """Weights as a tuning might make them, but different enough to be seen in any forecast."""
    network = plain_network(key)
    own = {name: value.float() for name, value in network.named_parameters()}
    if target != "lora":
        return {
            name: own[name] + noise(own[name].shape, seed + i, 0.3 * float(own[name].abs().mean()))
            for i, name in enumerate(replaced_by(network.config, target, own))
        }
    made = {}
    hot = {"model.layers.0.ffn_layer.experts": [0, 1]}
    for i, layer in enumerate(widened_by_lora(network.config, own, hot)):
        n_out, n_in = own[f"{layer}.weight"].shape
        made[f"{layer}.lora_A.weight"] = noise((2, n_in), seed + i, n_in**-0.5)
        made[f"{layer}.lora_B.weight"] = noise((n_out, 2), -1 - i - seed, 0.3)
    return made


def make_adapter(pipe, target="router+head", seed=0, **record):
    return Adapter(Base.of(pipe.key), target, make_weights(pipe.key, target, seed), record)


def tuned(pipe, adapter):
    return dataclasses.replace(pipe, adapter=adapter)


def rewritten(folder, change, dtype=None, name=MODEL):
    """A copy of the checkpoint for tests whose weights are others."""
    source = find_checkpoint(name)
    copytree(source, folder)
    stored = load_file(source / "model.safetensors")
    changed = {name: change(name, value) for name, value in stored.items()}
    if dtype is not None:
        changed = {name: value.to(dtype) for name, value in changed.items()}
    save_file(changed, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def merged(adapter, folder, name=MODEL):
    """A checkpoint with the weights of an adapter in the place of its own."""

    def change(key, value):
        value = adapter.weights.get(key, value)
        layer = key.removesuffix(".weight")
        if f"{layer}.lora_A.weight" in adapter.weights:
            pair = (adapter.weights[f"{layer}.lora_{side}.weight"] for side in "BA")
            value = value + torch.mm(*pair)
        return value

    return rewritten(folder, change, name=name)
