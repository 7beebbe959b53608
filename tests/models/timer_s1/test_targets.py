"""Targets choose weights by name."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.adaptation import parameter_shapes
from timer_forecaster.models.timer_s1.targets import replaced_by, widened_by_lora

EXPERTS = "model.layers.0.ffn_layer.experts"


def test_targets_choose_what_they_say():
    shapes = parameter_shapes(TimerS1Architecture())

    def count(target):
        return sum(shapes[name].numel() for name in replaced_by(target, shapes))

    assert count("router") == 40 * 32 * 1024
    assert count("head") == 1024 * 1024 + 1024 + 2 * (1024 * 144 + 144)
    assert count("router+head") == count("router") + count("head") == 2_655_520
    assert count("full") == sum(shape.numel() for shape in shapes.values())
    assert count("norms") == 80 * 1024 + 40 * 2 * 64 + 1024 + 16 * 3 * 1024
    assert replaced_by("lora", shapes) == []
    attention = widened_by_lora(shapes)
    assert len(attention) == 40 * 4
    hot = widened_by_lora(shapes, {EXPERTS: [3, 31]})
    assert set(hot) - set(attention) == {
        f"{EXPERTS}.{n}.{part}_proj" for n in (3, 31) for part in ("gate", "up", "down")
    }


SHAPES = {
    "model.norm.weight": torch.Size([4]),
    "model.layers.0.self_attn.q_proj.weight": torch.Size([4, 4]),
    "model.layers.0.self_attn.q_scale": torch.Size([2]),
    "model.layers.0.ffn_layer.gate.weight": torch.Size([3, 4]),
    "output_patch_embedding.output_layer.bias": torch.Size([9]),
}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("router", ["model.layers.0.ffn_layer.gate.weight"]),
        ("head", ["output_patch_embedding.output_layer.bias"]),
        ("norms", ["model.norm.weight", "model.layers.0.self_attn.q_scale"]),
        ("full", list(SHAPES)),
    ],
)
def test_names_of_a_target(target, expected):
    assert replaced_by(target, SHAPES) == expected
