"""Notations of dates."""

import pandas as pd
import pytest

from timer_forecaster.frames.stamps.notations import (
    MONTHS,
    NOTATIONS,
    WEEKDAYS,
    parts_of,
    read_parts,
)


def readings(text):
    """Return all dates that a text can be."""
    found = set()
    for notation in NOTATIONS:
        parts = parts_of(pd.Series([text]), notation)
        if parts["all"].notna().all():
            dates = [read_parts(parts, meaning)[0] for meaning in notation.readings.values()]
            found |= {str(pd.Timestamp(date).date()) for date in dates if not pd.isna(date)}
    return found


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2024-02-03", {"2024-02-03"}),
        ("02/03/2024", {"2024-02-03", "2024-03-02"}),
        ("13/03/2024", {"2024-03-13"}),
        ("02-03-04", {"2004-02-03", "2004-03-02", "2002-03-04"}),
        ("3 feb 24", {"2024-02-03"}),
        ("2024-03/02", set()),
        ("2024-02", {"2024-02-01"}),
        ("q3-2024", {"2024-07-01"}),
        ("2024w05", {"2024-01-29"}),
        ("jan", set()),
        ("12:30", set()),
        ("1/24", set()),
    ],
)
def test_a_text_has_the_readings_of_its_notation(text, expected):
    assert readings(text) == expected


def test_names_are_english():
    assert len(set(MONTHS.values())) == 12
    assert MONTHS["sept"] == MONTHS["sep"] == MONTHS["september"] == 9
    assert {WEEKDAYS[name] for name in ("mon", "monday")} == {0}


def test_weekdays_must_be_right():
    assert readings("sat, 3 feb 2024") == {"2024-02-03"}
    assert readings("sun, 3 feb 2024") == set()
    assert readings("tue, 02/01/2024") == {"2024-01-02"}  # which also decides the order
