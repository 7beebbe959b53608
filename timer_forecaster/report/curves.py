"""Curves by step, such as the coverage of intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from timer_forecaster.arrays import FloatArray
from timer_forecaster.report.markup import element, picture, plain
from timer_forecaster.report.numbers import rounded

_PERMILLE = (-4, 0)


@dataclass(frozen=True, eq=False)
class Curve:
    """Shares by step, and the share that they should have.

    Parameters
    ----------
    name : str
    shares : ndarray, shape (steps,)
        NaN where there is none.
    nominal : float

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.report import Curve
    >>> curve = Curve("80 %", shares=np.array([0.75, 0.5]), nominal=0.8)
    >>> (curve.shares < curve.nominal).tolist()  # the interval is too narrow
    [True, True]
    """

    name: str
    shares: FloatArray
    nominal: float


@dataclass(frozen=True, eq=False)
class Curves:
    """A part of a report: curves of shares by step, for one group at a time.

    Parameters
    ----------
    title : str
    groups : mapping of str to sequence of Curve
        Curves by the name of the group, such as a model.
    text : str

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.report import Curve, Curves, write_report
    >>> curve = Curve("80 %", shares=np.array([0.7, 0.9]), nominal=0.8)
    >>> write_report("coverage.html", [Curves("Coverage by step", {"timer-s1-mini": [curve]})])
    """

    title: str
    groups: Mapping[str, Sequence[Curve]]
    text: str = ""

    @property
    def weight(self) -> int:
        """Share of the room of a page that the part asks for."""
        return 0

    def packed(self, share: float) -> dict[str, Any]:
        """Return what the page draws.

        :meta private:
        """
        return {
            "groups": [
                [
                    {"n": plain(c.name), "v": rounded(c.shares, _PERMILLE), "at": c.nominal}
                    for c in curves
                ]
                for curves in self.groups.values()
            ]
        }

    def markup(self, number: int) -> str:
        """Return the control and the place of the picture.

        :meta private:
        """
        options = "".join(
            element("option", name, value=str(place)) for place, name in enumerate(self.groups)
        )
        hidden = "" if len(self.groups) > 1 else " hidden"
        return "\n".join(
            [
                f'<section class="curves" data-part="{number}" aria-labelledby="part{number}">',
                element("h2", self.title, id=f"part{number}"),
                *([element("p", self.text)] if self.text else []),
                f'<div class="controls"><div class="field"{hidden}><label for="group{number}">'
                f'Model</label><select id="group{number}">{options}</select></div></div>',
                picture(self.title),
                "</section>",
            ]
        )
