import pandas as pd
import pytest

from timer_forecaster.frames.reading import MissingColumnError, read_series, read_series_file


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("shop,day,sold,note\n007,2024-01-02,5,a\nNA,2024-01-01,,b\n")
    return path


def test_ids_stay_text_and_times_become_time_stamps(file):
    frame = read_series_file(file, time_column="day", id_column="shop")
    assert frame.columns.tolist() == ["shop", "day", "sold", "note"]
    assert frame["shop"].tolist() == ["007", "NA"]
    assert frame["day"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-01")]
    assert frame["sold"].tolist()[0] == 5
    assert frame["sold"].isna().tolist() == [False, True]


def test_an_empty_id_is_missing(file):
    file.write_text("shop,day,sold\n,2024-01-02,5\nb,2024-01-02,6\n")
    frame = read_series_file(str(file), time_column="day", id_column="shop")
    assert frame["shop"].isna().tolist() == [True, False]


def test_times_can_be_integers(file):
    file.write_text("step,sold\n1,5\n2,6\n")
    assert read_series_file(file, time_column="step")["step"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "argument", "column"),
    [
        ({"time_column": "date"}, "time_column", "date"),
        ({"time_column": "day", "id_column": "id"}, "id_column", "id"),
        ({"time_column": "day", "target_columns": "price"}, "target_columns", "price"),
        ({"time_column": "day", "target_columns": ["sold", "mw"]}, "target_columns", "mw"),
    ],
)
def test_a_missing_column_is_named_with_its_argument(file, arguments, argument, column):
    with pytest.raises(MissingColumnError) as caught:
        read_series_file(file, **arguments)
    reason = f"there is no column {column!r}; there are shop, day, sold, note"
    assert str(caught.value) == f"{file}: {argument}: {reason}"
    assert str(caught.value.renamed("--option")) == f"{file}: --option: {reason}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("# a comment\n", "there are no rows of data"),
        ("day,sold\n", "there are no rows of data"),
        ("day,sold\nsoon,5\n", "time column 'day': data row 1, 'soon', cannot be read as a time"),
        ("day,sold\n,5\n", "time column 'day': data row 1 has no time"),
    ],
)
def test_files_that_cannot_be_read_are_named(file, text, message):
    file.write_text(text)
    with pytest.raises(ValueError) as caught:
        read_series_file(file, time_column="day")
    assert str(caught.value).startswith(f"{file}: {message}")


@pytest.mark.parametrize(
    "text", ["day,sold\n", "day,sold", "day\n", "day;sold\n\n", "# a\nday,sold\n"]
)
def test_a_header_alone_has_no_rows(file, text):
    file.write_text(text)
    with pytest.raises(ValueError, match=r"sales.csv: there are no rows of data$"):
        read_series(file)


def test_a_file_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no file .*nowhere\.csv"):
        read_series_file(tmp_path / "nowhere.csv", time_column="day")


def test_a_few_texts_stay_in_named_targets_if_that_is_asked_for(file):
    file.write_text("shop,day,sold\na,2024-01-02,5\na,2024-01-03,oops\nb,2024-01-02,6.5\n")
    names = {"time_column": "day", "id_column": "shop"}
    read = read_series(file, **names, target_columns="sold", on_error="nan")
    assert read.frame["sold"].tolist() == [5, "oops", 6.5]
    with pytest.raises(ValueError, match="data row 2, 'oops', is not a finite number"):
        read_series(file, **names, target_columns="sold")
    with pytest.raises(ValueError, match="on_error='skip'"):
        read_series(file, **names, on_error="skip")
