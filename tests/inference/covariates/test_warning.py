"""Warnings about covariates: one for each kind."""

import pytest

from timer_forecaster.inference.covariates.warning import CovariateWarning, Notes


def test_one_warning_for_each_kind_names_columns_and_series():
    notes = Notes()
    for series in (2, 3):
        notes.add("constant", "price", series)
    notes.add("constant", "promo", 4)
    notes.add("far", "wind", 0)
    with pytest.warns(CovariateWarning) as caught:
        notes.warn()
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 2
    assert "'price', 'promo'" in texts[0] and "3 series" in texts[0]
    assert "column 'wind'" in texts[1] and "series[0]" in texts[1]


def test_nothing_to_note_is_no_warning(recwarn):
    Notes().warn()
    assert not recwarn.list
