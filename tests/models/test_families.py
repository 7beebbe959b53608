"""One name of a checkpoint switches families."""

import json

import pytest
import torch

from timer_forecaster.models.families import (
    FAMILIES,
    as_architecture,
    family_of,
    from_items,
    make_network,
    read_architecture,
    to_items,
)
from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.ttm import TTMArchitecture

SIZES = {
    "Timer-S1": TimerS1Architecture(hidden_size=16, num_attention_heads=2, num_hidden_layers=1),
    "tinytimemixer": TTMArchitecture(d_model=8, decoder_num_layers=1, extras={"note": "kept"}),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_an_architecture_is_made_again_from_its_key(name):
    items = to_items(SIZES[name])
    assert hash(items) == hash(to_items(SIZES[name]))
    again = from_items(items)
    assert type(again) is type(SIZES[name])
    assert again.hidden_size == SIZES[name].hidden_size


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_has_what_the_rooms_above_read(name):
    with torch.device("meta"):
        network = make_network(SIZES[name])
    config = network.config
    assert config.model_type == name
    assert network.pass_length >= 1
    assert network.device.type == "meta"
    assert config.least_tensors <= len(network.state_dict())
    assert str(config.least_tensors)[0].isdigit()
    assert config.layers_in_words


def test_a_config_of_another_model_is_refused_by_name(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(
        ValueError, match=r"config\.json has model_type 'llama'; expected 'Timer-S1"
    ):
        read_architecture(path)


def test_a_mapping_without_a_type_is_a_timer_s1():
    assert isinstance(as_architecture({"hidden_size": 32}), TimerS1Architecture)
    assert isinstance(as_architecture({"model_type": "tinytimemixer"}), TTMArchitecture)
    with pytest.raises(TypeError, match="config is of type int"):
        as_architecture(3)


def test_each_family_has_its_modules_in_the_rooms_above():
    names = set()
    for architecture in SIZES.values():
        family = family_of(architecture)
        for room in ("inference.engine", "finetuning.objectives"):
            names.add(family.in_room(f"timer_forecaster.{room}").__name__)
        assert family.part("targets").TARGETS
    assert len(names) == 4


def test_a_config_of_another_family_is_refused_with_the_families_that_there_are():
    families = r"model_type='llama'; expected 'Timer-S1' \(Timer-S1\) or 'tinytimemixer'"
    with pytest.raises(ValueError, match=families):
        as_architecture({"model_type": "llama"})
