"""Tables of scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from timer_forecaster.report.markup import element, scroller


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """A part of a report: a table, whose first columns name the rows.

    Parameters
    ----------
    title : str
    table : pandas.DataFrame
        Numbers and texts. The index does not matter.
    names : int
        First columns that name the rows.
    text : str
    folded : bool
        Whether the reader opens the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from timer_forecaster.report import ScoreTable, write_report
    >>> scores = pd.DataFrame({"model": ["timer-s1-mini", "Seasonal Naive"], "MASE": [0.81, 1.0]})
    >>> write_report("scores.html", [ScoreTable("Scores", scores)])
    """

    title: str
    table: pd.DataFrame
    names: int = 1
    text: str = ""
    folded: bool = False

    @property
    def weight(self) -> int:
        """Share of the room of a page that the part asks for."""
        return 0

    def packed(self, share: float) -> None:
        """Return nothing: the table is in the markup.

        :meta private:
        """

    def markup(self, number: int) -> str:
        """Return the table.

        :meta private:
        """
        heads = "".join(element("th", name, scope="col") for name in self.table.columns)
        rows = [_row(row, self.names) for row in self.table.itertuples(index=False, name=None)]
        head = f"<thead><tr>{heads}</tr></thead>"
        content = f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"
        table = scroller(f"{self.title}: table", content)
        if self.folded:
            table = f"<details><summary>Show the table</summary>{table}</details>"
        text = element("p", self.text) if self.text else ""
        heading = element("h2", self.title, id=f"part{number}")
        return f'<section aria-labelledby="part{number}">{heading}{text}{table}</section>'


def _row(cells: Sequence[Any], names: int) -> str:
    heads = "".join(element("th", cell, scope="row") for cell in cells[:names])
    return f"<tr>{heads}{''.join(element('td', cell_text(cell)) for cell in cells[names:])}</tr>"


def cell_text(value: Any) -> str:
    """Return a number in short; a dash where there is none.

    Examples
    --------
    >>> [cell_text(value) for value in (0.81234, 12.3456, 5, float("nan"), True)]
    ['0.812', '12.3', '5', '–', 'yes']
    """
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "–"
    size = abs(value)
    if size < 10:
        return f"{value:.3f}"
    if size < 1000:
        return f"{value:.3g}"
    return f"{value:,.0f}" if size < 1e9 else f"{value:.3g}"
