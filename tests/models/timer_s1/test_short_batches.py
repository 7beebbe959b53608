"""Series that end before their row does are predicted, too."""

import torch

from timer_forecaster.models.timer_s1.batches import make_batch


def rows(n_steps, n_rows=400, length=1024):
    """Rows that are missing but for their newest steps, as the sampler gives short series."""
    series = torch.randn(n_rows, length, generator=torch.Generator().manual_seed(0)).cumsum(1)
    series[:, : length - n_steps] = torch.nan
    return series


def supervised_rows(series):
    batch = make_batch(series, 16, torch.Generator().manual_seed(1))
    counted = batch.known[:, 1:].any(-1) & batch.supervised
    return counted, batch


def test_short_series_have_tokens_to_learn_from():
    counted, _ = supervised_rows(rows(112))
    # All but those whose first patch is hidden or does not vary.
    assert counted.any(dim=1).float().mean() > 0.95


def test_tokens_of_short_series_see_all_lengths_of_context():
    counted, _ = supervised_rows(rows(160))
    places = counted.float().mean(dim=0)[:9]
    assert (places > 0.05).all()
    assert not counted[:, 10:].any()


def test_statistics_of_short_series_do_not_look_ahead():
    series = rows(112)
    changed = series.clone()
    changed[:, -16:] += 100.0
    one, other = (supervised_rows(s)[1] for s in (series, changed))
    # The same draws: what is told of the first patches does not depend on the last.
    assert torch.equal(one.supervised, other.supervised)
    earlier = one.supervised.int().argmax(-1) + 1 < 7
    assert earlier.float().mean() > 0.5
    assert torch.equal(one.inputs[earlier, :6], other.inputs[earlier, :6])


def test_whole_rows_are_as_before():
    """The last token of a whole row can be the first that is supervised."""
    counted, _ = supervised_rows(rows(1024, 3000))
    first = counted.int().argmax(-1)
    assert first.min() == 0
    assert first.max() == 62
