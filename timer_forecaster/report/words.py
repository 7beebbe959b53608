"""Texts: sentences, settings and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from timer_forecaster.report.markup import element


@dataclass(frozen=True, eq=False)
class Words:
    """A part of a report: paragraphs, a list of names with their values, and a list of notes.

    Parameters
    ----------
    title : str
    paragraphs : sequence of str
    pairs : mapping of str to str
    notes : sequence of str

    Examples
    --------
    >>> from timer_forecaster.report import Words, write_report
    >>> write_report("notes.html", [Words("Notes", notes=["The shop was closed on Sundays."])])
    """

    title: str
    paragraphs: Sequence[str] = ()
    pairs: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def weight(self) -> int:
        """Share of the room of a page that the part asks for."""
        return 0

    def packed(self, share: float) -> None:
        """Return nothing: all is in the markup.

        :meta private:
        """

    def markup(self, number: int) -> str:
        """Return the texts.

        :meta private:
        """
        pairs = "".join(
            f"<div>{element('dt', name)}{element('dd', value)}</div>"
            for name, value in self.pairs.items()
        )
        notes = "".join(element("li", note) for note in self.notes)
        parts = [
            element("h2", self.title, id=f"part{number}"),
            *(element("p", text) for text in self.paragraphs),
            f"<dl>{pairs}</dl>" if pairs else "",
            f"<ul>{notes}</ul>" if notes else "",
        ]
        return f'<section aria-labelledby="part{number}">{"".join(parts)}</section>'
