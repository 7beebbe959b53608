"""Short series in windows, validation corpora by name."""

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.shards import build
from timer_forecaster.pretraining import PretrainingConfig, pretrain
from timer_forecaster.pretraining.data import BatchSource

CPU = torch.device("cpu")


def source(settings, window, **data):
    settings["data"] |= data
    stage = settings["stages"][0] | {"tokens_per_step": window * 64, "window_patches": [window]}
    settings |= {"stages": [stage], "pool_steps": 4}
    return BatchSource(PretrainingConfig.from_mapping(settings), CPU)


def pool(settings, window, **data):
    batches = source(settings, window, **data)
    batches.batch(0)
    return batches._pool[1]


def lengths(windows):
    return windows.shape[1] - windows.isnan().int().cumprod(dim=1).sum(dim=1)


def test_a_share_of_windows_are_short_series(settings):
    windows = pool(settings, 16, short_share=0.4)
    observed = lengths(windows)
    short = observed < 256
    assert short.float().mean() == pytest.approx(0.4, abs=0.02)
    assert observed.min() >= 24
    assert observed[short].unique().numel() >= 3


def test_short_series_are_made_as_such(settings):
    """A trend or season drawn for 4,096 steps is nothing in 50: they are drawn at their length."""
    windows = pool(settings, 16, short_share=1.0, families={"trend_only": 1})
    for row in windows[:50]:
        values = row[~row.isnan()]
        assert values.std() > 0
        assert np.isfinite(values.numpy()).all()
    # The end is not like the beginning, however short.
    ends = torch.stack([r[~r.isnan()][-4:].mean() - r[~r.isnan()][:4].mean() for r in windows])
    spread = torch.stack([r[~r.isnan()].std() for r in windows])
    assert ((ends.abs() / spread) > 0.5).float().mean() > 0.6


def test_long_windows_stay_whole(settings):
    assert not pool(settings, 64, short_share=1.0).isnan().any()


def test_real_windows_are_cut_to_their_newest_steps(settings):
    batches = source(settings, 16, short_share=0.5)
    mix = batches.config.data
    rows = torch.arange(256.0).expand(1000, -1)
    cut = batches._shortened(mix, rows, torch.Generator().manual_seed(0))
    observed = lengths(cut)
    assert (observed < 256).float().mean() == pytest.approx(0.5, abs=0.02)
    assert (cut[:, -24:] == rows[:, -24:]).all()
    assert observed[observed < 256].float().log().std() > 0.5


def test_maps_and_gaps_reach_the_windows(settings):
    plain = pool(settings, 64)
    gapped = pool(settings, 64, gap_share=0.5)
    assert 0.3 < gapped.isnan().any(dim=1).float().mean() < 0.7
    settings["data"]["gap_share"] = 0.0
    mapped = pool(settings, 64, map_share=0.5)
    assert not mapped.isnan().any() and not torch.equal(mapped, plain)


def test_batches_of_short_series_supervise_something(settings):
    (batch,) = source(settings, 16, short_share=1.0, gap_share=0.2).batch(0)
    counted = (batch.known[:, 1:] & batch.supervised[..., None]).any(dim=(1, 2))
    assert counted.float().mean() > 0.6


def write(folder, name, seed):
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    values = np.random.default_rng(seed).normal(size=(20, 400)).cumsum(1)
    table = pa.table({"item_id": [str(i) for i in range(20)], "target": list(values)})
    pq.write_table(table, folder / f"{name}.parquet")


def test_each_validation_corpus_has_its_losses(settings, tmp_path):
    folders = {}
    for seed, name in enumerate(("slow", "fast")):
        write(tmp_path / f"source-{name}", "x__H", seed)
        build(tmp_path / f"source-{name}", tmp_path / name)
        folders[name] = str(tmp_path / name)
    settings |= {
        "validation_corpus": folders,
        "validation_rows": 12,
        "validation_patches": 10,
        "stages": settings["stages"][:1],
    }
    config = PretrainingConfig.from_mapping(settings)
    batches = BatchSource(config, CPU).validations()
    assert {name: batch.targets.shape[:2] for name, batch in batches.items()} == {
        "slow": (12, 13),
        "fast": (12, 13),
    }
    _, metrics = pretrain(config, tmp_path / "run", device="cpu")
    losses = [metrics[f"validation_{term}_{name}"] for term in ("ntp", "stp") for name in folders]
    assert len(set(losses)) == 4 and np.isfinite(losses).all()
    assert "validation_ntp" not in metrics
