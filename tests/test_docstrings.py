"""The examples in the docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import timer_forecaster

# The doors' examples are run by their own tests, which skip where a framework is missing.
FRAMEWORKS = ("darts", "skpro", "sklearn", "sktime")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(timer_forecaster.__path__, "timer_forecaster.")
    if module.name.split(".")[1] not in FRAMEWORKS and not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_the_public_names_have_examples():
    for name in ("ForecastPipeline.from_pretrained", "ForecastPipeline.predict_frame", "Forecast"):
        holder = timer_forecaster
        for part in name.split("."):
            holder = getattr(holder, part)
        assert ">>> " in holder.__doc__
