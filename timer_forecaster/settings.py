"""Fields of settings that describe themselves, so that the command makes an option of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from timer_forecaster.checks import plain


def setting(
    default: Any, help: str, metavar: str | None = None, choices: Sequence[str] | None = None
) -> Any:
    """Return a field of a dataclass with a default and the help text of its option.

    Parameters
    ----------
    default : object
        Default of the field. The command shows it, except None and False.
    help : str
        Help text, without the default.
    metavar : str, optional
        Name of the value in the help text.
    choices : sequence of str, optional
        All values that the field takes.

    Examples
    --------
    >>> import dataclasses
    >>> @dataclasses.dataclass
    ... class Settings:
    ...     steps: int = setting(100, "most steps of the optimizer", "STEPS")
    >>> Settings().steps
    100
    >>> dataclasses.fields(Settings)[0].metadata["metavar"]
    'STEPS'
    """
    about = {"help": help, "metavar": metavar, "choices": choices}
    return dataclasses.field(default=default, metadata=about)


def settle_plain(settings: Any) -> None:
    """Turn scalars of numpy in the fields of a dataclass into Python scalars, also in tuples.

    Integers of 8 bits would wrap around, and JSON knows none of them.

    Examples
    --------
    >>> import dataclasses
    >>> import numpy as np
    >>> @dataclasses.dataclass(frozen=True)
    ... class Settings:
    ...     steps: int
    ...     def __post_init__(self):
    ...         settle_plain(self)
    >>> Settings(np.uint8(200))
    Settings(steps=200)
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        settled = tuple(map(plain, value)) if type(value) is tuple else plain(value)
        object.__setattr__(settings, field.name, settled)
