import numpy as np
import pandas as pd
from pages import Page

from timer_forecaster.report import Chart, Fan, Gallery
from timer_forecaster.report.page import page


def charts(names):
    quantiles = np.array([[1.0, 2.0, 3.0]] * 2)
    return [
        Chart(name, pd.RangeIndex(12), np.arange(10.0), [Fan(10, (0.1, 0.5, 0.9), quantiles)])
        for name in names
    ]


def fields(text):
    """Return whether the field of each control is hidden."""
    parts = text.split('<div class="field"')[1:]
    return {
        part.split('<label for="')[1].split("0")[0]: part.startswith(" hidden") for part in parts
    }


def test_one_series_has_nothing_to_choose():
    assert fields(Gallery("Series", charts("a")).markup(0)) == {
        "series": True, "order": True, "model": True, "window": True, "history": False
    }  # fmt: skip


def test_many_series_can_be_found():
    part = Gallery("Series", charts(map(str, range(12))), orders={"worst first": range(12)})
    shown = {name for name, hidden in fields(part.markup(0)).items() if not hidden}
    assert shown == {"find", "series", "order", "history"}


def test_every_control_has_a_label():
    part = Gallery("Series", charts(map(str, range(12))))
    found = Page(page([part, part], "t"))
    labels = [one["for"] for one in found.attributes("label")]
    controls = [one["id"] for tag in ("input", "select") for one in found.attributes(tag)]
    assert sorted(labels) == sorted(controls)
    assert len(set(controls)) == len(controls)


def test_all_data_of_the_page_are_there():
    part = Gallery("S", charts("ab"), orders={"best first": [1, 0]}, jumps={"Worst": (1, "w")})
    packed = part.packed(1.0)
    assert packed["orders"] == [[0, 1], [1, 0]]
    assert packed["jumps"] == [[1, "w"]]
    assert len(packed["charts"]) == 2
    assert [one["n"] for one in packed["charts"]] == [12, 12]
