"""Reading the benchmark from Parquet files and from its own download."""

import datetime
import sys

import numpy as np
import pytest

from timer_forecaster.evaluation import find_configurations, load_configuration


def ramp(steps, first=0):
    return [float(first + step) for step in range(steps)]


def test_parquet(write_parquet):
    series = [np.arange(400, dtype=np.float32), np.full(500, np.nan, dtype=np.float32)]
    configuration = load_configuration(write_parquet("my_shop__D", series, "D"))
    assert configuration.name == "my_shop/D/short"
    assert (configuration.horizon, configuration.windows, configuration.seasonality) == (30, 2, 1)
    assert (configuration.domain, configuration.num_variates) == ("unknown", 1)
    assert [len(values) for values in configuration.series] == [400, 500]
    assert configuration.series[0].dtype == np.float64
    np.testing.assert_array_equal(configuration.series[0], np.arange(400))


def test_rows_of_several_frequencies_are_refused(write_parquet):
    path = write_parquet("shop__D", [ramp(400), ramp(400)], ["D", "h"])
    with pytest.raises(ValueError, match=r"shop__D\.parquet: the column freq has \['D', 'h'\]"):
        load_configuration(path)
    weeks = write_parquet("shop__W", [ramp(100), ramp(100)], ["W-MON", "W-SUN"])
    assert load_configuration(weeks).name == "shop/W/short"


def test_parquet_of_one_variate_a_row_knows_the_benchmarks_variates(write_parquet):
    configuration = load_configuration(write_parquet("ett1__W", [ramp(103)] * 7, "W-THU"))
    assert (configuration.domain, configuration.num_variates) == ("Energy", 7)


@pytest.mark.parametrize("files", [1, 2])
def test_download_of_single_series(write_download, files):
    targets = [ramp(60), [*ramp(50, 7), None, 1.0]]
    configuration = load_configuration(write_download("hospital", targets, "M", files))
    assert configuration.name == "hospital/M/short"
    assert (configuration.domain, configuration.num_variates) == ("Healthcare", 1)
    assert [len(values) for values in configuration.series] == [60, 52]
    assert configuration.series[0].dtype == np.float64
    assert np.flatnonzero(np.isnan(configuration.series[1])).tolist() == [50]


def test_download_of_several_variates(write_download):
    targets = [[ramp(60), ramp(60, 100)], [ramp(70, 200), ramp(70, 300)]]
    configuration = load_configuration(write_download("new/M", targets, "M"))
    assert configuration.name == "new/M/short"
    assert configuration.num_variates == 2
    assert [int(values[0]) for values in configuration.series] == [0, 100, 200, 300]
    assert [len(values) for values in configuration.series] == [60, 60, 70, 70]


def test_both_forms_give_the_same_configuration(write_parquet, write_download):
    series = [ramp(60), ramp(45, 3)]
    one = load_configuration(write_parquet("shop__M", series, "M"))
    other = load_configuration(write_download("shop/M", series, "M"))
    assert one.name == other.name
    np.testing.assert_array_equal(one.targets(), other.targets())
    for context, same in zip(one.contexts(), other.contexts(), strict=True):
        np.testing.assert_array_equal(context, same)


def test_the_downloads_names_become_the_published_ones(write_download, tmp_path):
    for folder, frequency in [
        ("LOOP_SEATTLE/D", "D"),
        ("saugeenday/W", "W-SUN"),
        ("car_parts_with_missing", "M"),
        ("bizitobs_application", "10S"),
        ("kdd_cup_2018_with_missing/D", "D"),
    ]:
        write_download(folder, [ramp(50)], frequency)
    names = {stored.name for stored in find_configurations(tmp_path, terms=["short"])}
    assert names == {
        "loop_seattle/D/short",
        "saugeen/W/short",
        "car_parts/M/short",
        "bizitobs_application/10S/short",
        "kdd_cup_2018/D/short",
    }


def test_each_data_set_comes_with_the_terms_it_has(write_parquet, tmp_path):
    write_parquet("web__H", [ramp(9000)], "H")
    write_parquet("shop__D", [ramp(400)], "D")
    names = [stored.load().name for stored in find_configurations(tmp_path)]
    assert names == ["shop/D/short", "web/H/short", "web/H/medium", "web/H/long"]


