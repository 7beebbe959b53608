"""A file of the future is read as the file of the history is."""

import io

import pandas as pd
import pytest

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.reading import MissingColumnError, read_series
from timer_forecaster.frames.reading.errors import NamedError

DAYS = pd.date_range("2024-01-20", periods=14)
LATER = pd.date_range("2024-02-03", periods=2)


def text(days, *, date="%d/%m/%Y", sep=",", target=True, **columns):
    """Return a file with the columns `columns`, whose values are repeated."""
    frame = pd.DataFrame({"day": days.strftime(date)})
    if target:
        frame["y"] = range(1, len(days) + 1)
    for name, values in columns.items():
        frame[name] = [values[i % len(values)] for i in range(len(days))]
    return io.BytesIO(frame.to_csv(index=False, sep=sep).encode())


def read(history, future, **options):
    options = {"time_column": "day", "target_columns": "y", **options}
    return read_series(history, future=future, **options)


def test_the_history_decides_the_order_of_day_and_month():
    found = read(text(DAYS, x=["1.5"]), text(LATER, target=False, x=["2.5"]))
    assert found.future["day"].tolist() == LATER.tolist()
    assert found.known_columns == ["x"] and found.report.future.rows == 2
    with pytest.raises(NamedError, match="its times, such as '02/13/2024', are written in another"):
        read(
            text(DAYS, x=["1.5"]),
            text(LATER + pd.Timedelta(days=10), target=False, date="%m/%d/%Y", x=["1"]),
        )


def test_the_history_decides_for_several_columns_of_times():
    files = [
        text(DAYS, clock=["13:00"], x=["1.5"]),
        text(LATER, target=False, clock=["13:00"], x=["2.5"]),
    ]
    found = read(*files, time_column=["day", "clock"])
    assert found.future["day clock"].tolist() == (LATER + pd.Timedelta(hours=13)).tolist()


def test_times_from_1970_are_instants_in_both_files():
    times = pd.date_range("2024-03-30 12:00", periods=30, freq="h", tz="Europe/Berlin")
    seconds = times.as_unit("s").asi8
    files = [
        pd.DataFrame({"day": part, **columns}).assign(x=1.5).to_csv(index=False).encode()
        for part, columns in ((seconds[:20], {"y": range(20)}), (seconds[20:], {}))
    ]
    options = ReadingOptions(timezone="Europe/Berlin")
    found = read(*map(io.BytesIO, files), known_columns="x", options=options)
    assert [*found.frame["day"], *found.future["day"]] == times.tolist()


@pytest.mark.parametrize("codes", [["007", "A8"], ["007", "008"]])
def test_codes_of_categories_stay_as_they_are_written(codes):
    files = text(DAYS, x=codes, z=["1"]), text(LATER, target=False, x=codes[:1])
    found = read(*files, past_columns="z", categories="x,z")
    assert found.frame["x"].tolist()[:2] == codes
    assert found.future["x"].tolist() == ["007", "007"]
    assert found.report.known == {"x": "categories"} and found.report.past == {"z": "categories"}


def test_ids_without_a_history_are_left_out():
    history = text(DAYS, shop=["1", "2"], item=["a"], x=["1.5"])
    future = text(LATER, target=False, shop=["2", "3"], item=["a"], x=["2.5"])
    found = read(history, future, id_column=["shop", "item"])
    assert found.future["shop item"].tolist() == ["2 / a"]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"q": ["1"]}, {}, "has a column 'q', and the history has none"),
        ({"x": ["1"], "z": ["1"]}, {"past_columns": "z"}, "has values of the past column 'z'"),
        ({"x": ["1"], "y": ["1"]}, {}, "has values of the target 'y'"),
        ({"x": [None]}, {}, "has no value in column 'x'"),
        ({"x": ["1"]}, {"known_columns": "z"}, "has no column 'z', which known_columns names"),
        ({"x": ["50 %"]}, {}, "known column 'x': its numbers, such as '50 %', are written in"),
        ({"x": ["1"]}, {"id_column": "z"}, "id_column: there is no column 'z'"),
    ],
)
def test_errors_name_the_file_of_the_future_alone(tmp_path, columns, options, message):
    file = tmp_path / "later.csv"
    file.write_bytes(text(LATER, target=False, **columns).read())
    with pytest.raises((NamedError, MissingColumnError)) as caught:
        read(text(DAYS, x=["1.5"], z=["1", "2"]), file, **options)
    assert str(caught.value).startswith(str(file)) and message in str(caught.value)
    assert "standard input" not in str(caught.value)


def test_errors_of_the_history_name_its_file():
    future = text(LATER, target=False, x=["1"])
    with pytest.raises(NamedError, match=r"^standard input: 'q' in categories is no covariate"):
        read(text(DAYS, x=["1.5"]), future, categories=["q"])
    future.seek(0)
    with pytest.raises(NamedError, match=r"'A8', .* or name it in categories$"):
        read(text(DAYS, x=["007", "A8"]), future)
