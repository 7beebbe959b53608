"""The code that called the package, at which warnings point."""

from __future__ import annotations

import sys


def stacklevel_of_caller(*frameworks: str) -> int:
    """Return the ``stacklevel`` of `warnings.warn` for the first caller outside of the package.

    Call it in the function that warns. Packages of frameworks, by their names, are passed by too.
    """
    passed, level, frame = {__name__.partition(".")[0], *frameworks}, 1, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] in passed:
        frame, level = frame.f_back, level + 1
    return level
