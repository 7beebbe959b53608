"""The layout and the type of a network suit its device, its size and its key."""

import pytest
import torch

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import layout
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network
from timer_forecaster.models.timer_s1.experts import Expert
from timer_forecaster.models.timer_s1.layouts.experts import PackedExpert
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Experts
from timer_forecaster.models.timer_s1.layouts.int8_weights import Int8Expert
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack
from timer_forecaster.models.timer_s1.layouts.packing import replace_experts


def test_random_wide_networks_are_computed_in_float32(monkeypatch):
    monkeypatch.setattr(layout, "fast_in_bfloat16", lambda device: True)
    sizes = {"hidden_size": 256, "intermediate_size": 32, "num_hidden_layers": 1}
    sizes |= {"num_mtp_tokens": 0, "num_experts": 2, "num_attention_heads": 4}
    pipe = ForecastPipeline.from_pretrained(None, config=sizes, device="cpu")
    assert pipe.network.dtype == torch.float32


@pytest.mark.parametrize("fast", [True, False])
def test_wide_networks_are_computed_in_bfloat16_where_that_is_fast(wide, monkeypatch, fast):
    monkeypatch.setattr(layout, "fast_in_bfloat16", lambda device: fast)
    release()
    pipe = ForecastPipeline.from_pretrained(wide, device="cpu")
    assert pipe.network.dtype == (torch.bfloat16 if fast else torch.float32)
    narrow = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    assert narrow.network.dtype == torch.float32
    release()


SIZES = TimerS1Architecture(
    hidden_size=256,
    intermediate_size=32,
    num_hidden_layers=1,
    num_mtp_tokens=0,
    num_experts=2,
    num_attention_heads=4,
)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TimerS1Network(SIZES)


def kinds(network):
    return {type(part) for part in network.modules()}


def lay_out(network, chosen):
    if chosen.pack is not None:
        replace_experts(network, chosen.pack)
    return chosen.finish(network)


def test_experts_compute_in_8_bits_where_that_is_asked_for(network, int8_kernel):
    chosen = layout.layout_for(SIZES, "cpu", torch.float32, "int8")
    assert Int8Experts in kinds(lay_out(network, chosen))


@pytest.mark.skipif(not can_pack(torch.device("cpu"), torch.float32), reason="torch lacks oneDNN")
def test_wide_networks_are_packed_on_a_cpu(network):
    chosen = layout.layout_for(SIZES, "cpu", torch.float32, None)
    assert {PackedExpert, PackedLinear} <= kinds(lay_out(network, chosen))


def test_networks_of_types_that_no_kernel_takes_stay_plain(network):
    chosen = layout.layout_for(SIZES, "cpu", torch.float64, None)
    laid_out = lay_out(network, chosen)
    assert chosen.pack is None
    assert Expert in kinds(laid_out)
    assert laid_out.dtype == torch.float64
    assert not laid_out.training
    assert not any(parameter.requires_grad for parameter in laid_out.parameters())


@pytest.mark.parametrize("plain", [True, False])
def test_stored_experts_become_plain_ones_where_8_bits_are_not_computed(network, plain):
    arguments = ("meta", torch.bfloat16)
    if plain:
        chosen = layout.plain_layout(*arguments, in_8_bits=True)
    else:
        chosen = layout.layout_for(SIZES, *arguments, None, in_8_bits=True)
    assert chosen.deferred is False
    replace_experts(network, Int8Expert)
    laid_out = lay_out(network, chosen)
    assert Expert in kinds(laid_out)
    assert laid_out.device.type == "meta"


def test_large_networks_keep_the_stored_type(monkeypatch, network):
    key = NetworkKey.resolve("timer-s1-test", None, "cpu", "auto")
    monkeypatch.setattr(layout, "fast_in_bfloat16", lambda device: False)
    assert layout.type_to_compute_in(network, key, torch.bfloat16) == torch.float32
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    assert layout.n_parameters(network) == n_parameters
    assert not layout.is_large_in(network.config)
    monkeypatch.setattr(layout, "_LARGE", n_parameters)
    assert layout.is_large(network) and layout.is_large_in(network.config)
    assert layout.type_to_compute_in(network, key, torch.bfloat16) == torch.bfloat16
    asked = key._replace(dtype="float64")
    assert layout.type_to_compute_in(network, asked, torch.bfloat16) == torch.float64
