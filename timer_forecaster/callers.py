"""The code that called the package, at which warnings point."""

from __future__ import annotations

import sys

_PASSED = {__name__.partition(".")[0], "sktime", "sklearn", "darts", "torch", "contextlib"}
_PASSED |= {"pytorch_lightning", "lightning", "functools"}  # cached properties


def stacklevel_of_caller() -> int:
    """Return the ``stacklevel`` of `warnings.warn` for the first caller outside of the package.

    Call it in the function that warns. Frameworks between the caller and the package are passed by.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] in _PASSED:
        frame, level = frame.f_back, level + 1
    return level
