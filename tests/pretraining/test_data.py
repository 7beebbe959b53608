"""What is drawn depends on seed, step and process alone, and keeps to the shares."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

from timer_forecaster.corpus.shards import build
from timer_forecaster.pretraining import PretrainingConfig, data, timer_s1
from timer_forecaster.pretraining.data import BatchSource

CPU = torch.device("cpu")


class Ramps:
    """A corpus whose windows tell which folder and draw they are from."""

    def __init__(self, folder):
        self.folder, self.skipped, self.calls = folder, {"shard-3": "cut short"}, []

    def sample(self, batch_size, length, index, downsample=0.3, flip=0.5):
        self.calls.append((batch_size, length, index, downsample, flip))
        ramp = torch.arange(length) * (1.0 + index) + (1e4 if self.folder == "base" else 1e8)
        return ramp.repeat(batch_size, 1)


@pytest.fixture
def corpora(monkeypatch):
    opened = {}

    def open_corpus(folder, seed, device):
        return opened.setdefault(folder, Ramps(folder))

    monkeypatch.setattr(data, "open_corpus", open_corpus)
    return opened


def inputs(source, step):
    return torch.cat([part.inputs for part in source.batch(step)])


def test_a_batch_depends_on_seed_step_and_process_alone(settings):
    config = PretrainingConfig.from_mapping(settings)
    source = BatchSource(config, CPU)
    forward = [inputs(source, step) for step in range(config.steps)]
    for step in (17, 3, 14):
        assert torch.equal(inputs(source, step), forward[step])
        assert torch.equal(inputs(BatchSource(config, CPU), step), forward[step])
    same_window = [batch for batch in forward if batch.shape[1] == 7]
    assert not any(torch.equal(a, b) for a, b in pairwise(same_window))
    processes = [BatchSource(config, CPU, rank, 2) for rank in range(2)]
    assert not torch.equal(inputs(processes[0], 3), inputs(processes[1], 3))
    other = PretrainingConfig.from_mapping(settings | {"seed": 1})
    assert not torch.equal(inputs(BatchSource(other, CPU), 3), forward[3])


def test_windows_of_several_lengths_take_turns_by_pools(config):
    source = BatchSource(config, CPU)
    tokens = [inputs(source, step).shape for step in range(14, 24)]
    assert tokens == [(16, 7, 32)] * 4 + [(8, 15, 32)] * 4 + [(16, 7, 32)] * 2


def test_accumulation_cuts_the_same_batch(settings):
    whole = BatchSource(PretrainingConfig.from_mapping(settings), CPU)
    parts = BatchSource(
        PretrainingConfig.from_mapping(settings | {"gradient_accumulation": 4}), CPU
    )
    assert len(parts.batch(2)) == 4
    assert torch.equal(inputs(parts, 2), inputs(whole, 2))


def test_shares_and_settings_reach_the_corpora(settings, corpora):
    settings["data"] |= {"corpus": "base", "real_share": 0.5, "downsample": 0.2, "flip": 0.1}
    settings["stages"][1] |= {
        "data": {"corpus": "short", "real_share": 1.0, "flip": 0.0},
        "revisit_share": 0.25,
    }
    source = BatchSource(PretrainingConfig.from_mapping(settings), CPU)
    for step in range(24):
        source.batch(step)
    base, short = corpora["base"].calls, corpora["short"].calls
    # Pools of four steps of 16 windows: half of them real; then a quarter from the base mix.
    assert [call[0] for call in base] == [32, 32, 32, 32, 8, 4, 8]
    assert [call[0] for call in short] == [48, 24, 48]
    assert {call[3:] for call in base} == {(0.2, 0.1)}
    assert {call[3:] for call in short} == {(0.2, 0.0)}
    indices = [call[2] for call in base + short]
    assert len(set(indices)) == len(indices) and max(indices) < 2 * 7
    assert source.skipped_shards == 2


def test_validation_never_changes(settings, corpora):
    config = PretrainingConfig.from_mapping(settings)
    one, other = (BatchSource(config, CPU, rank, 2).validation() for rank in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    held_out = PretrainingConfig.from_mapping(settings | {"validation_corpus": "held-out"})
    batch = BatchSource(held_out, CPU).validation()
    assert corpora["held-out"].calls == [(256, (8 + 3) * 16, 0, 0.0, 0.0)]
    assert torch.isfinite(batch.inputs).all()


@pytest.mark.parametrize("augmented", [True, False])
def test_augmentation_of_synthetic_series_can_be_switched_off(settings, augmented, monkeypatch):
    settings["data"] = {"families": {"counts": 1}, "synthetic_augmentation": augmented}
    seen = []
    monkeypatch.setattr(
        timer_s1, "make_batch", lambda windows, *_: seen.append(windows) or (windows,)
    )
    BatchSource(PretrainingConfig.from_mapping(settings), CPU).batch(0)
    assert (seen[0] < 0).any() == augmented  # counts are not negative until they are flipped


def test_a_run_goes_through_all_shards(settings, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    waves = list(np.random.default_rng(0).normal(size=(60, 800)).astype("float32"))
    names = [f"wave-{i}" for i in range(len(waves))]
    frame = pd.DataFrame({"item_id": names, "start": None, "freq": "H", "target": waves})
    frame.to_parquet(source / "waves__H.parquet")
    manifest = build(source, tmp_path / "corpus", (), (), shard_megabytes=0.01)
    active, opened = [], data.open_corpus

    def open_corpus(folder, seed, device):
        sampler = opened(folder, seed, device)
        sample = sampler.sample

        def spied(batch_size, length, index, *options):
            active.append(set(sampler.active(index)))
            return sample(batch_size, length, index, *options)

        sampler.sample = spied
        return sampler

    monkeypatch.setattr(data, "open_corpus", open_corpus)
    settings["data"] |= {"corpus": str(tmp_path / "corpus"), "real_share": 1.0}
    settings |= {"pool_steps": 1}
    batches = BatchSource(PretrainingConfig.from_mapping(settings), CPU)
    for step in range(24):
        batches.batch(step)
    assert len(manifest.shards) > max(len(shards) for shards in active)
    assert set().union(*active) == {shard.name for shard in manifest.shards}
