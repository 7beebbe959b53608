import json
import subprocess
import sys

import pytest

import timer_forecaster

HEAVY = "torch transformers numpy pandas darts sktime sklearn pytorch_lightning".split()


def test_import_loads_nothing_heavy():
    program = (
        "import json, sys, timer_forecaster;"
        f"loaded = [name for name in {HEAVY} if name in sys.modules];"
        "print(json.dumps([loaded, dir(timer_forecaster)]))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    loaded, names = json.loads(output)
    assert loaded == []
    assert set(timer_forecaster.__all__) <= set(names)


@pytest.mark.parametrize("name", timer_forecaster.__all__)
def test_public_names_can_be_imported(name):
    assert getattr(timer_forecaster, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Forecastt'"):
        _ = timer_forecaster.Forecastt
