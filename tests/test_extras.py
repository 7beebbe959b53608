import re
import tomllib

from places import ROOT

from timer_forecaster.extras import missing_extra


def test_the_message_begins_with_the_need_and_ends_with_a_command():
    message = missing_extra("pictures need matplotlib", "plot")
    assert message.startswith("pictures need matplotlib; ")
    assert message.endswith(' pip install "timer-forecaster[plot]"')


def test_every_extra_that_the_package_names_can_be_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    call = re.compile(r"""(?:missing_extra|needs_extra)\((?:[^()]*, )?"(\w+)"\)""")
    files = ROOT.joinpath("timer_forecaster").rglob("*.py")
    named = {name for file in files for name in call.findall(file.read_text(encoding="utf-8"))}
    assert {"darts", "evaluate", "plot", "pretrain", "sklearn", "sktime"} <= named
    assert named <= set(project["optional-dependencies"])
