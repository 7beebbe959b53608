import pytest

from timer_forecaster import release


@pytest.fixture
def loads(monkeypatch):
    """Keys of the networks that are loaded, from an empty cache on."""
    from timer_forecaster.inference import cache  # loads torch, which not every test needs

    keys = []
    load_network = cache.load_network

    def counted(key):
        keys.append(key)
        return load_network(key)

    release()
    monkeypatch.setattr(cache, "load_network", counted)
    return keys
