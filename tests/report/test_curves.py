import numpy as np

from timer_forecaster.report import Curve, Curves


def test_a_share_that_is_missing_is_none():
    curves = {"a": [Curve("80 %", np.array([0.5, np.nan]), 0.8)], "points": []}
    part = Curves("Coverage", curves)
    assert part.packed(1.0)["groups"] == [[{"n": "80 %", "v": [5000, None], "at": 0.8}], []]
    assert part.markup(3).count("<option") == 2
    assert 'id="group3"' in part.markup(3)


def test_one_group_needs_no_choice():
    part = Curves("Coverage", {"a": []})
    assert '<div class="field" hidden>' in part.markup(0)
