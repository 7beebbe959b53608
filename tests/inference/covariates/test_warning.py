"""Warnings about covariates: one for each kind."""

import pytest

from timer_forecaster.failures import series_called
from timer_forecaster.inference.covariates.warning import (
    CovariateWarning,
    Notes,
    unwarned,
    warned_once,
)


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
    assert "'price', 'promo'" in texts[0] and texts[0].endswith("series[2] and 2 more")
    assert "column 'wind'" in texts[1] and texts[1].endswith("series[0]")


def test_nothing_to_note_is_no_warning(recwarn):
    Notes().warn()
    assert not recwarn.list


def test_a_block_warns_once_of_each_kind_by_the_names_of_the_caller():
    with pytest.warns(CovariateWarning) as caught, warned_once():
        for names in (["x", "y"], [4, 5]):
            notes = Notes()
            with series_called(names), warned_once():
                notes.add("far", "wind", 0)
                notes.add("far", "wind", 1)
                notes.warn()
    (text,) = (str(warning.message) for warning in caught)
    assert text.endswith("of the range; it is cut there in x and 3 more")
    assert caught[0].filename == __file__


def test_a_block_with_an_error_does_not_warn(recwarn):
    notes = Notes()
    notes.add("far", "wind", 0)
    with pytest.raises(ValueError, match="no"), warned_once():
        notes.warn()
        raise ValueError("no")
    assert not recwarn.list


def test_nothing_is_said_where_a_caller_has_said_it(recwarn):
    with warned_once():
        with unwarned():
            notes = Notes()
            notes.add("short", None, 0)
            notes.add_other(UserWarning("other"))
            notes.warn()
    assert not recwarn.list
