import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax

from timer_forecaster.finetuning.objectives.timer_s1 import (
    base_routing,
    dense_terms,
    make_windows,
    routing_divergence,
    window_losses,
    window_pass,
)
from timer_forecaster.finetuning.trainable import load_frozen, trainable
from timer_forecaster.finetuning.windows import WindowSampler


@pytest.fixture(scope="module")
def frozen(pipe):
    return load_frozen(pipe.key)


@pytest.fixture
def batch(frozen, waves):
    return WindowSampler(waves, frozen.config, 4, 6, 0, frozen.device).batch()


def test_targets_are_on_the_scale_of_their_context(frozen):
    context = np.array([1.0, 2.0, 3.0, 6.0])
    windows = make_windows(frozen, [context], np.array([[3.0, np.nan, 9.0]]))
    expected = (np.array([3.0, 3.0, 9.0]) - context.mean()) / context.std()
    np.testing.assert_allclose(windows.target[0, [0, 2]], expected[[0, 2]], rtol=1e-6)
    assert windows.observed.tolist() == [[True, False, True]]
    assert windows.target[0, 1] == 0  # finite, and not observed


def test_targets_of_constant_contexts_do_not_count(frozen):
    windows = make_windows(frozen, [np.full(5, 2.0), np.arange(5.0)], np.ones((2, 3)))
    assert windows.observed.tolist() == [[False] * 3, [True] * 3]


def test_contexts_of_different_lengths_are_read_at_their_last_patch(frozen, waves):
    length = frozen.config.input_token_len
    contexts = [waves[0][: 2 * length], waves[1][: 5 * length + 1]]
    targets = np.ones((2, length))
    together = make_windows(frozen, contexts, targets)
    assert together.last_token.tolist() == [1, 5]
    alone = make_windows(frozen, contexts[:1], targets[:1])
    ours = window_pass(frozen, together).quantiles[0]
    torch.testing.assert_close(ours, window_pass(frozen, alone).quantiles[0], atol=1e-5, rtol=0)


def test_a_pass_runs_the_serial_blocks_that_the_horizon_needs(frozen, waves):
    length, n_main = frozen.config.input_token_len, frozen.config.num_hidden_layers
    for horizon, n_blocks in ((1, n_main), (length, n_main), (length + 1, n_main + 1)):
        windows = make_windows(frozen, [waves[0][:64]], np.ones((1, horizon)))
        quantiles, logits = window_pass(frozen, windows)
        assert quantiles.shape == (1, len(frozen.config.quantiles), horizon)
        assert len(logits) == n_blocks


def test_no_more_steps_are_forecast_than_one_pass_has(frozen, waves):
    windows = make_windows(frozen, [waves[0][:64]], np.ones((1, frozen.pass_length + 9)))
    assert window_pass(frozen, windows).quantiles.shape[-1] == frozen.pass_length


def test_the_loss_ignores_steps_that_are_not_observed(frozen, waves):
    targets = np.stack([waves[0][200:216], np.full(16, np.nan)])
    targets[0, 8:] = np.nan
    windows = make_windows(frozen, [waves[0][:200], waves[1][:200]], targets)
    quantiles = window_pass(frozen, windows).quantiles
    losses = window_losses(frozen, quantiles, windows)
    changed = quantiles.clone()
    changed[0, :, 8:] += 5
    changed[1] += 5
    assert torch.equal(window_losses(frozen, changed, windows), losses)
    assert losses[0] > 0 and losses[1] == 0


def test_the_objective_is_the_weighted_sum_of_its_parts(frozen, batch):
    trained = trainable(frozen, "router")
    with torch.no_grad():
        for value in trained.parameters.values():
            value += 0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(0))
    with base_routing(trained.network, frozen) as base_logits:
        terms = dense_terms(trained.network, batch, 1, 0.5, 2.0, base_logits)
    assert terms.router_kl > 0 and terms.balance > 0
    expected = terms.quantile + 0.5 * terms.balance + 2.0 * terms.router_kl
    assert terms.loss.item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_objective_has_no_terms_of_routers_that_are_not_trained(frozen, batch):
    terms = dense_terms(trainable(frozen, "head").network, batch, 1, 0.5, 2.0, None)
    assert terms.balance == terms.router_kl == 0
    assert torch.equal(terms.loss, terms.quantile)


def test_divergence_is_that_of_scipy():
    random = np.random.default_rng(0)
    base, tuned = random.normal(size=(2, 3, 5, 4))
    p, q = softmax(base, -1), softmax(tuned, -1)
    expected = rel_entr(p, q).sum(-1).mean()
    found = routing_divergence(torch.tensor(base).unbind(), torch.tensor(tuned).unbind())
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_routers_that_were_not_changed_do_not_diverge(frozen, batch):
    trained = trainable(frozen, "router")
    with base_routing(trained.network, frozen) as base_logits:
        stages = list(trained.network.stages(batch.inputs.to(trained.network.dtype), 1))
        ours = [part for stage in stages for part in stage.router_logits]
        base = base_logits()
        assert len(base) == len(ours)
        assert routing_divergence(base, ours).item() == pytest.approx(0, abs=1e-6)
        assert base_logits() == []  # they are returned once


def test_routing_is_recorded_in_training_alone(frozen, batch):
    trained = trainable(frozen, "router")
    inputs = batch.inputs.to(trained.network.dtype)
    with base_routing(trained.network, frozen) as base_logits:
        with torch.no_grad():
            list(trained.network.stages(inputs, 1))
        assert base_logits() == []
        list(trained.network.stages(inputs, 1))
    list(trained.network.stages(inputs, 1))  # after the end nothing is recorded
    assert len(base_logits()) == frozen.config.num_hidden_layers + 1
