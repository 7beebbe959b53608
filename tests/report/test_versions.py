import timer_forecaster
from timer_forecaster.report.versions import versions


def test_the_versions_that_decide_the_numbers():
    found = versions()
    assert found["timer-forecaster"] == timer_forecaster.__version__
    assert {"Python", "torch", "numpy", "pandas"} <= set(found)


def test_a_package_that_is_absent_is_left_out(monkeypatch):
    from timer_forecaster.report import versions as module

    monkeypatch.setattr(module, "_PACKAGES", ("numpy", "no-such-package"))
    assert list(versions()) == ["timer-forecaster", "Python", "numpy"]
