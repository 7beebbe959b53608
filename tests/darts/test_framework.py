"""The error of `import timer_forecaster.darts` where Darts is missing or too old."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("found", "version"),
    [
        ({"__init__.py": "__version__ = '0.47.0'"}, "0.47.0"),  # has no foundation models here
        ({"__init__.py": "raise ImportError"}, "none"),
    ],
)
def test_import_without_a_fitting_darts_says_what_to_install(found, version, tmp_path):
    (tmp_path / "darts").mkdir()
    for name, text in found.items():
        (tmp_path / "darts" / name).write_text(text)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", "import timer_forecaster.darts"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 1
    message = done.stderr.splitlines()[-1]
    assert f"needs Darts 0.48 or newer with torch, found {version} (" in message
    assert 'its extra: pip install "timer-forecaster[darts]"' in message
