"""The decimal sign of a file."""

import pandas as pd
import pytest

from timer_forecaster.frames.files.figures import read_figures


def test_another_column_decides_an_ambiguous_one():
    frame = pd.DataFrame({"a": ["1.234", "987"], "b": ["3,5", "4"], "note": ["x", "y"]})
    figures = read_figures(frame, list(frame))
    assert figures.frame["a"].tolist() == [1234, 987]
    assert figures.frame["b"].tolist() == [3.5, 4]
    assert figures.frame["note"].tolist() == ["x", "y"]
    assert list(figures.refused) == ["note"]
    assert (
        figures.notations["a"] == "decimal ',', thousands '.', by the decimal sign of other columns"
    )


def test_numbers_that_are_read_already_decide():
    frame = pd.DataFrame({"a": ["1,234", "987"]})
    assert read_figures(frame, ["a"], shown=".").frame["a"].tolist() == [1234, 987]
    assert list(read_figures(frame, ["a"]).refused) == ["a"]


def test_columns_that_contradict_each_other_decide_nothing():
    frame = pd.DataFrame({"a": ["1,234"], "b": ["3,5"], "c": ["3.5"]})
    assert list(read_figures(frame, list(frame)).refused) == ["a"]


def test_columns_of_numbers_stay_as_they_are():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False]})
    assert read_figures(frame, list(frame)).frame.equals(frame)


def test_columns_that_are_not_read_decide_too():
    frame = pd.DataFrame({"a": ["1.234", "987"], "b": ["3,5", "4"]})
    figures = read_figures(frame, ["a"], usual=".")
    assert figures.frame["a"].tolist() == [1234, 987]
    assert figures.frame["b"].tolist() == ["3,5", "4"]


def test_the_usual_sign_decides_where_no_column_does():
    frame = pd.DataFrame({"a": ["1.234", "987"], "note": ["x", "y"]})
    figures = read_figures(frame, ["a"], usual=".")
    assert figures.frame["a"].tolist() == [1.234, 987]
    assert figures.notations["a"] == "by the decimal sign of files separated by commas"


def test_texts_that_are_no_numbers_stay_in_columns_that_keep_them():
    frame = pd.DataFrame({"a": ["1.234,5", "closed", "7", None], "b": ["1", "oops", "2", "3"]})
    figures = read_figures(frame, list(frame), kept=["a"])
    assert figures.frame["a"].tolist()[:3] == [1234.5, "closed", 7]
    assert figures.frame["a"].isna().tolist() == [False, False, False, True]
    assert figures.notations["a"] == "decimal ',', thousands '.'"
    assert list(figures.refused) == ["b"]


def test_a_column_keeps_texts_where_another_decides_its_sign():
    frame = pd.DataFrame({"a": ["1.234", "closed", "987"], "b": ["3,5", "4", "5"]})
    assert read_figures(frame, list(frame), kept=["a"]).frame["a"].tolist() == [1234, "closed", 987]


@pytest.mark.parametrize(
    "texts", [["5 kWh", "6 kWh", "7"], ["1.234,5", "3,5", "12.5"], ["1,50", "2,50", "$3"]]
)
def test_numbers_that_are_written_in_another_way_are_not_kept(texts):
    assert list(read_figures(pd.DataFrame({"a": texts}), ["a"], kept=["a"]).refused) == ["a"]


def test_columns_of_many_texts_are_refused():
    frame = pd.DataFrame({"a": ["x", "y", "1"], "b": ["oops", "1", "2"]})
    assert list(read_figures(frame, list(frame), kept=["a", "b"]).refused) == ["a"]
    frame = pd.DataFrame({"a": ["oops"] * 101 + ["1"] * 900})
    assert list(read_figures(frame, ["a"], kept=["a"]).refused) == ["a"]
    assert not read_figures(frame[1:], ["a"], kept=["a"]).refused
