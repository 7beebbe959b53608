"""What finetuning asks of either family."""

import pytest
import torch

from timer_forecaster.models.families import make_network
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1 import targets as of_timer_s1
from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.models.ttm import targets as of_ttm
from timer_forecaster.models.tuning import (
    TARGETS,
    adapted,
    checked_target,
    computed_by,
    parameter_shapes,
    replaced_by,
    target_of,
    targets_of,
    told_apart_by,
    tuned_names,
    widened_by_lora,
)

SIZES = [
    TimerS1Architecture(
        hidden_size=16,
        intermediate_size=16,
        num_attention_heads=4,
        num_experts=2,
        num_hidden_layers=1,
        num_mtp_tokens=1,
    ),
    TTMArchitecture(num_layers=1, decoder_num_layers=1),
]
both = pytest.mark.parametrize("config", SIZES, ids=["timer-s1", "ttm"])


def test_all_targets_are_those_of_the_families():
    assert set(TARGETS) == {*of_timer_s1.TARGETS, *of_ttm.TARGETS}
    assert len(TARGETS) == len(set(TARGETS))


@both
def test_a_family_takes_its_own_targets_and_names_them(config):
    own = targets_of(config)
    assert checked_target(config, None) in own
    for target in TARGETS:
        if target in own:
            assert checked_target(config, target) == target
        else:
            with pytest.raises(ValueError, match=rf"no such weights.*{own[1]}"):
                checked_target(config, target)


@both
def test_names_of_what_is_tuned(config):
    names = list(parameter_shapes(config))
    head = replaced_by(config, "head", names)
    assert tuned_names(config, "head", names) == head
    assert tuned_names(config, True, names) == names
    assert tuned_names(config, False, names) == []
    assert tuned_names(config, "lora", names) == []
    assert widened_by_lora(config, names)
    assert tuned_names(config, {"unfreeze": head}, names) == head
    assert tuned_names(config, {"freeze": head}, names) == [n for n in names if n not in head]
    assert target_of(config, {"unfreeze": head}, head, names) == "head"
    assert target_of(config, {"unfreeze": names[:1]}, names[:1], names) == "full"


@both
def test_what_leaves_nothing_is_refused(config):
    names = list(parameter_shapes(config))
    with pytest.raises(ValueError, match="'nothing' matches no weight; their names are like"):
        tuned_names(config, {"unfreeze": ["nothing"]}, names)
    with pytest.raises(ValueError, match="leaves nothing to tune"):
        tuned_names(config, {"freeze": ["*"]}, names)


def test_a_part_that_the_checkpoint_does_not_have_is_no_choice():
    names = list(parameter_shapes(SIZES[1]))
    with pytest.raises(ValueError, match=r"'quantile-head' leaves nothing.*finetune can add them"):
        tuned_names(SIZES[1], "quantile-head", names)


@both
def test_adapted_networks_share_what_is_not_new(config):
    network = make_network(config).eval()
    name, *others = dict(network.named_parameters())
    new = torch.nn.Parameter(network.get_parameter(name).detach() + 1)
    found = adapted(network, {name: new})
    assert type(found) is type(network)
    assert found.get_parameter(others[-1]) is network.get_parameter(others[-1])
    assert network.get_parameter(name) is not new


def test_the_sizes_of_a_timer_s1_stay():
    with pytest.raises(ValueError, match="hidden_size: the sizes of a Timer-S1 cannot"):
        parameter_shapes(SIZES[0], {"hidden_size": 32})


@both
def test_checkpoints_are_told_apart(config):
    names = parameter_shapes(config)
    assert any(told_apart_by(config, names).values())
    assert computed_by(config)
