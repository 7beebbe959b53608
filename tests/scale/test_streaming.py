"""All series of a source, partition by partition."""

import re

import pandas as pd
import pytest
from scale_cases import in_memory, sales, with_bad

from timer_forecaster.scale import ForecastTask, Names, SeriesSource, stream
from timer_forecaster.scale.folder import RunFolder
from timer_forecaster.scale.text import TextRows


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sales.parquet"
    with_bad(sales(9)).to_parquet(path, row_group_size=70)
    return path


def run(pipe, path, output, horizon=3, rows=150):
    source = SeriesSource(path, Names("shop"))
    return stream(pipe, source, ForecastTask(source.columns, horizon), output, partition_rows=rows)


@pytest.mark.parametrize("rows", [1, 150, 10_000])
def test_the_answer_is_that_of_the_whole_table(pipe, table, tmp_path, rows):
    totals = run(pipe, table, tmp_path / "out", rows=rows)
    expected = in_memory(pipe, pd.read_parquet(table), 3)
    found = pd.read_parquet(tmp_path / "out" / "forecast")
    pd.testing.assert_frame_equal(found, expected)
    assert totals == (11, len(pd.read_parquet(table)), 27, 2)
    rejected = pd.read_parquet(tmp_path / "out" / "rejected")
    assert rejected["shop"].tolist() == ["t-empty", "t-twice"]


def test_finished_partitions_are_not_answered_again(pipe, table, tmp_path, monkeypatch):
    first = run(pipe, table, tmp_path / "out")
    part = tmp_path / "out" / "finished" / "part-000001.json"
    part.unlink()
    asked = []
    original = ForecastTask.answer

    def answer(task, pipeline, frame):
        asked.append(frame["shop"].unique().tolist())
        return original(task, pipeline, frame)

    monkeypatch.setattr(ForecastTask, "answer", answer)
    assert run(pipe, table, tmp_path / "out") == first
    assert asked == [["s003", "s004", "s005"]]


def test_a_run_with_other_settings_or_data_is_refused(pipe, table, tmp_path):
    run(pipe, table, tmp_path / "out")
    with pytest.raises(ValueError, match="another run: horizon was 3, is 4"):
        run(pipe, table, tmp_path / "out", horizon=4)
    with pytest.raises(ValueError, match="partition_rows was 150, is 151"):
        run(pipe, table, tmp_path / "out", rows=151)
    changed = with_bad(sales(9))
    changed.loc[0, "sold"] = 0.125
    changed.to_parquet(table, row_group_size=70)
    with pytest.raises(ValueError, match=r"another run: data|about other data"):
        run(pipe, table, tmp_path / "out")


def test_a_run_with_other_categories_is_refused(pipe, tmp_path):
    path = tmp_path / "sales.parquet"
    sales(2).assign(code=lambda rows: rows["day"].dt.dayofweek).to_parquet(path)
    for codes in (None, "code"):
        source = SeriesSource(path, Names("shop", "day", "sold", "code", categories=codes))
        task = ForecastTask(source.columns, 2)
        if codes is None:
            stream(pipe, source, task, tmp_path / "out")
            continue
        with pytest.raises(ValueError, match=r'another run: categories was null, is .*"code"'):
            stream(pipe, source, task, tmp_path / "out")


def test_dates_of_an_index_without_a_name_are_forecast(pipe, tmp_path):
    frame = sales(3)
    frame.set_index("day").rename_axis(None).to_parquet(tmp_path / "sales.parquet")
    source = SeriesSource(tmp_path / "sales.parquet", Names("shop"))
    assert source.columns.time_column == "time"
    stream(pipe, source, ForecastTask(source.columns, 3), tmp_path / "out")
    found = pd.read_parquet(tmp_path / "out" / "forecast")
    pd.testing.assert_frame_equal(
        found.rename(columns={"time": "day"}), in_memory(pipe, frame, 3), check_dtype=False
    )


@pytest.mark.parametrize("stop", [0, 2])
def test_a_stopped_run_goes_on(pipe, table, tmp_path, monkeypatch, stop):
    write = RunFolder.write

    def interrupted(self, name, answer, content):
        if name == f"part-{stop:06}":
            raise KeyboardInterrupt
        return write(self, name, answer, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunFolder, "write", interrupted)
        run(pipe, table, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("finished/*"))) == stop
    assert run(pipe, table, tmp_path / "out") == run(pipe, table, tmp_path / "whole")
    files = [path for path in (tmp_path / "whole").rglob("*") if path.is_file()]
    for file in files:
        other = tmp_path / "out" / file.relative_to(tmp_path / "whole")
        assert other.read_bytes() == file.read_bytes()
    assert len(files) == len([path for path in (tmp_path / "out").rglob("*") if path.is_file()])


def written(frame, path):
    """Write a table to a file of a kind, with times as texts."""
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def faulty(frame, column, value, shop):
    """Return a table with times as texts, in which the fifth last row of a shop has a value."""
    frame = frame.assign(day=frame["day"].dt.strftime("%Y-%m-%d"))
    frame = frame.astype({column: object})
    frame.loc[frame.index[frame["shop"] == shop][-5], column] = value
    return frame.assign(**{column: frame[column].astype(str)})


