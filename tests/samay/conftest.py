import pytest
from samay_cases import TINY, waves, write_csv


@pytest.fixture
def csv(tmp_path):
    """400 hours of two channels."""
    return write_csv(tmp_path / "waves.csv", waves(400))


@pytest.fixture
def dataset(csv):
    """Return data sets of the file for a context of 48 steps and a horizon of 8."""
    from timer_forecaster.samay import TinyTimeMixerDataset

    def make(mode="test", path=csv, **arguments):
        sizes = {"context_len": 48, "horizon_len": 8, "stride": 8, "datetime_col": "date"}
        return TinyTimeMixerDataset(path=path, mode=mode, **(sizes | arguments))

    return make


@pytest.fixture
def model():
    """A small model of random weights."""
    from timer_forecaster.samay import TinyTimeMixerModel

    return TinyTimeMixerModel(TINY)
