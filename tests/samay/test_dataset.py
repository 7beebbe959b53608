import inspect

import numpy as np
import pytest
from samay_cases import waves, write_csv

from timer_forecaster.samay import TinyTimeMixerDataset


def test_defaults_are_those_of_the_page():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(TinyTimeMixerDataset).parameters.items()
    }
    assert defaults == {
        "name": None,
        "datetime_col": "ds",
        "path": None,
        "mode": None,
        "context_len": 512,
        "horizon_len": 64,
        "batch_size": 128,
        "boundaries": (0, 0, 0),
        "stride": 10,
        "target_columns": None,
    }


def test_futures_lie_in_their_part(dataset, csv):
    values = dataset(None).windows.padded[:, 48:]
    assert values.shape == (2, 400)
    for mode, rows in {"train": (48, 200), "val": (200, 280), "test": (280, 400)}.items():
        part = dataset(mode)
        np.testing.assert_array_equal(part[0][1], values[:, rows[0] : rows[0] + 8])
        np.testing.assert_array_equal(part[-1][1], values[:, rows[1] - 8 : rows[1]])
        assert len(part) == (rows[1] - rows[0]) // 8
        with pytest.raises(IndexError):
            part[len(part)]


def test_boundaries_of_one_file_do_not_reach_another(dataset, tmp_path):
    dataset(boundaries=[100, 200, 300])
    longer = dataset(path=write_csv(tmp_path / "longer.csv", waves(800)))
    assert longer.windows.origins[0] == 560


def test_scales_are_of_the_part_that_trains(tmp_path, dataset):
    columns = waves(400)
    columns["wave_0"][200:] *= 1000
    columns["wave_1"][:] = 7.0
    columns["wave_1"][300:] = 9.0
    path = write_csv(tmp_path / "a.csv", columns)
    found = dataset(path=path, target_columns=["wave_0", "wave_1"]).scales
    assert found[0] == pytest.approx(np.std(columns["wave_0"][:200]))
    assert found[1] == pytest.approx(np.std(columns["wave_1"]))


def test_bad_arguments_are_named(dataset):
    for name, value in {
        "mode": "training",
        "context_len": 0,
        "horizon_len": -1,
        "batch_size": 0,
        "stride": 0,
        "boundaries": [0, 0, 401],
    }.items():
        with pytest.raises(ValueError, match=f"{name}="):
            dataset(**{name: value})
    for name, value in {"name": 3, "stride": 2.5, "boundaries": None, "batch_size": "8"}.items():
        with pytest.raises(TypeError, match=f"{name}="):
            dataset(**{name: value})


def test_errors_name_the_data(dataset):
    with pytest.raises(
        ValueError, match=r"^ett \(.*waves\.csv\), mode='val': horizon_len=81 .* 80"
    ):
        dataset("val", name="ett", horizon_len=81)
    with pytest.raises(ValueError, match=r"waves\.csv, mode='train': context_len=512 and horizon"):
        dataset("train", context_len=512)


def test_a_data_set_without_a_file_says_so_when_it_is_read():
    dataset = TinyTimeMixerDataset(batch_size=32)
    with pytest.raises(ValueError, match="path: "):
        len(dataset)


def test_torch_loads_it(dataset):
    import torch

    part = dataset()
    loader = torch.utils.data.DataLoader(part, batch_size=4)
    assert sum(len(histories) for histories, _ in loader) == len(part)


def test_warnings_point_at_the_line_of_the_user(tmp_path):
    columns = waves(400) | {"weather": ["clear"] * 400}
    with pytest.warns(UserWarning, match="no channels: 'weather'") as caught:
        path = write_csv(tmp_path / "a.csv", columns)
        TinyTimeMixerDataset(path=path, datetime_col="date", context_len=48, horizon_len=8)
    assert len(caught) == 1
    assert caught[0].filename == __file__
