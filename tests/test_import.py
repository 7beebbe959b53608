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


@pytest.mark.parametrize("door", ["sktime", "sklearn", "skpro"])
def test_door_without_its_framework_says_what_to_install(door):
    pytest.importorskip("torch")
    program = f"import sys; sys.modules['{door}'] = None; import timer_forecaster.{door}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    extra = "sktime" if door == "skpro" else door
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: timer_forecaster.{door} needs")
    assert f"[{extra}]" in done.stderr.splitlines()[-1]
