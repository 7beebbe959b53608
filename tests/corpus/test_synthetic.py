from __future__ import annotations

import pytest
import torch

from timer_forecaster.corpus.synthetic import FAMILIES, SyntheticSeries, augment


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def is_varied(series: torch.Tensor) -> bool:
    return bool((series.amax(dim=1) > series.amin(dim=1)).all())


@pytest.mark.parametrize("length", [64, 2048])
@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_makes_finite_varied_rows(name: str, length: int) -> None:
    series = SyntheticSeries({name: 1.0}).sample(24, length, generator(), "cpu")
    assert series.shape == (24, length)
    assert series.dtype == torch.float32
    assert torch.isfinite(series).all()
    assert is_varied(series)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_functions_are_sound_by_themselves(name: str) -> None:
    series = FAMILIES[name][0](64, 512, generator(3), "cpu")
    varied = series.amax(dim=1) > series.amin(dim=1)
    assert series.shape == (64, 512)
    assert series.dtype == torch.float32
    assert torch.isfinite(series).all()
    assert varied.float().mean() > 0.9


@pytest.mark.parametrize("length", [16, 17, 100, 1000])
def test_any_length(length: int) -> None:
    series = SyntheticSeries().sample(50, length, generator(), "cpu")
    assert series.shape == (50, length)
    assert torch.isfinite(series).all()
    assert is_varied(series)


def test_same_seed_same_series() -> None:
    first = SyntheticSeries().sample(40, 256, generator(7), "cpu")
    again = SyntheticSeries().sample(40, 256, generator(7), "cpu")
    other = SyntheticSeries().sample(40, 256, generator(8), "cpu")
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_global_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    SyntheticSeries().sample(32, 128, generator(), "cpu")
    assert torch.equal(before, torch.random.get_rng_state())


def test_counts_follow_the_weights() -> None:
    corpus = SyntheticSeries({"counts": 3.0, "steps": 1.0, "chaos": 0.0})
    counts = corpus.counts(4000, generator())
    assert sum(counts.values()) == 4000
    assert set(counts) == {"counts", "steps"}
    assert counts["counts"] == pytest.approx(3000, abs=150)


def test_single_row() -> None:
    assert SyntheticSeries().sample(1, 64, generator(), "cpu").shape == (1, 64)


def test_unusable_families_are_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown names.*'sinus'"):
        SyntheticSeries({"sinus": 1.0})
    with pytest.raises(ValueError, match="positive sum"):
        SyntheticSeries({"steps": 0.0})
    with pytest.raises(ValueError, match="weights >= 0"):
        SyntheticSeries({"steps": -1.0, "chaos": 2.0})


def test_augment_flips_about_half_and_keeps_its_input() -> None:
    series = torch.linspace(1, 2, 64).repeat(400, 1)
    kept = series.clone()
    changed = augment(series, generator(), generator(1))
    assert torch.equal(series, kept)
    assert changed.shape == series.shape
    equal = (changed == series).all(dim=1).float().mean()
    flipped = (changed == -series).all(dim=1).float().mean()
    assert 0.1 < equal < 0.4
    assert 0.1 < flipped < 0.4


@pytest.mark.gpu
@pytest.mark.parametrize("where", ["cpu", "cuda"])
def test_on_a_gpu(where: str) -> None:
    random = torch.Generator(where).manual_seed(0)
    series = SyntheticSeries().sample(200, 512, random, "cuda")
    assert series.device.type == "cuda"
    assert torch.isfinite(series).all()
    assert is_varied(series)
