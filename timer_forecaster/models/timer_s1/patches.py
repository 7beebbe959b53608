"""Series cut into patches, the tokens of the network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def patchify(values: Tensor, observed: Tensor | None, patch_length: int) -> Tensor:
    """Cut rows into patches of values and of observation flags.

    Rows are padded on the left with zeros, flagged as not observed, to a whole number of patches.
    Values that are not observed are replaced by zero.

    Parameters
    ----------
    values : Tensor, shape (B, T)
        Normalized series.
    observed : Tensor of bool, shape (B, T), or None
        False where a value is missing. None if all values are observed.
    patch_length : int
        Steps in a patch, P.

    Returns
    -------
    Tensor, shape (B, ceil(T / P), 2 P)
    """
    flags = torch.ones_like(values) if observed is None else observed.to(values.dtype)
    if observed is not None:
        values = values.masked_fill(~observed, 0.0)
    pad = -values.shape[-1] % patch_length
    tokens = [F.pad(x, (pad, 0)).unflatten(-1, (-1, patch_length)) for x in (values, flags)]
    return torch.cat(tokens, dim=-1)
