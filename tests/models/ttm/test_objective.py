"""The objective finds quantiles, and unknown targets have no effect on it."""

import torch
from torch import Generator

from timer_forecaster.models.ttm.objective import quantile_terms

LEVELS = torch.tensor([0.1, 0.5, 0.9])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=Generator().manual_seed(seed))


def test_the_loss_is_the_mean_pinball_loss_after_asinh():
    quantiles, targets = draws(4, 3, 5).sort(1).values, draws(4, 5, seed=1)
    terms = quantile_terms(quantiles, targets, torch.ones(4, 5, dtype=torch.bool), LEVELS)
    error = targets[:, None].asinh() - quantiles.asinh()
    level = LEVELS[:, None].expand_as(error)
    expected = torch.where(error > 0, 2 * level * error, 2 * (level - 1) * error)
    torch.testing.assert_close(terms.loss, expected.mean())
    torch.testing.assert_close(terms.point, error[:, 1].abs().mean())


def test_unknown_targets_do_not_count():
    quantiles, targets = draws(4, 3, 5).requires_grad_(), draws(4, 5, seed=1)
    known = draws(4, 5, seed=2) > 0
    loss = quantile_terms(quantiles, targets, known, LEVELS).loss
    other = quantile_terms(quantiles, torch.where(known, targets, 50.0), known, LEVELS).loss
    assert torch.equal(loss, other)
    loss.backward()
    assert (quantiles.grad.mT[~known] == 0).all()


def test_nothing_known_is_no_loss():
    quantiles = draws(2, 3, 5).requires_grad_()
    terms = quantile_terms(quantiles, draws(2, 5), torch.zeros(2, 5, dtype=torch.bool), LEVELS)
    terms.loss.backward()
    assert terms.loss == 0 and (quantiles.grad == 0).all()


def test_the_best_constants_are_the_quantiles():
    targets = 3 * draws(20_000, 1)
    guesses = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.Adam([guesses], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        quantiles = guesses[None, :, None].expand(len(targets), -1, -1)
        quantile_terms(quantiles, targets, torch.ones_like(targets) > 0, LEVELS).loss.backward()
        optimizer.step()
    expected = targets.quantile(LEVELS, dim=0).squeeze(-1)
    torch.testing.assert_close(guesses.detach(), expected, atol=0.3, rtol=0)
