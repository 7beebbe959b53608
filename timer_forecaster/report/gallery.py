"""Pictures of many series, of which a reader chooses one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from timer_forecaster.report.axes import packed_times
from timer_forecaster.report.detail import Detail
from timer_forecaster.report.markup import element, escaped, picture, plain
from timer_forecaster.report.packing import Pool, packed_chart
from timer_forecaster.report.series import Chart

MOST_SERIES = 500
"""Most series in a gallery."""


@dataclass(frozen=True, eq=False)
class Gallery:
    """A part of a report: a picture of one series at a time, and controls to choose it.

    Parameters
    ----------
    title : str
    charts : sequence of Chart
        At least one.
    text : str
        What the pictures show.
    orders : mapping of str to sequence of int
        Other orders of the series than theirs, such as the worst first: places in `charts`.
    jumps : mapping of str to (int, str)
        Buttons: their text, and the place of a series and the name of a window to show.
    models : sequence of str
        Models of the forecasts, if there are several. The first one is shown.
    time_name : str
        Name of the times.
    apart : bool
        Whether the windows of a series do not overlap, so that all of them may be drawn at once.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.report import Chart, Gallery, write_report
    >>> days = pd.date_range("2024-01-01", periods=30)
    >>> chart = Chart("sales", days, np.arange(30.0) % 7, [])
    >>> write_report("sales.html", [Gallery("Sales", [chart])])
    """

    title: str
    charts: Sequence[Chart]
    text: str = ""
    orders: Mapping[str, Sequence[int]] = field(default_factory=dict)
    jumps: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    models: Sequence[str] = ()
    time_name: str = "time"
    apart: bool = True

    @property
    def weight(self) -> int:
        """Share of the room of a page that the part asks for."""
        return 1

    def packed(self, share: float) -> dict[str, Any]:
        """Return what the page draws, in a share of the room of a page.

        :meta private:
        """
        from timer_forecaster.report.detail import MOST_VALUES

        detail = Detail.of(self.charts, int(MOST_VALUES * share))
        pool = Pool()
        calendars, places = packed_times([chart.times for chart in self.charts])
        charts = [
            packed_chart(chart, detail, self.models, pool) | {"a": place, "n": len(chart.times)}
            for chart, place in zip(self.charts, places, strict=True)
        ]
        return {
            "charts": charts,
            "calendars": calendars,
            "pool": pool.items,
            "models": [plain(model) for model in self.models],
            "orders": [list(range(len(charts))), *map(list, self.orders.values())],
            "jumps": [[place, plain(window)] for place, window in self.jumps.values()],
            "time": plain(self.time_name),
            "apart": self.apart,
            "rule": detail.sentence,
        }

    def markup(self, number: int) -> str:
        """Return the controls and the place of the picture.

        :meta private:
        """
        return "\n".join(
            [
                f'<section class="gallery" data-part="{number}" aria-labelledby="part{number}">',
                element("h2", self.title, id=f"part{number}"),
                *([element("p", self.text)] if self.text else []),
                *self._controls(number),
                picture(self.title, '<figcaption class="name"></figcaption><p class="about"></p>'),
                '<p class="rule"></p>',
                "</section>",
            ]
        )

    def _controls(self, number: int) -> list[str]:
        """Return the fields that choose a series, a model, a window and the history."""
        many, hidden = len(self.charts) > 1, " hidden"
        names = "".join(
            f'<option value="{place}">{escaped(chart.name)}</option>'
            for place, chart in enumerate(self.charts)
        )
        orders = ["as in the data", *self.orders]
        windows = any(fan.window for chart in self.charts for fan in chart.fans)
        jumps = "".join(element("button", text, type="button") for text in self.jumps)
        return [
            '<div class="controls">',
            _field("Find a series", f'<input type="search" id="find{number}">', f"find{number}")
            if len(self.charts) > 9
            else "",
            _choice("Series", f"series{number}", names, "" if many else hidden),
            _choice("Order", f"order{number}", _options(orders), "" if self.orders else hidden),
            f'<div class="buttons"{"" if many else hidden}><button type="button" '
            'data-move="-1">Previous</button> <button type="button" data-move="1">Next</button>'
            "</div>",
            _choice(
                "Model",
                f"model{number}",
                _options(self.models),
                "" if len(self.models) > 1 else hidden,
            ),
            _choice("Window", f"window{number}", "", "" if windows else hidden),
            _choice(
                "History",
                f"history{number}",
                _options(["newest part", "four times as much", "all"]),
            ),
            f'<div class="buttons jumps">{jumps}</div>' if jumps else "",
            "</div>",
            f'<p class="found" role="status"{"" if many else hidden}></p>',
        ]


def _options(names: Sequence[str]) -> str:
    return "".join(element("option", name, value=str(place)) for place, name in enumerate(names))


def _choice(label: str, name: str, options: str, hidden: str = "") -> str:
    return _field(label, f'<select id="{name}">{options}</select>', name, hidden)


def _field(label: str, control: str, name: str, hidden: str = "") -> str:
    return f'<div class="field"{hidden}><label for="{name}">{label}</label>{control}</div>'
