from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from timer_forecaster.corpus.manifest import Manifest
from timer_forecaster.corpus.sampler import ShardSampler
from timer_forecaster.corpus.shards import build

NAMES = ("large__H", "middle__H", "small__H")


def write(folder: Path, stem: str, targets: list[np.ndarray]) -> None:
    items = [f"{stem}/{i}" for i in range(len(targets))]
    targets = [values.astype(np.float32) for values in targets]
    folder.mkdir(exist_ok=True)
    pd.DataFrame({"item_id": items, "target": targets}).to_parquet(folder / f"{stem}.parquet")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve shards or so of three data sets; series number i lies near 100 i."""
    folder = tmp_path_factory.mktemp("sampler")
    rng = np.random.default_rng(0)
    counts, number = zip(NAMES, (400, 100, 25), strict=True), 0
    for name, count in counts:
        targets = []
        for _ in range(count):
            targets.append(100.0 * number + rng.normal(size=200))
            number += 1
        write(folder / "source", name, targets)
    build(folder / "source", folder / "corpus", shard_megabytes=0.03)
    return folder / "corpus"


def copy(corpus: Path, target: Path) -> Path:
    target.mkdir()
    for file in corpus.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    return torch.equal(first.nan_to_num(1e30), second.nan_to_num(1e30))


def series_numbers(windows: torch.Tensor) -> np.ndarray:
    return (windows.nanmean(dim=1) / 100).round().long().numpy()


def test_shape_kind_and_counts(corpus: Path) -> None:
    sampler = ShardSampler(corpus, active_shards=3)
    windows = sampler.sample(50, 64, 0)
    assert windows.shape == (50, 64)
    assert windows.dtype == torch.float32
    assert len(sampler) == 525
    assert sampler.points == 525 * 200
    assert sampler.names == NAMES
    assert sampler.skipped == {}


@settings(max_examples=15, deadline=None)
@given(order=st.lists(st.integers(0, 400), min_size=2, max_size=6), seed=st.integers(0, 3))
def test_a_draw_does_not_depend_on_those_before_it(
    corpus: Path, order: list[int], seed: int
) -> None:
    """Any order of draws, in a used or a fresh sampler, gives the same windows."""
    used = ShardSampler(corpus, seed=seed, active_shards=3, draws_per_shard=4)
    drawn = {index: used.sample(10, 32, index) for index in order}
    for index in reversed(order):
        assert equal(used.sample(10, 32, index), drawn[index])
    fresh = ShardSampler(corpus, seed=seed, active_shards=3, draws_per_shard=4)
    assert equal(fresh.sample(10, 32, order[-1]), drawn[order[-1]])


def test_seeds_and_numbers_differ(corpus: Path) -> None:
    sampler, other = ShardSampler(corpus), ShardSampler(corpus, seed=1)
    assert not equal(sampler.sample(10, 32, 0), sampler.sample(10, 32, 1))
    assert not equal(sampler.sample(10, 32, 0), other.sample(10, 32, 0))


def test_global_random_state_is_left_alone(corpus: Path) -> None:
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    ShardSampler(corpus).sample(10, 32, 0)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


def test_queue_visits_every_shard_in_every_epoch(corpus: Path) -> None:
    shards = {shard.name for shard in Manifest.read(corpus).shards}
    sampler = ShardSampler(corpus, active_shards=3, draws_per_shard=5)
    for epoch in (0, 1, 7):
        first = epoch * len(shards) * 5
        entering = [sampler.active(index)[0] for index in range(first, first + len(shards) * 5, 5)]
        assert set(entering) == shards
    active = [sampler.active(index) for index in range(400)]
    assert {len(set(names)) for names in active} == {3}
    changes = [len(set(b) - set(a)) for a, b in itertools.pairwise(active)]
    assert max(changes) == 1
    assert all(change == 0 for i, change in enumerate(changes) if (i + 1) % 5)
    assert ShardSampler(corpus, seed=1, active_shards=3).active(0) != sampler.active(0)


def test_an_epoch_visits_nearly_every_series(corpus: Path) -> None:
    sampler = ShardSampler(corpus, active_shards=3, draws_per_shard=2, tempering=1.0)
    draws = 2 * len(Manifest.read(corpus).shards)
    windows = torch.cat([sampler.sample(525, 32, i, flip=0.0) for i in range(draws)])
    # A series is drawn `draws` times on average, those of the first shard a third as often.
    assert draws > 10
    assert len(np.unique(series_numbers(windows))) > 0.98 * 525


@pytest.mark.parametrize("tempering", [0.0, 0.5, 1.0])
def test_data_sets_are_tempered(corpus: Path, tempering: float) -> None:
    sampler = ShardSampler(corpus, active_shards=4, draws_per_shard=1, tempering=tempering)
    draws = len(Manifest.read(corpus).shards)
    windows = torch.cat([sampler.sample(400, 32, i, flip=0.0) for i in range(draws)])
    numbers = series_numbers(windows)
    shares = np.histogram(numbers, [0, 400, 500, 525])[0] / len(numbers)
    weights = np.array([400, 100, 25]) ** tempering
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.05)


def test_series_are_drawn_by_length(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    long, short = rng.normal(size=900), 100 + rng.normal(size=100)
    write(tmp_path / "source", "pair__H", [long, short])
    build(tmp_path / "source", tmp_path / "corpus")
    windows = ShardSampler(tmp_path / "corpus").sample(4000, 50, 0, flip=0.0)
    share = (windows.mean(dim=1) > 50).float().mean().item()
    assert share == pytest.approx(0.1, abs=0.02)


def test_windows_are_uniform_within_a_series(tmp_path: Path) -> None:
    write(tmp_path / "source", "line__H", [np.arange(1000.0)])
    build(tmp_path / "source", tmp_path / "corpus")
    windows = ShardSampler(tmp_path / "corpus").sample(5000, 101, 0, downsample=0.0, flip=0.0)
    torch.testing.assert_close(windows.diff(dim=1), torch.ones(5000, 100))
    starts = windows[:, 0].numpy()
    assert (starts.min(), starts.max()) == (0, 899)
    counts = np.histogram(starts, 9, (0, 900))[0]
    np.testing.assert_allclose(counts, 5000 / 9, rtol=0.2)


def test_short_series_are_padded_on_the_left_and_gaps_stay(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=300)
    values[[5, 100, 101]] = np.nan
    write(tmp_path / "source", "gappy__H", [values])
    build(tmp_path / "source", tmp_path / "corpus")
    rows = ShardSampler(tmp_path / "corpus").sample(8, 512, 0, flip=0.0)
    expected = np.concatenate([np.full(212, np.nan), values]).astype(np.float32)
    for row in rows.numpy():
        np.testing.assert_array_equal(row, expected)


def test_averaged_windows_are_means_of_steps(tmp_path: Path) -> None:
    write(tmp_path / "source", "line__H", [np.arange(1000.0)])
    build(tmp_path / "source", tmp_path / "corpus")
    rows = ShardSampler(tmp_path / "corpus").sample(64, 50, 0, downsample=1.0, flip=0.0)
    slopes = rows.diff(dim=1)
    torch.testing.assert_close(slopes, slopes[:, :1].round().expand_as(slopes))
    assert set(slopes[:, 0].tolist()) == {2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}
    # The mean of the f steps that start at a whole number s is s + (f - 1) / 2.
    starts = rows[:, 0] - (slopes[:, 0] - 1) / 2
    torch.testing.assert_close(starts, starts.round())


def test_averages_leave_missing_steps_out(tmp_path: Path) -> None:
    values = np.arange(1000.0)
    values[1::2] = np.nan
    write(tmp_path / "source", "gaps__H", [values])
    build(tmp_path / "source", tmp_path / "corpus")
    rows = ShardSampler(tmp_path / "corpus").sample(64, 50, 0, downsample=1.0, flip=0.0)
    means = rows[torch.isfinite(rows).all(dim=1)].diff(dim=1)
    assert len(means) > 50
    assert set(means.flatten().tolist()) <= set(range(1, 10))


@pytest.mark.parametrize("flip", [0.0, 0.5, 1.0])
def test_share_of_flipped_and_averaged_rows(tmp_path: Path, flip: float) -> None:
    write(tmp_path / "source", "line__H", [1 + np.arange(1000.0)])
    build(tmp_path / "source", tmp_path / "corpus")
    rows = ShardSampler(tmp_path / "corpus").sample(2000, 50, 3, downsample=0.3, flip=flip)
    assert (rows[:, 0] < 0).float().mean().item() == pytest.approx(flip, abs=0.04)
    assert (rows.diff(dim=1)[:, 0].abs() > 1.5).float().mean().item() == pytest.approx(
        0.3, abs=0.03
    )


def test_windows_without_variation_are_avoided(tmp_path: Path) -> None:
    values = np.ones(1000)
    values[800:] += np.random.default_rng(0).normal(size=200)
    write(tmp_path / "source", "flat__H", [values] * 4 + [np.arange(1000.0)] * 16)
    build(tmp_path / "source", tmp_path / "corpus")
    windows = ShardSampler(tmp_path / "corpus").sample(200, 50, 0)
    flat = windows.amax(dim=1) == windows.amin(dim=1)
    assert flat.float().mean() < 0.08  # 15 % of all windows are


def damage(file: Path, how: str) -> None:
    if how == "missing":
        file.unlink()
    elif how == "truncated":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


@pytest.mark.parametrize("how", ["missing", "truncated", "corrupt"])
def test_a_damaged_shard_is_named_skipped_and_counted(
    corpus: Path, tmp_path: Path, how: str
) -> None:
    folder = copy(corpus, tmp_path / "damaged")
    shards = Manifest.read(folder).shards
    damage(folder / shards[4].name, how)
    sampler = ShardSampler(folder, active_shards=3, draws_per_shard=2)
    with pytest.warns(UserWarning, match=f"shard {shards[4].name} .* is skipped") as warned:
        windows = [sampler.sample(10, 32, index) for index in range(4 * len(shards))]
    assert [warning.filename for warning in warned] == [__file__]
    assert list(sampler.skipped) == [shards[4].name]
    assert (
        "missing" in sampler.skipped[shards[4].name] or "SHA-256" in sampler.skipped[shards[4].name]
    )
    assert all(torch.isfinite(rows).all() for rows in windows)
    assert all(len(sampler.active(index)) == 3 for index in range(50))
    with pytest.warns(UserWarning, match="is skipped"):
        again = ShardSampler(folder, active_shards=3, draws_per_shard=2)
        last = [again.sample(10, 32, index) for index in reversed(range(4 * len(shards)))]
    assert all(map(equal, windows, reversed(last)))


def test_a_shard_may_break_hours_in(corpus: Path, tmp_path: Path) -> None:
    folder = copy(corpus, tmp_path / "breaking")
    sampler = ShardSampler(folder, active_shards=2, draws_per_shard=1)
    epoch = len(Manifest.read(folder).shards)
    for index in range(epoch):
        sampler.sample(10, 32, index)
    assert sampler.skipped == {}
    broken = next(name for name in sampler.active(2 * epoch) if name not in sampler.active(epoch))
    damage(folder / broken, "truncated")
    with pytest.warns(UserWarning, match=broken):
        for index in range(epoch, 3 * epoch):
            sampler.sample(10, 32, index)
    assert list(sampler.skipped) == [broken]


def test_without_a_sound_shard_there_is_nothing_to_draw(corpus: Path, tmp_path: Path) -> None:
    folder = copy(corpus, tmp_path / "ruined")
    for shard in Manifest.read(folder).shards:
        (folder / shard.name).unlink()
    with (
        pytest.warns(UserWarning, match="the file is missing"),
        pytest.raises(ValueError, match=r"no shard of .* can be read"),
    ):
        ShardSampler(folder).sample(10, 32, 0)


def test_arguments_out_of_range_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="active_shards=0"):
        ShardSampler(corpus, active_shards=0)
    with pytest.raises(ValueError, match="draws_per_shard=0"):
        ShardSampler(corpus, draws_per_shard=0)
    with pytest.raises(ValueError, match=r"holds no manifest\.json"):
        ShardSampler(tmp_path)
    sampler = ShardSampler(corpus)
    for arguments in ((0, 32, 0), (10, 0, 0), (10, 32, -1)):
        with pytest.raises(ValueError, match="must be at least"):
            sampler.sample(*arguments)


BUDGET = """
import resource, sys
from pathlib import Path
import numpy as np
from timer_forecaster.corpus.manifest import Manifest
from timer_forecaster.corpus.sampler import ShardSampler
from timer_forecaster.corpus.shards import build

