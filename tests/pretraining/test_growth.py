"""Growth changes no forecast, and everything new can learn."""

import dataclasses

import pytest
import torch

from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.pretraining import PretrainingConfig, pretrain
from timer_forecaster.pretraining.growth import Growth, grown_weights, inherited_entries
from timer_forecaster.pretraining.variants import load_weights

SIZES = {
    "wider": {"hidden_size": 192, "num_attention_heads": 6},
    "deeper": {"num_hidden_layers": 7},
    "larger experts": {"intermediate_size": 256},
    "all": {
        "hidden_size": 192,
        "num_attention_heads": 6,
        "num_hidden_layers": 6,
        "intermediate_size": 256,
    },
}


def architecture(name="timer-s1-mini"):
    return TimerS1Architecture.from_config_file(find_checkpoint(name) / "config.json")


def grown(changes, name="timer-s1-mini"):
    larger = dataclasses.replace(architecture(name), **changes)
    network = TimerS1Network(larger).eval()
    network.load_state_dict(grown_weights(name, larger))
    return network


def mini():
    network = TimerS1Network(architecture()).eval()
    network.load_state_dict(load_weights("timer-s1-mini"))
    return network


@pytest.mark.parametrize("kind", SIZES)
def test_a_grown_checkpoint_forecasts_as_before(kind):
    series = torch.randn(3, 500, generator=torch.Generator().manual_seed(0)).cumsum(-1)
    series = series / series.std(-1, keepdim=True)
    before, after = mini().generate(series, 128), grown(SIZES[kind]).generate(series, 128)
    assert (after - before).abs().max() < 1e-5


def test_what_is_new_is_drawn_from_the_seed():
    larger = dataclasses.replace(architecture(), **SIZES["all"])
    one, same, other = (grown_weights("timer-s1-mini", larger, seed) for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(one[name], other[name])
    assert torch.equal(one[name][:128, :128], other[name][:128, :128])


def test_everything_new_learns_within_three_steps():
    network = grown(SIZES["all"])
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    parameters = dict(network.named_parameters())
    reached = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in parameters.items()}
    # Enough tokens for the router to send some to nearly every expert.
    patches = torch.randn(16, 40, 32, generator=torch.Generator().manual_seed(0)).cumsum(1) / 3
    for _ in range(3):
        outputs = [network.predict_patch(s.hidden_states) for s in network.stages(patches)]
        torch.stack(outputs).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.1)
        for name, parameter in parameters.items():
            if parameter.grad is not None:
                reached[name] |= parameter.grad != 0
        optimizer.step()
        optimizer.zero_grad()
    inherited = inherited_entries("timer-s1-mini", network.config)
    shares = {
        name: reached[name][~mask].float().mean().item()
        for name, mask in inherited.items()
        if not mask.all()
    }
    assert {n for n, share in shares.items() if share < 0.9 and ".experts." not in n} == set()
    assert sum(share < 0.9 for share in shares.values()) < 0.03 * len(shares)


def test_the_inherited_entries_are_those_of_the_smaller_checkpoint():
    larger = dataclasses.replace(architecture(), **SIZES["all"])
    masks = inherited_entries("timer-s1-mini", larger)
    weights, small = grown_weights("timer-s1-mini", larger), load_weights("timer-s1-mini")
    assert sum(int(mask.sum()) for mask in masks.values()) == sum(p.numel() for p in small.values())
    name = "mtp_modules.3.projection_matrix.weight"
    taken = weights[name][masks[name]].view(small[name].shape)
    assert torch.equal(taken, small[name])
    assert not masks["model.layers.2.norm1.weight"].any()  # a new block


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": 3}, "num_hidden_layers=3 is less than 4"),
        ({"num_experts": 8}, "num_experts=8 must stay 4"),
        ({"hidden_size": 192}, "make heads of 48; those of the checkpoint that is grown have 32"),
    ],
)
def test_what_is_not_growth_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        grown_weights("timer-s1-mini", dataclasses.replace(architecture(), **changes))


def test_a_run_starts_from_a_grown_checkpoint(settings, tmp_path):
    small = architecture("timer-s1-test")
    larger = dataclasses.replace(small, num_hidden_layers=small.num_hidden_layers + 1)
    settings |= {
        "architecture": dataclasses.asdict(larger),
        "initial_checkpoint": {"grow": "timer-s1-test"},
        "stages": [
            settings["stages"][0]
            | {"steps": 2, "learning_rate": 1e-9, "window_patches": [small.num_mtp_tokens + 4]}
            | {"warmup_steps": 0}
        ],
    }
    config = PretrainingConfig.from_mapping(settings)
    assert config.initial_checkpoint == Growth(grow="timer-s1-test")
    folder, _ = pretrain(config, tmp_path / "run", device="cpu")
    trained, expected = load_weights(folder), grown_weights("timer-s1-test", larger)
    assert all(torch.allclose(trained[n], v, atol=1e-2) for n, v in expected.items())


def test_objectives_without_serial_blocks_are_not_grown(settings, tmp_path):
    settings |= {"initial_checkpoint": {"grow": "timer-s1-mini"}, "objective": "ntp"}
    with pytest.raises(ValueError, match="objective='ntp' cannot grow"):
        pretrain(PretrainingConfig.from_mapping(settings), tmp_path, device="cpu")
