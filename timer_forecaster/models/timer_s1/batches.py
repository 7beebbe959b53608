"""Training batches from raw windows: masks, and the statistics of a random prefix."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from timer_forecaster.models.normalizing import MAX_NORMALIZED, masked_statistics, normalized


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskShares:
    """Shares of rows that have values hidden from the network.

    Parameters
    ----------
    leading : float
        Share of rows that lose the beginning of their first patch, as in a context whose length
        is not a multiple of the patch.
    points, stretch, patches : float
        Shares of rows that lose up to 40 % of their single points, one stretch of up to a quarter
        of the row, or up to 40 % of their whole patches. A row loses at most one of the three.

    Examples
    --------
    >>> MaskShares(stretch=0.2)
    MaskShares(leading=0.5, points=0.1, stretch=0.2, patches=0.1)
    """

    leading: float = 0.5
    points: float = 0.1
    stretch: float = 0.1
    patches: float = 0.1

    def __post_init__(self) -> None:
        """Check the shares."""
        others = self.points, self.stretch, self.patches
        shares = all(0 <= share <= 1 for share in (self.leading, *others, sum(others)))
        if not shares:  # NaN included
            raise ValueError(
                f"masks={dataclasses.asdict(self)} must be shares, and points, stretch and "
                "patches together at most 1"
            )


class TrainingBatch(NamedTuple):
    """One batch that supervises all tokens it can; B rows of M patches of P steps.

    Parameters
    ----------
    inputs : Tensor, shape (B, M - 1, 2 P)
        Values and observation flags of the tokens.
    targets : Tensor, shape (B, M, P)
        Normalized and finite.
    known : Tensor of bool, shape (B, M, P)
        Whether a target is observed.
    supervised : Tensor of bool, shape (B, M - 1)
        Whether the statistics of a token do not look ahead.

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.pretraining import make_batch
    >>> batch = make_batch(torch.randn(4, 64), 16, torch.Generator().manual_seed(0))
    >>> batch.targets.shape, batch.supervised.shape
    (torch.Size([4, 4, 16]), torch.Size([4, 3]))
    """

    inputs: Tensor
    targets: Tensor
    known: Tensor
    supervised: Tensor


def make_batch(
    series: Tensor,
    patch_length: int,
    generator: Generator,
    masks: MaskShares = MaskShares(),
) -> TrainingBatch:
    """Hide values, normalize by a random prefix and cut into patches.

    A dense objective trains every token of a window, but the mean and the deviation of the window
    would show an early token how the window goes on. The statistics are therefore taken from a
    random number of leading patches, and only tokens from the last of these patches on are
    supervised. At inference this is the normalization by the whole context.

    Parameters
    ----------
    series : Tensor, shape (B, M * P)
        Raw windows; NaN where missing. A row that begins with missing patches is moved to start
        with its first observed patch, as a context does.
    patch_length : int
        Steps in a patch, P.
    generator : torch.Generator
        Source of the random numbers, on the device of the series.
    masks : MaskShares
        Shares of rows with hidden values.

    Returns
    -------
    TrainingBatch

    Examples
    --------
    >>> import torch
    >>> from timer_forecaster.pretraining import MaskShares, make_batch
    >>> none = MaskShares(leading=0, points=0, stretch=0, patches=0)
    >>> batch = make_batch(torch.randn(4, 64), 16, torch.Generator().manual_seed(0), none)
    >>> bool(batch.known.all())
    True
    """
    n_patches = series.shape[-1] // patch_length
    series = align_start(series, patch_length)
    known = ~series.isnan()
    visible = known & ~draw_hidden(known, patch_length, generator, masks)
    prefix = draw_prefix(len(series), n_patches, generator)
    # A series that ends early must keep some of its patches to predict.
    prefix = 1 + (prefix - 1) * (_used_patches(known, patch_length) - 1) // (n_patches - 1)
    in_prefix = torch.arange(series.shape[-1], device=series.device) < (
        prefix[:, None] * patch_length
    )
    mean, std = masked_statistics(series, visible & in_prefix)
    scaled, usable = normalized(series, mean, std)
    known = known & (scaled.abs() <= MAX_NORMALIZED)
    values = scaled.masked_fill(~(visible & known), 0.0)
    flags = (visible & known).to(values.dtype)
    tokens = torch.cat([x.unflatten(-1, (n_patches, -1)) for x in (values, flags)], dim=-1)
    order = torch.arange(n_patches - 1, device=series.device)
    return TrainingBatch(
        inputs=tokens[:, :-1],
        targets=scaled.masked_fill(~known, 0.0).unflatten(-1, (n_patches, -1)),
        known=known.unflatten(-1, (n_patches, -1)),
        supervised=(order >= prefix[:, None] - 1) & usable,
    )


def align_start(series: Tensor, patch_length: int) -> Tensor:
    """Move rows (B, T) left by whole patches, so that each row begins with an observed patch."""
    length = series.shape[-1]
    first = (~series.isnan()).to(torch.int8).argmax(-1)
    shift = first // patch_length * patch_length
    index = torch.arange(length, device=series.device) + shift[:, None]
    moved = series.gather(-1, index.clamp_max(length - 1))
    return moved.masked_fill(index >= length, torch.nan)


def draw_prefix(batch: int, n_patches: int, generator: Generator) -> Tensor:
    """Draw the number of leading patches for the statistics, (B,): a fifth of them very few."""
    device = generator.device
    uniform = torch.rand(2, batch, generator=generator, device=device)
    spread = (uniform[0] * (n_patches - 1)).long() + 1
    short = (uniform[0] * min(8, n_patches - 1)).long() + 1
    return torch.where(uniform[1] < 0.2, short, spread).clamp_max(n_patches - 1)


def _used_patches(known: Tensor, patch_length: int) -> Tensor:
    """Return the number of patches up to the last observed one, (B,), at least 2."""
    steps = torch.arange(1, known.shape[-1] + 1, device=known.device)
    last = (known * steps).amax(-1)
    return (-(-last // patch_length)).clamp_min(2)


def draw_hidden(
    known: Tensor, patch_length: int, generator: Generator, masks: MaskShares
) -> Tensor:
    """Draw the values to hide from the network: bool, of the shape of ``known``."""
    batch, length = known.shape
    device = generator.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    step = torch.arange(length, device=device)
    choice = uniform(batch, 1)
    pad = (uniform(batch, 1) * patch_length).long()
    hidden = (step < pad) & (uniform(batch, 1) < masks.leading)
    points = uniform(batch, length) < uniform(batch, 1) * 0.4
    hidden |= points & (choice < masks.points)
    start = uniform(batch, 1) * length
    stretch = (step >= start) & (step < start + uniform(batch, 1) ** 2 * length / 4)
    after_points = choice - masks.points
    hidden |= stretch & (after_points >= 0) & (after_points < masks.stretch)
    patches = uniform(batch, length // patch_length) < uniform(batch, 1) * 0.4
    whole = patches.repeat_interleave(patch_length, dim=-1)
    after_stretch = after_points - masks.stretch
    return hidden | (whole & (after_stretch >= 0) & (after_stretch < masks.patches))
