"""The settings choose the family of a run; families answer alike."""

import pytest
import torch
from torch import Generator

from timer_forecaster.pretraining import PretrainingConfig, TTMPretrainingConfig, build_optimizers
from timer_forecaster.pretraining.families import family_of
from timer_forecaster.pretraining.optimizer import Muon
from timer_forecaster.pretraining.timer_s1 import TimerS1Family
from timer_forecaster.pretraining.ttm import TTMFamily


@pytest.fixture(params=["timer-s1", "ttm"])
def family(request, settings, ttm_settings):
    if request.param == "timer-s1":
        return family_of(PretrainingConfig.from_mapping(settings))
    return family_of(TTMPretrainingConfig.from_mapping(ttm_settings))


def test_the_settings_choose_the_family(settings, ttm_settings):
    assert type(family_of(PretrainingConfig.from_mapping(settings))) is TimerS1Family
    assert type(family_of(TTMPretrainingConfig.from_mapping(ttm_settings))) is TTMFamily


def test_an_objective_returns_its_terms(family):
    rows, steps = family.size(0, 0)
    batch = family.batch(torch.randn(rows, steps).cumsum(-1), Generator().manual_seed(0))
    assert {len(tensor) for tensor in batch} == {rows}
    objective = family.objective(family.network(), torch.device("cpu"), compiled=False)
    terms = objective(batch, *family.arguments(0))
    assert terms.shape == (len(family.terms),) and torch.isfinite(terms).all()
    assert set(family.validated) <= set(family.terms)
    terms[0].backward()
    windows = torch.randn(4, family.held_out_steps()).cumsum(-1)
    held_out = family.batch(windows, Generator().manual_seed(1))
    assert torch.isfinite(objective(held_out, *family.arguments_of_validation())).all()


def test_muon_takes_the_matrices_of_blocks(family):
    network = family.network()
    muon, adamw = build_optimizers(network, "muon", 0.01, family.muon)
    assert isinstance(muon, Muon)
    hidden = [p for group in muon.param_groups for p in group["params"]]
    rest = [p for group in adamw.param_groups for p in group["params"]]
    assert len(hidden) + len(rest) == len(list(network.parameters()))
    assert all(p.ndim == 2 for p in hidden)
    assert sum(p.numel() for p in hidden) > 0.4 * sum(p.numel() for p in network.parameters())
