"""Properties of the plain network that need no golden values."""

import subprocess
import sys

import pytest
import torch
from ttm import MIXING, R3, tiny_network, tiny_ttm, walks

from timer_forecaster.models.ttm import TTMNetwork

KINDS = {
    "plain": {},
    "r3": R3,
    "mean": {"scaling": "mean"},
    "attention": {"self_attn": True, "use_positional_encoding": True},
}


@pytest.fixture(params=KINDS)
def network(request):
    return tiny_network(**KINDS[request.param])


def test_no_transformers_is_loaded_for_the_network():
    program = (
        "import sys; from timer_forecaster.models.ttm import TTMNetwork; "
        "print('transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_shapes_of_all_outputs(network):
    tokens = network.architecture.num_patches
    with torch.no_grad():
        output = network(walks(3, 48, 2), walks(3, 12, 2), output_hidden_states=True)
    assert output.prediction_outputs.shape == (3, 12, 2)
    assert output.loc.shape == output.scale.shape == (3, 1, 2)
    assert output.backbone_hidden_state.shape == (3, 2, tokens, 16)
    assert output.decoder_hidden_state.shape == (3, 2, tokens, 8)
    assert output.loss.shape == ()
    assert len(output.hidden_states) == 1 + 2 + 1
    assert torch.equal(output.hidden_states[2], output.backbone_hidden_state)
    levels = network.architecture.levels
    assert (output.quantile_outputs is None) is (levels is None)
    if levels is not None:
        assert output.quantile_outputs.shape == (3, 9, 12, 2)
        assert torch.equal(output.quantile_outputs[:, 4], output.prediction_outputs)


def test_rows_and_channels_are_alone(network):
    past = walks(4, 48, 3)
    with torch.no_grad():
        whole = network(past).prediction_outputs
        for row in range(4):
            for channel in range(3):
                alone = network(past[row : row + 1, :, channel : channel + 1])
                torch.testing.assert_close(
                    alone.prediction_outputs[0, :, 0], whole[row, :, channel], atol=2e-5, rtol=2e-5
                )


@pytest.mark.parametrize("name", ["plain", "r3", "attention"])
def test_scale_and_level_in_float64(name):
    network, past = tiny_network(**KINDS[name]).double(), walks(3, 48, 2).double()
    with torch.no_grad():
        forecast = network(past).prediction_outputs
        moved = network(past * 1000 + 1e6).prediction_outputs
    # The variance has 1e-5 added to it.
    torch.testing.assert_close((moved - 1e6) / 1000, forecast, atol=1e-3, rtol=1e-3)


def test_values_in_float64_keep_their_level_in_a_network_of_any_type():
    past = walks(3, 48, 2).double()
    for dtype in (torch.float32, torch.bfloat16):
        network = tiny_network().to(dtype)
        with torch.no_grad():
            low, high = (network(past + level).prediction_outputs for level in (0.0, 1e6))
        assert high.dtype == torch.float64
        torch.testing.assert_close(high - 1e6, low, atol=0.05, rtol=0.05)


def test_gradients_make_no_difference_to_the_numbers(network):
    past = walks(3, 48, 2)
    expected = network(past).prediction_outputs
    with torch.no_grad():
        torch.testing.assert_close(network(past).prediction_outputs, expected)
    with torch.inference_mode():
        torch.testing.assert_close(network(past).prediction_outputs, expected)


@pytest.mark.parametrize("name", KINDS)
def test_inputs_are_never_overwritten(name):
    network = tiny_network(**KINDS[name], scaling=None) if name != "mean" else tiny_network()
    past = walks(3, 48, 2)
    before = past.clone()
    with torch.inference_mode():
        first = network(past).prediction_outputs.clone()
        second = network(past).prediction_outputs
    assert torch.equal(past, before) and torch.equal(first, second)


def test_only_the_newest_steps_count(network):
    past = walks(2, 60, 1)
    with torch.no_grad():
        expected = network(past[:, -48:]).prediction_outputs
        assert torch.equal(network(past).prediction_outputs, expected)


def test_a_mask_of_ones_is_no_mask_and_padding_is_unobserved_with_one(network):
    past = walks(2, 48, 2)
    with torch.no_grad():
        masked = network(past, past_observed_mask=torch.ones_like(past)).prediction_outputs
        torch.testing.assert_close(masked, network(past).prediction_outputs)
        short = past[:, -30:] + 100
        released = network(short)
        honest = network(short, past_observed_mask=torch.ones_like(short))
    mean = short.mean(1, keepdim=True)
    assert (released.loc - mean).abs().min() > 20  # zeros before it were observed
    if network.architecture.scaler == "std":
        torch.testing.assert_close(honest.loc, mean)


def test_unsorted_indices_forecast_the_sorted_channels():
    changes = {"num_input_channels": 4}
    chosen = tiny_network(**changes, prediction_channel_indices=[3, 1])
    every = tiny_network(**changes)
    every.load_state_dict(chosen.state_dict())
    past, future = walks(2, 48, 4), walks(2, 12, 4)
    with torch.no_grad():
        found, whole = chosen(past, future), every(past)
        other = every(past[..., [1, 3]], future[..., [1, 3]])
    torch.testing.assert_close(found.prediction_outputs, whole.prediction_outputs[..., [1, 3]])
    torch.testing.assert_close(found.loc, whole.loc[..., [1, 3]])
    torch.testing.assert_close(found.loss, other.loss)


def test_a_filter_keeps_the_first_steps():
    short, whole = tiny_network(prediction_filter_length=5), tiny_network()
    past = walks(2, 48, 1)
    with torch.no_grad():
        assert torch.equal(short(past).prediction_outputs, whole(past).prediction_outputs[:, :5])


def test_the_known_future_counts_and_that_of_targets_does_not():
    network = tiny_network(**MIXING)
    past, future = walks(2, 48, 4), walks(2, 12, 4)
    targets, exogenous = future.clone(), future.clone()
    targets[..., [0, 2]] += 9
    exogenous[..., [1, 3]] += 9
    with torch.no_grad():
        forecast = network(past, future).prediction_outputs
        assert forecast.shape == (2, 12, 2)
        assert torch.equal(network(past, targets).prediction_outputs, forecast)
        moved = network(past, exogenous).prediction_outputs
    assert (moved - forecast).abs().max() > 1e-2


def test_frequencies_and_categories_count():
    network = tiny_network(resolution_prefix_tuning=True, frequency_token_vocab_size=4)
    past = walks(1, 48, 2).expand(3, -1, -1)
    with torch.no_grad():
        found = network(past, freq_token=torch.tensor([0, 3, 3])).prediction_outputs
    assert (found[0] - found[1]).abs().max() > 1e-3
    torch.testing.assert_close(found[1], found[2])
    network = tiny_network(
        num_input_channels=2, decoder_mode="mix_channel", categorical_vocab_size_list=(3, 5)
    )
    categories = torch.tensor([[0, 0], [2, 4], [2, 4]])
    with torch.no_grad():
        found = network(past, static_categorical_values=categories).prediction_outputs
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_loss_only_where_it_is_asked_for_and_in_units_of_the_data():
    network = tiny_network()
    past, future = walks(2, 48, 1), walks(2, 12, 1)
    with torch.no_grad():
        assert network(past).loss is None
        assert network(past, future, return_loss=False).loss is None
        output = network(past, future)
        expected = (output.prediction_outputs - future).square().mean()
        torch.testing.assert_close(output.loss, expected)
        mask = torch.ones_like(future)
        mask[:, 4:] = 0
        masked = network(past, future, future_observed_mask=mask).loss
    expected = (output.prediction_outputs - future)[:, :4].square().mean()
    torch.testing.assert_close(masked, expected)


@pytest.mark.parametrize("name", ["plain", "r3"])
def test_training_lowers_the_loss_and_reaches_every_parameter(name):
    torch.manual_seed(0)
    network = tiny_network(**KINDS[name], dropout=0.0, head_dropout=0.0).train()
    series = torch.sin(torch.arange(60) * 0.5)[None, :, None] + 0.1 * walks(8, 60, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(40):
        loss = network(series[:, :48], series[:, 48:]).loss
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_decomposed_architecture_is_refused_by_the_name_of_its_class():
    with pytest.raises(ValueError, match=r"TinyTimeMixerForDecomposedPrediction .*'-dec-'"):
        TTMNetwork(tiny_ttm(decompose=True))


def test_a_network_without_weights_can_be_built():
    with torch.device("meta"):
        network = TTMNetwork(tiny_ttm(**R3, use_positional_encoding=True))
    assert {value.device.type for value in network.state_dict().values()} == {"meta"}


def test_type_and_device():
    network = tiny_network().bfloat16()
    assert network.dtype == torch.bfloat16 and network.device.type == "cpu"


def test_the_quantile_head_reads_the_tokens_of_the_targets():
    network = tiny_network(**(R3 | MIXING | {"decoder_mode": "common_channel"}))
    past, future = walks(2, 48, 4), walks(2, 12, 4, seed=1)
    with torch.no_grad():
        output = network(past, future, return_loss=False)
        tokens = output.decoder_hidden_state
        assert output.quantile_outputs.shape == (2, 9, 12, 2)
        scaled = (output.prediction_outputs - output.loc) / output.scale
        head = network.multi_quantile_head_block
        expected = head(scaled, tokens[:, [0, 2]]) * output.scale[:, None] + output.loc[:, None]
    torch.testing.assert_close(output.quantile_outputs, expected, atol=1e-5, rtol=1e-5)
