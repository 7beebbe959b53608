"""Mixers by hand, and gates of each kind."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from ttm import tiny_ttm

from timer_forecaster.models.ttm.mixer import (
    BatchNormOfFeatures,
    ChannelFeatureMixer,
    FeatureMixer,
    Gate,
    MixerBlock,
    MixerLayer,
    MixerSettings,
    PatchMixer,
)


def settings(**changes):
    return MixerSettings.of(tiny_ttm(**changes), 0.0)


@pytest.fixture
def hidden():
    return torch.randn(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))


def mlp(part, values):
    return part.mlp.fc2(F.gelu(part.mlp.fc1(values)))


def gate(part, values):
    return values * part.gating_block.attn_layer(values).softmax(-1)


@pytest.mark.parametrize("gradients", [False, True])
def test_each_mixer_by_hand(hidden, gradients):
    before = hidden.clone()
    patch, feature = PatchMixer(6, 8, settings()), FeatureMixer(8, settings())
    channel = ChannelFeatureMixer(3, 8, settings())
    with torch.set_grad_enabled(gradients):
        normed = F.layer_norm(hidden, (8,))
        torch.testing.assert_close(patch(hidden), gate(patch, mlp(patch, normed.mT)).mT + hidden)
        torch.testing.assert_close(feature(hidden), gate(feature, mlp(feature, normed)) + hidden)
        last = normed.movedim(1, -1)
        torch.testing.assert_close(
            channel(hidden), mlp(channel, gate(channel, last)).movedim(-1, 1) + hidden
        )
    assert torch.equal(hidden, before), "inputs are never overwritten"


def test_one_token_is_not_mixed():
    assert [name for name, _ in MixerLayer(1, 8, settings(), 3).named_children()] == [
        "channel_feature_mixer",
        "feature_mixer",
    ]


@pytest.mark.parametrize("dim", [-1, -2])
@pytest.mark.parametrize("kind", ["softmax", "sigmoid", "glu", "group_sigmoid"])
def test_gates_weigh_either_dimension_alike(kind, dim):
    torch.manual_seed(0)
    values, gate = torch.randn(4, 5, 6), Gate(6, kind, groups=4)
    logits = gate.attn_layer(values)
    expected = {
        "softmax": lambda: values * logits.softmax(-1),
        "sigmoid": lambda: values * logits.sigmoid(),
        "glu": lambda: logits[..., :6] * logits[..., 6:].sigmoid(),
        # six entries in the three groups that divide them
        "group_sigmoid": lambda: (
            values * logits.unflatten(-1, (3, 2)).mean(-1).sigmoid().repeat_interleave(2, -1)
        ),
    }[kind]()
    found = gate(values, -1) if dim == -1 else gate(values.mT, -2).mT
    torch.testing.assert_close(found, expected)


def test_levels_cut_tokens_and_join_them(hidden):
    block = MixerBlock(1, 6, 16, settings(), None, levels=2)
    assert block.mixers[0].mixer_layers[0].patch_mixer.mlp.fc1.in_features == 12
    wide = torch.randn(2, 3, 6, 16)
    finer = block.mixers[0].mixer_layers[0](wide.reshape(2, 3, 12, 8)).reshape(wide.shape)
    torch.testing.assert_close(block.mixers[0](wide), finer)
    states = []
    assert torch.equal(block(wide, states), states[-1]) and len(states) == 2


def test_attention_stands_beside_the_gate(hidden):
    part = PatchMixer(6, 8, settings(self_attn=True, self_attn_heads=2))
    normed = F.layer_norm(hidden, (8,))
    layer = part.self_attn_layer
    query, key, value = (
        own(normed).unflatten(-1, (2, 4)).transpose(-3, -2)
        for own in (layer.q_proj, layer.k_proj, layer.v_proj)
    )
    scores = (query @ key.mT / 2).softmax(-1) @ value
    attended = layer.out_proj(scores.transpose(-3, -2).flatten(-2))
    mixed = gate(part, mlp(part, normed.mT)).mT + attended
    torch.testing.assert_close(part(hidden), F.layer_norm(mixed, (8,)) + hidden)


def test_batch_norms_have_running_statistics_of_features(hidden):
    norm = BatchNormOfFeatures(8, 1e-5)
    norm(hidden * 3 + 1)
    assert norm.batchnorm.running_mean.shape == (8,)
    norm.eval()
    assert torch.equal(norm(hidden)[:1], norm(hidden[:1]))


def test_dropout_is_only_in_training(hidden):
    layer = MixerLayer(6, 8, MixerSettings.of(tiny_ttm(), 0.5))
    assert not torch.equal(layer(hidden), layer(hidden))
    layer.eval()
    assert torch.equal(layer(hidden), layer(hidden))


def test_gradients_reach_every_parameter(hidden):
    layer = MixerLayer(6, 8, settings(gate_mode="group_sigmoid", self_attn=True), 3)
    layer(hidden).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())


def test_tensors_are_mixed_by_any_linear_layer(hidden):
    class Twice(nn.Module):
        def __init__(self, linear):
            super().__init__()
            self.linear = linear

        def forward(self, values):
            return self.linear(values)

    part = PatchMixer(6, 8, settings())
    expected = part(hidden)
    part.mlp.fc1 = Twice(part.mlp.fc1)
    torch.testing.assert_close(part(hidden), expected)
