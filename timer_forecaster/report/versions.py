"""The versions of the software that made a report."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from timer_forecaster import __version__

_PACKAGES = ("torch", "numpy", "pandas", "sktime")


def versions() -> dict[str, str]:
    """Return the versions of this package and of those that decide its numbers.

    Examples
    --------
    >>> list(versions())[:2]
    ['timer-forecaster', 'Python']
    """
    found = {"timer-forecaster": __version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
