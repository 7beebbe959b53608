"""The training objective against a transcription of the report's equations into NumPy."""

import numpy as np
import pytest
import torch

from timer_forecaster.models.timer_s1.objective import (
    combine_terms,
    load_balance_loss,
    patch_loss,
    stage_losses,
    tokens_that_count,
)

LEVELS = np.array([0.1, 0.5, 0.9])
B, N, M, Q, P, S = 3, 5, 8, len(LEVELS), 4, 3


@pytest.fixture
def random():
    return np.random.default_rng(0)


def pinball(q, x, forecast):
    return max(q * (x - forecast), (q - 1) * (x - forecast))


def weighted_quantile_loss(quantiles, target, observed):
    """Equation (13), for one patch: quantiles (Q, P), target and observed (P,)."""
    terms = []
    for q, forecast in zip(LEVELS, quantiles, strict=True):
        loss = sum(
            pinball(q, x, f) for x, f in zip(target[observed], forecast[observed], strict=True)
        )
        terms.append(2 * loss / max(sum(abs(target[observed])), 1e-3))
    return np.mean(terms)


def mean_pinball_after_asinh(quantiles, target, observed):
    """Sum and number of 2 rho over the observed steps and the levels of one patch."""
    terms = [
        2 * pinball(q, np.arcsinh(x), np.arcsinh(f))
        for q, forecast in zip(LEVELS, quantiles, strict=True)
        for x, f, o in zip(target, forecast, observed, strict=True)
        if o
    ]
    return sum(terms), len(terms)


def expected_stage(kind, prediction, targets, known, supervised, shift):
    """Mean loss of a stage that predicts, at token i, patch i + shift."""
    patches = [
        (prediction[b, i], targets[b, i + shift], known[b, i + shift])
        for b in range(B)
        for i in range(N)
        if i + shift < M and supervised[b, i] and known[b, i + shift].any()
    ]
    if kind == "wql":
        return np.mean([weighted_quantile_loss(*patch) for patch in patches])
    sums, counts = zip(*(mean_pinball_after_asinh(*patch) for patch in patches), strict=True)
    return sum(sums) / sum(counts)


@pytest.mark.parametrize("kind", ["wql", "pinball"])
def test_every_stage_learns_the_patch_that_lies_its_number_ahead(random, kind):
    predictions = random.normal(size=(S + 1, B, N, Q, P))
    targets = random.normal(size=(B, M, P))
    known = random.random((B, M, P)) < 0.8
    known[0, 3] = False
    supervised = random.random((B, N)) < 0.7
    losses = stage_losses(
        [torch.from_numpy(p) for p in predictions],
        torch.from_numpy(targets).float(),
        torch.from_numpy(known),
        torch.from_numpy(LEVELS).float(),
        kind,
        torch.from_numpy(supervised),
    )
    expected = [
        expected_stage(kind, predictions[j], targets, known, supervised, j + 1)
        for j in range(S + 1)
    ]
    np.testing.assert_allclose([loss.item() for loss in losses], expected, rtol=1e-5)


def test_nothing_observed_costs_nothing():
    quantiles, target = torch.ones(2, Q, P), torch.zeros(2, P)
    none = torch.zeros(2, P, dtype=torch.bool)
    for kind in ("wql", "pinball"):
        assert patch_loss(quantiles, target, none, torch.from_numpy(LEVELS), kind) == 0


def test_load_balance_is_the_product_of_choices_and_probabilities(random):
    n_experts, top_k, tokens = 4, 2, 20
    logits = [random.normal(size=(tokens, n_experts)) for _ in range(2)]
    expected = []
    for block in logits:
        probabilities = np.exp(block) / np.exp(block).sum(1, keepdims=True)
        chosen = np.argsort(-probabilities, axis=1)[:, :top_k]
        share = np.array([(chosen == j).sum() for j in range(n_experts)]) / (top_k * tokens)
        expected.append(n_experts * (share * probabilities.mean(0)).sum())
    actual = load_balance_loss([torch.from_numpy(block) for block in logits], top_k)
    np.testing.assert_allclose(actual.item(), np.mean(expected), rtol=1e-6)
    assert load_balance_loss([torch.zeros(8, 4)], 4).item() == pytest.approx(1.0)


def test_terms_are_next_token_plus_mean_serial_plus_balance():
    losses = [torch.tensor(value) for value in (1.0, 2.0, 3.0, 5.0)]
    aux = torch.tensor(1.5)
    equal = combine_terms(losses, aux, "equal", 0.02)
    assert equal.loss.item() == pytest.approx(1 + (2 + 3 + 5) / 3 + 0.02 * 1.5)
    later = combine_terms(losses, aux, "inverse_sqrt", 0.02)
    serial = (2 / np.sqrt(1) + 3 / np.sqrt(2) + 5 / np.sqrt(3)) / 3
    assert later.stp.item() == pytest.approx(serial)
    assert later.loss.item() == pytest.approx(1 + serial + 0.02 * 1.5)
    assert combine_terms(losses[:1], aux, "equal", 0.0).loss.item() == 1.0


@pytest.mark.parametrize("kind", ["pinball", "wql"])
@pytest.mark.parametrize("share", [0.0, 0.4])
def test_losses_of_supervised_tokens_alone_are_those_of_all(kind, share):
    generator = torch.Generator().manual_seed(0)
    rows, n_tokens, levels, length = 3, 5, torch.tensor([0.1, 0.5, 0.9]), 4
    targets = torch.randn(rows, n_tokens + 1, length, generator=generator)
    known = torch.rand(targets.shape, generator=generator) < 0.8
    supervised = torch.rand(rows, n_tokens, generator=generator) < share
    shape = rows, n_tokens, len(levels), length
    outputs = [torch.randn(shape, generator=generator).requires_grad_() for _ in range(3)]
    tokens = tokens_that_count(supervised)
    counted = [output.flatten(0, 1)[tokens] for output in outputs]
    arguments = targets, known, levels, kind, supervised
    found = []
    for predictions, only in ((outputs, None), (counted, tokens)):
        losses = torch.stack(stage_losses(predictions, *arguments, tokens=only))
        found.append((losses, torch.autograd.grad(losses.sum(), outputs)))
    (whole, gradients), (part, others) = found
    torch.testing.assert_close(part, whole)
    for one, other in zip(others, gradients, strict=True):
        torch.testing.assert_close(one, other)
