"""The auto classes of transformers load a folder after one import, in any order of imports."""

import json
import shutil
import subprocess
import sys

import pytest
from forks import BENEATH_TRANSFORMERS, run_forked
from places import ROOT

from timer_forecaster.checkpoints.registry import find_checkpoint

OURS = "import timer_forecaster.models.timer_s1"
ORDERS = {
    "before transformers": f"{OURS}; import transformers",
    "after transformers": f"import transformers; {OURS}",
    "after the auto classes": f"from transformers import AutoConfig, AutoModel; {OURS}",
    "between": f"from transformers import PreTrainedModel; {OURS}",
    "after our classes": "from timer_forecaster.models.timer_s1 import TimerS1ForPrediction",
    "by the package": "from timer_forecaster import ForecastPipeline",
}
LOAD = """
import sys
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
for auto in (AutoConfig, AutoModel, AutoModelForCausalLM):
    for options in ({}, {"trust_remote_code": True}, {"trust_remote_code": False}):
        print(type(auto.from_pretrained(sys.argv[1], **options)).__name__)
"""


OTHERS = {
    "registered again": f"""
import sys
{OURS}
from transformers import AutoConfig, AutoModelForCausalLM
from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction, auto_classes
for _ in range(2):
    auto_classes.register_auto_classes()
    AutoConfig.register("Timer-S1", TimerS1Config)
    AutoModelForCausalLM.register(TimerS1Config, TimerS1ForPrediction)
print(type(AutoModelForCausalLM.from_pretrained(sys.argv[2])).__name__)
""",
    "another library": f"""
import sys
from transformers import AutoConfig, PreTrainedConfig
class Other(PreTrainedConfig):
    model_type = "Timer-S1"
AutoConfig.register("Timer-S1", Other)
{OURS}
print(type(AutoConfig.from_pretrained(sys.argv[2])).__name__)
""",
    "a configuration": """
from timer_forecaster.models.timer_s1 import TimerS1Config
config = TimerS1Config(hidden_size=32, num_attention_heads=2, intermediate_size=32,
    num_hidden_layers=1, num_mtp_tokens=1, num_experts=2)
from transformers import AutoModel
print(type(AutoModel.from_config(config)).__name__)
""",
}


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """Return a copy of a checkpoint whose config.json names remote code, as the released one."""
    folder = tmp_path_factory.mktemp("remote") / "timer"
    shutil.copytree(find_checkpoint("timer-s1-test"), folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {
        "AutoConfig": "configuration_timer_s1.TimerS1Config",
        "AutoModelForCausalLM": "modeling_timer_s1.TimerS1ForPrediction",
    }
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


@pytest.fixture(scope="module")
def printed(remote):
    programs = {order: imports + LOAD for order, imports in ORDERS.items()} | OTHERS
    folders = (remote, str(find_checkpoint("timer-s1-test")))
    return run_forked(programs, *folders, loaded=BENEATH_TRANSFORMERS)


@pytest.mark.parametrize("order", ORDERS)
def test_the_auto_classes_load_a_folder_whatever_is_imported_first(printed, order):
    assert printed[order] == ["TimerS1Config"] * 3 + ["TimerS1ForPrediction"] * 6


def test_the_import_alone_loads_no_transformers():
    program = f"import sys; {OURS}; print({{'torch', 'transformers'}} & set(sys.modules))"
    command = [sys.executable, "-W", "error::UserWarning", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout.split()) == (0, ["set()"]), done.stderr


def test_registering_again_is_no_error(printed):
    assert printed["registered again"] == ["TimerS1ForPrediction"]


def test_the_class_of_another_library_stays(printed):
    assert printed["another library"] == ["Other"]


def test_a_model_is_made_from_a_configuration_that_was_made_before(printed):
    assert printed["a configuration"] == ["TimerS1ForPrediction"]
