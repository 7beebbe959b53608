"""Messages in the words of the command: options in place of arguments and of Python."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager

_PATTERNS = {
    # Expressions first, since they may hold arguments.
    r"t\.dt\.tz_localize\('([^']*)', ambiguous='infer'\)": r"--timezone \1",
    r": frame\.assign\(\*\*\{.*?\.dt\.tz_localize\(None\)\}\)": (
        ", without offsets from UTC and without --timezone"
    ),
    r"join it to the dates in one column of times; a file is read so with time_column=\[.*\] "
    r"\((--time-column .*)\)": r"give \1",
    r"convert them with dayfirst or date_format": "give --dayfirst or --date-format",
    r"\bgive the time zone\b(?! \()": "give the time zone (--timezone)",
    r"\b(freq|timezone)='([^' ]*)'": r"--\1 \2",
    r"\b(freq|timezone)='": r"--\1 '",
    r"\bfreq=(?=\d)": "--freq ",
    r"\bdate_format=": "--date-format ",
    r"\bnonnegative=True\b": "--nonnegative",
    r"\b(pass|leave|another|give|so) (freq|timezone|date_format|nonnegative)\b(?![='])": (
        r"\1 --\2"
    ),
    r"--date_format": "--date-format",
    r"^target='([^']*)'": r"--tune \1",  # --target names columns
}
_COMPILED = [(re.compile(pattern), words) for pattern, words in _PATTERNS.items()]


def in_options(text: str) -> str:
    """Return a message with options in place of arguments that the command calls otherwise.

    Examples
    --------
    >>> in_options("leave freq out, or pass freq='15min' to fill in missing steps")
    'leave --freq out, or pass --freq 15min to fill in missing steps'
    """
    for pattern, words in _COMPILED:
        text = pattern.sub(words, text)
    return text


@contextmanager
def options_named(arguments: argparse.Namespace) -> Iterator[None]:
    """Name options in errors of a command that reads a file of series."""
    try:
        yield
    except (TypeError, ValueError) as error:
        text = in_options(str(error)) if hasattr(arguments, "freq") else str(error)
        raise (error if text == str(error) else ValueError(text)) from None
