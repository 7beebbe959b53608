"""How a file is written, as far as a user says it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from timer_forecaster.frames.files.dialect import checked_encoding, checked_separator
from timer_forecaster.settings import setting

_NOUNS = {"text": "a text file", "excel": "an Excel file", "parquet": "a Parquet file"}
_KINDS = {
    "sep": ("--sep", {"text"}),
    "encoding": ("--encoding", {"text"}),
    "sheet": ("--sheet", {"excel"}),
    "no_header": ("--no-header", {"text", "excel"}),
}
"""Options that not all kinds of files have: their names in the command, and the kinds."""


@dataclass(frozen=True)
class ReadingOptions:
    """How a file is written; everything that is left out is found out.

    Parameters
    ----------
    sep : str, optional
        Separator of a text file: one sign, or "comma", "semicolon", "tab", "pipe" or "space".
    decimal, thousands : str, optional
        Signs in numbers, such as "," and ".".
    encoding : str, optional
        Encoding of a text file, such as "cp1252" or "utf-16".
    sheet : str, optional
        Sheet of a workbook: its name, or its place from 0.
    date_format : str, optional
        Format of the dates, such as "%d.%m.%y".
    dayfirst : bool, optional
        Whether dates such as 01/02/2024 have the day first.
    timezone : str, optional
        Time zone of clock times without an offset, such as "Europe/Berlin".
    no_header : bool, optional
        Whether there is no row of names. Columns are then called "1", "2" and so on.

    Examples
    --------
    >>> ReadingOptions(sep="semicolon").sep
    ';'
    """

    sep: str | None = setting(
        None, "separator of a text file: one sign, or comma, semicolon, tab, pipe, space", "SIGN"
    )
    decimal: str | None = setting(
        None, "decimal sign of numbers: . or ,", "SIGN", choices=(".", ",")
    )
    thousands: str | None = setting(
        None, "sign between thousands, such as , or . or a space", "SIGN"
    )
    encoding: str | None = setting(None, "of a text file, such as cp1252 or utf-16", "NAME")
    sheet: str | None = setting(None, "sheet of a workbook: its name, or its place from 0", "NAME")
    date_format: str | None = setting(None, "format of dates, such as %%d.%%m.%%y", "FORMAT")
    dayfirst: bool | None = setting(None, "dates such as 01/02/2024 have the day first")
    timezone: str | None = setting(
        None, "time zone of times without an offset, such as Europe/Berlin", "NAME"
    )
    no_header: bool | None = setting(
        None, "there is no row of names; columns are called 1, 2 and so on"
    )

    def __post_init__(self) -> None:
        """Check the options.

        Raises
        ------
        ValueError
            If one cannot be meant.
        """
        object.__setattr__(self, "sep", checked_separator(self.sep))
        checked_encoding(self.encoding)
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal={self.decimal!r} must be '.' or ','")
        if self.thousands is not None and self.thousands not in tuple(".,' _"):
            raise ValueError(
                f"thousands={self.thousands!r} must be one of '.', ',', \"'\", ' ' and '_'"
            )
        if self.thousands is not None and self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")

    def refuse_unused(self, kinds: Collection[str]) -> None:
        """Refuse options that no file has a use for.

        :meta private:

        Parameters
        ----------
        kinds : collection of str
            The kind of each file that is read by these options, as in `Source.kind`. A frame
            takes all, since whoever read it had them.

        Raises
        ------
        ValueError

        Examples
        --------
        >>> ReadingOptions(sheet="Sales").refuse_unused(["text"])
        Traceback (most recent call last):
        ValueError: sheet (--sheet) is for an Excel file, and this is a text file: leave it out
        """
        for name, (option, takers) in _KINDS.items():
            if getattr(self, name) in (None, False) or (takers | {"frame"}) & {*kinds}:
                continue
            wanted = " or ".join(noun for kind, noun in _NOUNS.items() if kind in takers)
            found = " and ".join(dict.fromkeys(_NOUNS[kind] for kind in kinds))
            these = "this is" if len({*kinds}) == 1 else "these are"
            raise ValueError(
                f"{name} ({option}) is for {wanted}, and {these} {found}: leave it out"
            )
