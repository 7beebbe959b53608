"""Synthetic series, drawn during training: a random mix of families, then augmentation."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from timer_forecaster.corpus.augmentation import augment
from timer_forecaster.corpus.families import FAMILIES
from timer_forecaster.corpus.primitives import local_generator

__all__ = ["FAMILIES", "SyntheticSeries", "augment"]


class SyntheticSeries:
    """Random series for pre-training.

    Parameters
    ----------
    families : mapping of str to float, optional
        Weight of each family of `FAMILIES`. Default: all families, with their weights there.
    augmentation : bool
        Whether to change a share of the series by `augment`.

    Raises
    ------
    ValueError
        If a name is unknown, a weight is negative, or all are zero.

    Examples
    --------
    >>> series = SyntheticSeries({"spikes": 1.0, "steps": 2.0})
    """

    def __init__(
        self, families: Mapping[str, float] | None = None, augmentation: bool = True
    ) -> None:
        if families is None:
            families = {name: weight for name, (_, weight) in FAMILIES.items()}
        unknown = sorted(set(families) - set(FAMILIES))
        if unknown:
            raise ValueError(f"families has unknown names {unknown}; known are {sorted(FAMILIES)}")
        total = sum(families.values())
        if not (min(families.values(), default=0.0) >= 0 and 0 < total < math.inf):  # or NaN
            raise ValueError(
                f"families needs finite weights >= 0 with a positive sum, got {families!r}"
            )
        self.families = dict(families)
        self.augmentation = augmentation

    def sample(
        self,
        batch_size: int,
        length: int,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """Draw series.

        Parameters
        ----------
        batch_size, length : int
            Number of series and of steps in each (at least 16). A larger batch uses
            an accelerator better: the number of operations does not depend on it.
        generator : torch.Generator
            On the CPU or on `device`. With a generator on the CPU nothing waits for the device.
        device : torch.device or str
            Where the series are made and returned.

        Returns
        -------
        torch.Tensor of shape (batch_size, length), float32
            Finite rows at any scale, none of them constant.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.corpus.synthetic import SyntheticSeries
        >>> series = SyntheticSeries().sample(4, 64, torch.Generator().manual_seed(0))
        >>> series.shape, bool(series.isfinite().all())
        (torch.Size([4, 64]), True)
        """
        seed = torch.randint(2**62, (1,), generator=generator, device=generator.device)
        host = torch.Generator().manual_seed(int(seed))
        local = local_generator(generator, device)
        groups = [
            FAMILIES[name][0](count, length, local, device)
            for name, count in self.counts(batch_size, host).items()
        ]
        series = _repaired(torch.cat(groups), local)
        series = series[torch.randperm(batch_size, generator=local, device=series.device)]
        return _repaired(augment(series, local, host), local) if self.augmentation else series

    def counts(self, batch_size: int, host: torch.Generator) -> dict[str, int]:
        """Draw the number of rows of each family, without families of no rows.

        :meta private:
        """
        weights = torch.tensor(list(self.families.values()), dtype=torch.float64)
        drawn = torch.multinomial(weights, batch_size, replacement=True, generator=host)
        numbers = torch.bincount(drawn, minlength=len(weights)).tolist()
        return {name: number for name, number in zip(self.families, numbers, strict=True) if number}


def _repaired(series: Tensor, generator: torch.Generator) -> Tensor:
    """Replace rows that are not finite, or hardly vary in float32, by random walks."""
    high, low = series.amax(dim=1, keepdim=True), series.amin(dim=1, keepdim=True)
    size = torch.maximum(high.abs(), low.abs())
    # NaN and infinities fail both comparisons.
    sound = (high - low > 1e-5 * size) & (size < 1e12)
    steps = torch.randn(series.shape, generator=generator, device=series.device)
    return torch.where(sound, series, steps.cumsum(dim=1))
