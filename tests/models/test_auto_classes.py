"""Classes are registered lazily, and a failure leaves transformers usable."""

import subprocess
import sys

from places import ROOT


def run(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_class_that_cannot_be_imported_is_a_warning():
    program = """
from timer_forecaster.models.auto_classes import AutoClasses
AutoClasses("nothing", "json", "NoConfig", ["NoModel"], ["AutoModel"]).register()
from transformers import AutoConfig, AutoModel
print(AutoModel.__name__)
"""
    printed, warned = run(program)
    assert printed.split() == ["AutoModel"]
    assert "auto classes cannot load nothing" in warned
    assert "use json.NoModel.from_pretrained" in warned
