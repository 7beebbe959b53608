import pytest

from timer_forecaster import release


def pytest_runtest_setup(item):
    """Skip a test that needs a GPU where there is none."""
    if item.get_closest_marker("gpu") is None:
        return
    import torch  # which not every test needs

    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")


@pytest.fixture(scope="session")
def int8_kernel():
    """Skip where this build of torch has no 8-bit kernel for the CPU."""
    from timer_forecaster.models.timer_s1.layouts.int8_kernel import activation_steps

    try:
        return activation_steps()
    except ImportError as error:
        pytest.skip(str(error))


@pytest.fixture
def loads(monkeypatch):
    """Keys of the networks that are loaded, from an empty cache on."""
    from timer_forecaster.checkpoints import cache  # loads torch, which not every test needs

    keys = []
    load_network = cache.load_network

    def counted(key):
        keys.append(key)
        return load_network(key)

    release()
    monkeypatch.setattr(cache, "load_network", counted)
    return keys


@pytest.fixture
def calls(monkeypatch):
    """Rows and horizon of each call of the pipeline, with nothing remembered from before."""
    from timer_forecaster import ForecastPipeline  # loads torch, which not every test needs

    release()
    made = []
    predict = ForecastPipeline.predict

    def counted(self, series, horizon, **options):
        made.append((len(series), horizon))
        return predict(self, series, horizon, **options)

    monkeypatch.setattr(ForecastPipeline, "predict", counted)
    return made
