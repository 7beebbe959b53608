"""Names and shapes of new weights."""

import pytest
import torch

from timer_forecaster.models.weights import check_weights

SHAPES = {
    "model.norm.weight": torch.Size([4]),
    "model.layers.0.self_attn.q_proj.weight": torch.Size([4, 4]),
    "model.layers.0.self_attn.q_scale": torch.Size([2]),
    "model.layers.0.ffn_layer.gate.weight": torch.Size([3, 4]),
    "output_patch_embedding.output_layer.bias": torch.Size([9]),
}


def test_weights_of_right_names_and_shapes_are_taken():
    layer = "model.layers.0.self_attn.q_proj"
    weights = {
        "model.norm.weight": torch.ones(4),
        f"{layer}.lora_A.weight": torch.ones(2, 4),
        f"{layer}.lora_B.weight": torch.ones(4, 2),
    }
    check_weights(SHAPES, weights)
    del weights[f"{layer}.lora_B.weight"]
    with pytest.raises(ValueError, match=r"must have the shapes.*lora_A has \(2, 4\), lora_B None"):
        check_weights(SHAPES, weights)