def allow(megabytes):
    # So much more than is in use now.
    status = Path("/proc/self/status").read_text().splitlines()
    used = int(next(line for line in status if "VmData" in line).split()[1]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + megabytes * 10**6, resource.RLIM_INFINITY))

def must_fail(make):
    try:
        make()
    except (MemoryError, OSError):
        return
    raise SystemExit("the limit does not bind")

folder = Path(sys.argv[1])
build(folder / "small", folder / "warm")  # libraries take what they need once
allow(16)
build(folder / "source", folder / "corpus", shard_megabytes=0.2, memory_megabytes=4)
must_fail(lambda: build(folder / "source", folder / "other", memory_megabytes=1000))
allow(1000)
sampler = ShardSampler(folder / "corpus", active_shards=2, draws_per_shard=1)
sampler.sample(16, 64, 0)
allow(4)
for index in range(len(Manifest.read(folder / "corpus").shards)):
    assert np.isfinite(sampler.sample(16, 64, index).numpy()).all()
must_fail(lambda: np.ones(10**6))
print(4 * sampler.points)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory by RLIMIT_DATA")
def test_memory_stays_flat_over_a_corpus_ten_times_larger(tmp_path: Path) -> None:
    """Build 42 MB of values with 16 MB of memory, and sample them with 4 MB."""
    rng = np.random.default_rng(0)
    write(tmp_path / "small", "part__H", [rng.normal(size=100)])
    for part in range(2):
        rows = list(rng.normal(size=(1300, 4096)).round(1))
        write(tmp_path / "source", f"part{part}__H", rows)
    words = [sys.executable, "-c", BUDGET, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10 * 4 * 10**6


@pytest.mark.gpu
def test_windows_are_the_same_on_a_gpu(corpus: Path) -> None:
    here, there = ShardSampler(corpus), ShardSampler(corpus, device="cuda")
    drawn = there.sample(50, 64, 3)
    assert drawn.device.type == "cuda"
    assert equal(here.sample(50, 64, 3), drawn.cpu())
