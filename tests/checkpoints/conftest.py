"""Fixtures of tests that load checkpoints."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import save_file

from timer_forecaster.models.timer_s1 import (
    TimerS1Architecture,
    TimerS1Network,
)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A checkpoint that is wide enough for its weights to be packed, stored in bfloat16."""
    folder = tmp_path_factory.mktemp("wide")
    sizes = TimerS1Architecture(
        hidden_size=256,
        intermediate_size=64,
        num_hidden_layers=1,
        num_mtp_tokens=1,
        num_attention_heads=4,
        num_experts=3,
        initializer_range=0.1,
    )
    torch.manual_seed(0)
    network = TimerS1Network(sizes).to(torch.bfloat16)
    save_file(network.state_dict(), folder / "model.safetensors")
    config = {"model_type": "Timer-S1", **dataclasses.asdict(sizes)}
    (folder / "config.json").write_text(json.dumps(config))
    return folder
