"""The decimal sign of a file."""

import pandas as pd

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