def run_named(pipe, path, output, ids="shop", rows=150):
    source = SeriesSource(path, Names(ids, "day", ["sold"]))
    return stream(pipe, source, ForecastTask(source.columns, 3), output, partition_rows=rows)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("shop", ["s000", "s004", "s008"])
@pytest.mark.parametrize(("column", "value"), [("day", "soon"), ("sold", "oops")])
def test_a_text_that_cannot_be_read_costs_one_series(
    pipe, tmp_path, monkeypatch, ending, shop, column, value
):
    monkeypatch.setattr(TextRows.__init__, "__defaults__", (4000,))
    path = written(faulty(sales(9), column, value, shop), tmp_path / f"sales.{ending}")
    totals = run_named(pipe, path, tmp_path / "out")
    expected = in_memory(pipe, sales(9).query("shop != @shop"), 3)
    found = pd.read_parquet(tmp_path / "out" / "forecast")
    found["day"] = found["day"].astype(expected["day"].dtype)
    pd.testing.assert_frame_equal(found, expected)
    assert totals == (9, len(sales(9)), 24, 1)
    rejected = pd.read_parquet(tmp_path / "out" / "rejected")
    assert rejected[["shop", "target"]].to_numpy().tolist() == [[shop, "sold"]]
    assert f"a row, '{value}', " in rejected["reason"][0]
    assert not re.search(r"row \d|sales\.", rejected["reason"][0])
    assert run_named(pipe, path, tmp_path / "out") == totals


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_partitions_of_series_that_cannot_be_read_are_rejected(pipe, tmp_path, ending):
    frame = with_bad(sales(4)).assign(item=7)
    frame["day"] = frame["day"].dt.strftime("%Y-%m-%d")
    frame.loc[frame["shop"].isin(["s001", "s002"]), "day"] = "soon"
    path = written(frame, tmp_path / f"sales.{ending}")
    totals = run_named(pipe, path, tmp_path / "out", ids=["shop", "item"], rows=60)
    assert (totals.series, totals.rejected) == (6, 4)
    rejected = pd.read_parquet(tmp_path / "out" / "rejected")
    assert rejected.columns.tolist() == ["shop", "item", "target", "reason"]
    assert rejected["shop"].tolist() == ["s001", "s002", "t-empty", "t-twice"]
    assert pd.read_parquet(tmp_path / "out" / "forecast")["shop"].unique().tolist() == [
        "s000",
        "s003",
    ]


def test_series_that_are_written_in_another_way_are_rejected(pipe, tmp_path):
    frame = sales(6)
    days = frame["day"].dt.strftime("%Y-%m-%d")
    frame["day"] = days.mask(frame["shop"] == "s002", frame["day"].dt.strftime("%d.%m.%Y"))
    path = written(frame, tmp_path / "sales.parquet")
    run_named(pipe, path, tmp_path / "out", rows=10_000)
    rejected = pd.read_parquet(tmp_path / "out" / "rejected")
    assert rejected["shop"].tolist() == ["s002"]


def test_a_fault_in_rows_that_decide_the_columns_is_an_error(tmp_path):
    frame = faulty(sales(3), "day", "soon", "s002")
    path = written(frame, tmp_path / "sales.parquet")
    with pytest.raises(ValueError, match=f"data row {len(frame) - 4}, 'soon', cannot be read"):
        SeriesSource(path, Names("shop"))
    frame = pd.concat([frame.assign(shop=frame["shop"] + str(n), day="soon") for n in range(9)])
    for ending in ("parquet", "csv"):
        path = written(frame, tmp_path / f"all.{ending}")
        with pytest.raises(ValueError, match=r"data row 1, 'soon', cannot be read"):
            SeriesSource(path, Names("shop", "day", "sold"))


def test_the_digest_of_a_partition_knows_the_rows_that_cannot_be_read(pipe, tmp_path):
    frame = faulty(sales(3), "day", "soon", "s001")
    path = written(frame, tmp_path / "sales.parquet")
    run_named(pipe, path, tmp_path / "out")
    written(frame.assign(day=frame["day"].replace("soon", "late")), path)
    with pytest.raises(ValueError, match=r"another run: data|about other data"):
        run_named(pipe, path, tmp_path / "out")


def test_a_text_in_a_target_of_parquet_costs_this_target_alone(pipe, tmp_path):
    frame = faulty(sales(3).assign(price=1.0), "sold", "oops", "s001")
    path = written(frame, tmp_path / "sales.parquet")
    source = SeriesSource(path, Names("shop", "day", ["sold", "price"]))
    totals = stream(pipe, source, ForecastTask(source.columns, 3), tmp_path / "out")
    assert (totals.forecast_rows, totals.rejected) == (15, 1)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_rows_in_which_nothing_can_be_read_are_an_error(pipe, tmp_path, monkeypatch, ending):
    monkeypatch.setattr("timer_forecaster.scale.parquet._ROWS", 500)
    monkeypatch.setattr(TextRows.__init__, "__defaults__", (40_000,))
    frame = sales(90)
    days = frame["day"].dt.strftime("%Y-%m-%d").mask(frame["shop"] > "s020", "soon")
    path = written(frame.assign(day=days), tmp_path / f"sales.{ending}")
    with pytest.raises(ValueError, match=r"a row, 'soon'.* so it is in|lines from line .*'soon'"):
        run_named(pipe, path, tmp_path / "out", rows=2000)
