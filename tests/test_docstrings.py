"""The examples in the docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import timer_forecaster

# The doors' examples are run by their own tests, which skip where a framework is missing.
FRAMEWORKS = ("darts", "skpro", "sklearn", "sktime")
STARTS_RAY = "timer_forecaster.ray.functions"
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(timer_forecaster.__path__, "timer_forecaster.")
    if module.name.split(".")[1] not in FRAMEWORKS
    and not module.name.endswith("__main__")
    and module.name != STARTS_RAY
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # examples write files
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0
