"""Fields of settings that describe themselves, so that the command makes an option of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any


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
