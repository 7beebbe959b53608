"""The auto classes of transformers load either class after one import."""

import subprocess
import sys

import pytest
from forks import BENEATH_TRANSFORMERS, run_forked
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


OTHERS = {
    "registered again": f"""
import sys
{OURS}
from transformers import AutoModel
from timer_forecaster.models.ttm.auto_classes import register_auto_classes
register_auto_classes()
print(type(AutoModel.from_pretrained(sys.argv[1])).__name__)
""",
    "another library": f"""
from transformers import AutoConfig, PreTrainedConfig
class Other(PreTrainedConfig):
    model_type = "tinytimemixer"
AutoConfig.register("tinytimemixer", Other)
{OURS}
print(AutoConfig.for_model("tinytimemixer").__class__.__name__)
""",
}


@pytest.fixture(scope="module")
def printed():
    programs = {order: imports + LOAD for order, imports in ORDERS.items()} | OTHERS
    folders = (str(OWN / "r2_ft"), str(OWN / "r3_decomposed"))
    return run_forked(programs, *folders, loaded=BENEATH_TRANSFORMERS)


@pytest.mark.parametrize("order", ORDERS)
def test_the_auto_classes_load_a_folder_whatever_is_imported_first(printed, order):
    assert printed[order] == [
        "TinyTimeMixerConfig",
        "TinyTimeMixerForPrediction",
        "TinyTimeMixerConfig",
        "TinyTimeMixerForDecomposedPrediction",
    ]


def test_the_import_alone_loads_no_transformers():
    program = f"import sys; {OURS}; print({{'torch', 'transformers'}} & set(sys.modules))"
    command = [sys.executable, "-W", "error::UserWarning", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout.split()) == (0, ["set()"]), done.stderr


def test_registering_again_is_no_error(printed):
    assert printed["registered again"] == ["TinyTimeMixerForPrediction"]


def test_the_class_of_another_library_stays(printed):
    assert printed["another library"] == ["Other"]
