"""Modules whose parameters have shapes and no values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@contextmanager
def weightless() -> Iterator[None]:
    """Make the modules of a block on the meta device, and draw no values for them.

    On that device alone, torch still draws the values of each layer. They go nowhere, and take
    most of the time that a network takes to be made.

    Yields
    ------
    None

    Examples
    --------
    >>> from torch import nn
    >>> from timer_forecaster.models.weightless import weightless
    >>> with weightless():
    ...     layer = nn.Linear(3, 2)
    >>> layer.weight.device, layer.weight.shape
    (device(type='meta'), torch.Size([2, 3]))
    """
    with torch.device("meta"), _NothingDrawn():
        yield


class _NothingDrawn(TorchFunctionMode):
    """The functions of `torch.nn.init` that layers draw with return their tensor as it is."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"]  # so do these functions pass it on
        return func(*args, **kwargs)
