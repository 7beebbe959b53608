"""Frames of results, which are made once and handed out as copies."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import pandas as pd

_Result = TypeVar("_Result")


def kept_frame(make: Callable[[_Result], pd.DataFrame]) -> Callable[[_Result], pd.DataFrame]:
    """Keep the frame that a property makes of a result, and hand out copies of it.

    A user may add columns to what a result hands out. The result itself stays as it is.

    Examples
    --------
    >>> class Result:
    ...     @property
    ...     @kept_frame
    ...     def table(self):
    ...         return pd.DataFrame({"y": [1.0]})
    >>> result = Result()
    >>> table = result.table
    >>> table["y"] = 2.0
    >>> result.table["y"].tolist()
    [1.0]
    """
    name = f"_kept_{make.__name__}"

    @wraps(make)
    def kept(result: _Result) -> pd.DataFrame:
        own = vars(result)
        if name not in own:
            own[name] = make(result)
        frame: pd.DataFrame = own[name]
        return frame.copy(deep=False)

    return kept