@pytest.mark.parametrize(
    ("names", "terms", "expected"),
    [
        (["web/H/long", "web"], ["short", "long"], ["web/H/long", "web/H/short"]),
        (["shop/D"], ["short"], ["shop/D/short"]),
    ],
)
def test_names_and_terms_select(write_parquet, tmp_path, names, terms, expected):
    write_parquet("web__H", [ramp(90)], "H")
    write_parquet("shop__D", [ramp(40)], "D")
    found = find_configurations(tmp_path, names, terms)
    assert [stored.name for stored in found] == expected


def test_what_cannot_be_selected_is_named(write_parquet, tmp_path):
    with pytest.raises(ValueError, match="holds nothing to evaluate: neither"):
        find_configurations(tmp_path)
    write_parquet("shop__D", [ramp(40)], "D")
    with pytest.raises(ValueError, match=r"terms \['longer'\] are unknown; use some of short"):
        find_configurations(tmp_path, terms=["longer"])
    with pytest.raises(ValueError, match="no configuration 'sho'; the data sets are shop/D"):
        find_configurations(tmp_path, ["sho"])
    with pytest.raises(ValueError, match=r"is of terms \['long'\]; there are shop/D/short"):
        find_configurations(tmp_path, terms=["long"])
    with pytest.raises(ValueError, match=r"is of terms \[\]; there are shop/D/short"):
        find_configurations(tmp_path, ["shop"], [])


def test_two_data_sets_of_one_name_are_refused(write_parquet, write_download, tmp_path):
    write_parquet("shop__D", [ramp(40)], "D")
    write_download("SHOP/D", [ramp(40)], "D")
    with pytest.raises(ValueError, match="are both shop/D"):
        find_configurations(tmp_path)


@pytest.mark.parametrize(
    "targets",
    [
        [["a", "b"]],
        [[datetime.date(2024, 1, 1)] * 40],
        [np.arange(40).astype("m8[s]")],
        [[True, False] * 20],
        ["text"],
    ],
)
def test_targets_that_are_no_numbers_are_refused_by_name(targets, write_parquet):
    file = write_parquet("shop__D", targets, "D")
    with pytest.raises(ValueError, match=r"shop__D\.parquet: each row's target must be a list of"):
        load_configuration(file)


@pytest.mark.parametrize("kind", ["int8", "uint64", "float16", "float32"])
def test_numbers_of_any_type_are_targets(kind, write_parquet):
    configuration = load_configuration(write_parquet("shop__D", [np.arange(90).astype(kind)], "D"))
    np.testing.assert_array_equal(configuration.series[0], np.arange(90))


def test_files_that_are_no_data_sets_are_named(write_parquet, write_download, tmp_path):
    with pytest.raises(ValueError, match=r"'shop\.parquet' is not named <dataset>__"):
        load_configuration(write_parquet("shop", [ramp(40)], "D"))
    with pytest.raises(ValueError, match="each row's target must be a list of numbers"):
        load_configuration(write_parquet("flat__D", [1.0, 2.0], "D"))
    with pytest.raises(ValueError, match=r"half__D\.parquet: a variate in target is null"):
        load_configuration(write_parquet("half__D", [[[1.0, 2.0], None]], "D"))
    broken = tmp_path / "broken__D.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(ValueError, match=r"broken__D\.parquet cannot be read as a data set"):
        load_configuration(broken)
    folder = write_download("hospital", [ramp(60)], "M")
    (folder / "data-00000-of-00001.arrow").unlink()
    with pytest.raises(ValueError, match=r"data-00000-of-00001\.arrow cannot be read"):
        load_configuration(folder)


@pytest.mark.parametrize("text", ['{"epoch": 3}', "[1]", '{"_data_files": ["a"]}', "no JSON"])
def test_a_state_of_something_else_is_named(write_parquet, tmp_path, text):
    write_parquet("shop__D", [ramp(40)], "D")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text(text)
    with pytest.raises(ValueError, match=r"run.state\.json does not name the Arrow files"):
        find_configurations(tmp_path)


def test_a_truncated_stream_is_named(write_download):
    folder = write_download("shop/D", [ramp(300), ramp(300)], "D")
    file = folder / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:-900])
    with pytest.raises(ValueError, match=r"data-00000-of-00001\.arrow cannot be read"):
        load_configuration(folder)


def test_a_missing_pyarrow_is_named(write_parquet, monkeypatch):
    path = write_parquet("shop__D", [ramp(40)], "D")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "timer-forecaster\[evaluate\]"'):
        load_configuration(path)
