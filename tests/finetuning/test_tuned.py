"""Finetuned weights in a plain torch loop, as any framework may train them."""

import copy
import pickle

import numpy as np
import pytest
import torch

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning.steps import window_step
from timer_forecaster.finetuning.tuned import TunedWeights
from timer_forecaster.inference import load_plain_network

NAME = "timer-s1-test"
CPU = torch.device("cpu")


def made(enable_finetuning="head", adapter=None, dtype="auto", seed=0):
    weights = TunedWeights(NAME, None, dtype, enable_finetuning)
    weights.start_from(adapter, seed)
    return weights


def windows():
    walks = np.random.default_rng(0).normal(size=(4, 56)).cumsum(axis=1)
    return walks[:, :48], walks[:, 48:]


def trained(weights, steps=2, lr=1e-2):
    """Train by a loop that knows nothing of this package but the step."""
    optimizer = torch.optim.SGD(weights.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        window_step(weights.network_on(CPU), *windows()).loss.backward()
        optimizer.step()
    return weights


def names_of_network():
    return [name for name, _ in load_plain_network(NAME).named_parameters()]


def forecast(adapter):
    pipe = ForecastPipeline.from_pretrained(NAME, device="cpu", adapter=adapter)
    return pipe.predict(windows()[0], 8).quantiles


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("enable_finetuning", "part", "target"),
    [
        ("head", "output_patch_embedding", "head"),
        ("router", "gate.weight", "router"),
        ({"unfreeze": ["*.gate.weight"]}, "gate.weight", "router"),
        ({"unfreeze": ["*q_proj.weight"]}, "q_proj.weight", "full"),
        (True, "", "full"),
        ({"freeze": []}, "", "full"),
    ],
)
def test_parameters_have_the_names_of_the_network(enable_finetuning, part, target):
    weights = made(enable_finetuning)
    chosen = [name for name in names_of_network() if part in name]
    assert [name for name, _ in weights.named_parameters()] == chosen
    assert set(weights.state_dict()) == {*chosen, "_extra_state"}
    assert weights.adapter.target == target


@pytest.mark.parametrize("off", [False, None])
def test_without_finetuning_there_are_no_weights(off):
    weights = made(off)
    assert not list(weights.parameters())
    assert weights.adapter is None


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ({"unfreeze": ["encoder.*"]}, "'encoder.*' matches no weight; their names are like"),
        ({"freeze": ["*"]}, "leaves nothing to tune"),
    ],
)
def test_patterns_that_choose_nothing_are_refused(patterns, message):
    with pytest.raises(ValueError, match=message.replace("*", r"\*")):
        made(patterns)


# --- training -------------------------------------------------------------------------------


@pytest.mark.parametrize("enable_finetuning", ["head", "lora", {"unfreeze": ["*q_proj.weight"]}])
def test_a_plain_loop_trains_and_the_adapter_forecasts(enable_finetuning):
    weights = made(enable_finetuning)
    before = weights.adapter
    np.testing.assert_allclose(forecast(before), forecast(None), rtol=1e-4, atol=1e-4)
    trained(weights)
    assert weights.adapter != before
    assert set(weights.adapter.weights) == set(dict(weights.named_parameters()))
    assert not np.allclose(forecast(weights.adapter), forecast(before), rtol=1e-6, atol=1e-6)


def test_the_adapter_is_made_once_for_each_version_of_the_weights():
    weights = made()
    first = weights.adapter
    assert weights.adapter is first
    trained(weights, steps=1)
    assert weights.adapter is not first


def test_training_starts_from_an_adapter_and_keeps_its_other_weights():
    head = trained(made("head")).adapter
    weights = made("router", head)
    np.testing.assert_allclose(forecast(weights.adapter), forecast(head), rtol=1e-4, atol=1e-4)
    trained(weights)
    for name, value in head.weights.items():
        assert torch.equal(weights.adapter.weights[name], value)


def test_low_rank_matrices_start_from_the_seed():
    one, same, other = (made("lora", seed=seed).adapter for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_results_of_the_training_are_recorded():
    weights = made()
    weights.note_training(epochs=3)
    assert weights.adapter.record == {
        "tuned_by": "timer_forecaster.finetuning.tuned",
        "enable_finetuning": "head",
        "epochs": 3,
    }


def test_weights_that_are_not_finite_are_refused():
    weights = made()
    with torch.no_grad():
        next(weights.parameters()).fill_(np.nan)
    with pytest.raises(ValueError, match=r"not finite.*a lower learning rate or clipped gradients"):
        _ = weights.adapter


def test_weights_that_no_forecast_needs_are_refused():
    weights = made({"unfreeze": ["mtp_modules.*"]})
    step = window_step(weights.network_on(CPU), *windows())
    with pytest.raises(ValueError, match=r"none of these weights.*of 8 steps.*more than 16"):
        weights.check_trains(step.loss, 8)


def test_a_cast_of_the_module_leaves_the_weights_in_their_type():
    weights = made()
    for cast in (weights.double, weights.half):
        cast()
        assert {value.dtype for value in weights.parameters()} == {torch.float32}


def test_the_network_is_made_once_and_again_after_it_was_freed():
    weights = made()
    network = weights.network_on(CPU)
    assert weights.network_on(CPU) is network
    weights.free_network()
    assert weights.network_on(CPU) is not network


# --- files and copies -----------------------------------------------------------------------


@pytest.mark.parametrize("here", [False, "head", "lora", "router"])
@pytest.mark.parametrize("there", [False, "head", "lora"])
def test_a_state_dict_is_taken_whatever_is_trained_here_and_there(here, there):
    saved = trained(made(there)) if there else made(there)
    weights = made(here, trained(made("norms")).adapter)
    weights.load_state_dict(saved.state_dict())
    np.testing.assert_allclose(
        forecast(weights.adapter), forecast(saved.adapter), rtol=1e-4, atol=1e-4
    )


def test_a_state_dict_holds_plain_values_that_load_safely(tmp_path):
    weights = trained(made("router", trained(made("head")).adapter))
    torch.save(weights.state_dict(), tmp_path / "state.pt")
    assert not torch.serialization.get_unsafe_globals_in_checkpoint(tmp_path / "state.pt")
    again = made("router")
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert again.adapter == weights.adapter


def test_an_optimizer_goes_on_with_the_weights_that_were_loaded():
    weights = made()
    held = list(weights.parameters())
    weights.load_state_dict(trained(made()).state_dict())
    assert [id(value) for value in weights.parameters()] == list(map(id, held))


def test_weights_of_another_checkpoint_are_refused():
    other = TunedWeights("timer-s1-mini", None, "auto")
    with pytest.raises(ValueError, match=r"forecasts with .*timer-s1-mini.*checkpoint and rev"):
        made().load_state_dict(other.state_dict())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_copies_have_the_weights_and_no_network(copied):
    weights = trained(made())
    twin = copied(weights)
    assert twin.adapter == weights.adapter
    trained(twin)
    assert twin.adapter != weights.adapter
    large = len(pickle.dumps(weights.network_on(CPU)))
    assert len(pickle.dumps(weights)) < large / 2
