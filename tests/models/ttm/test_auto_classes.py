"""The auto classes of transformers load either class after one import."""

import subprocess
import sys

from forks import run_forked
from places import ROOT
from ttm import OWN

OURS = "import timer_forecaster.models.ttm"
ORDERS = {
    "before transformers": f"{OURS}; import transformers",
    "after the auto classes": f"from transformers import AutoConfig, AutoModel; {OURS}",
    "beside Timer-S1": f"import timer_forecaster.models.timer_s1; {OURS}",
}
LOAD = """
import sys
from transformers import AutoConfig, AutoModel
for folder in sys.argv[1:]:
    for auto in (AutoConfig, AutoModel):
        print(type(auto.from_pretrained(folder)).__name__)
"""


def run(program, *arguments):
    command = [sys.executable, "-W", "error::UserWarning", "-c", f"import sys\n{program}"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_auto_classes_load_a_folder_whatever_is_imported_first():
    programs = {order: imports + LOAD for order, imports in ORDERS.items()}
    printed = run_forked(programs, str(OWN / "r2_ft"), str(OWN / "r3_decomposed"))
    names = [
        "TinyTimeMixerConfig",
        "TinyTimeMixerForPrediction",
        "TinyTimeMixerConfig",
        "TinyTimeMixerForDecomposedPrediction",
    ]
    assert printed == dict.fromkeys(ORDERS, names)


def test_the_import_alone_loads_no_transformers():
    assert run(f"{OURS}; print({{'torch', 'transformers'}} & set(sys.modules))") == ["set()"]


def test_registering_again_is_no_error():
    program = f"""
{OURS}
from transformers import AutoModel
from timer_forecaster.models.ttm.auto_classes import register_auto_classes
register_auto_classes()
print(type(AutoModel.from_pretrained(sys.argv[1])).__name__)
"""
    assert run(program, str(OWN / "r2_ft")) == ["TinyTimeMixerForPrediction"]
