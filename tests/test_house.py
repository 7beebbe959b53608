"""The rules of the house, which `CONTRIBUTING.md` explains.

Imports have their own contracts, in `pyproject.toml`, checked by `lint-imports`.
"""

import ast
import dataclasses
import inspect
from pathlib import Path

import pytest
from code_lines import code_lines, functions
from places import ROOT

from timer_forecaster import cli

PACKAGE = ROOT / "timer_forecaster"
MODULES = sorted(PACKAGE.rglob("*.py"))
DOORS = ("cli", "darts", "ray", "samay", "sklearn", "sktime")

LONGEST_FUNCTION = 40
LONGEST_FILE_OF_A_DOOR = 170


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*MODULES, *(ROOT / "benchmarks").rglob("*.py")], ids=name_of)
def test_no_function_is_longer_than_a_screen(path):
    sizes = dict(functions(path.read_text(encoding="utf-8")))
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("door", DOORS)
def test_doors_are_thin(door):
    files = sorted((PACKAGE / door).rglob("*.py"))
    assert files, f"{door} is a package of small files"
    sizes = {name_of(path): len(code_lines(path.read_text(encoding="utf-8"))) for path in files}
    assert {name: n for name, n in sizes.items() if n > LONGEST_FILE_OF_A_DOOR} == {}


def has_functions(path):
    """Whether a module does more than to hold types and names."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)


def test_every_module_has_a_test_file_of_its_path_and_name():
    lonely = []
    for path in MODULES:
        name = path.relative_to(PACKAGE)
        tests = ROOT / "tests" / name.parent / f"test_{name.name}"
        if path.name != "__init__.py" and has_functions(path) and not tests.is_file():
            lonely.append(str(name))
    assert lonely == []


def test_tests_lie_in_the_folder_of_a_room():
    rooms = {path.parent.relative_to(PACKAGE) for path in MODULES}
    rooms |= {Path("conformance"), Path("benchmarks")}
    for path in (ROOT / "tests").rglob("test_*.py"):
        assert path.parent.relative_to(ROOT / "tests") in rooms, path


# How a door calls an option, where it is not the option's own name.
OTHER_NAMES = {
    # Darts cuts the windows itself: its parameter is the length of the context.
    ("darts", "context_length"): "input_chunk_length",
}


def parameters_of(door):
    if door == "pipeline":
        from timer_forecaster import ForecastPipeline

        return inspect.signature(ForecastPipeline.predict).parameters
    if door == "frames":
        from timer_forecaster import ForecastPipeline

        return inspect.signature(ForecastPipeline.predict_frame).parameters
    door, name = door.split(".")
    pytest.importorskip(door)
    module = pytest.importorskip(f"timer_forecaster.{door}")
    return inspect.signature(getattr(module, name).__init__).parameters


CLASSES = [
    "sktime.TimerS1Forecaster",
    "sktime.TinyTimeMixerForecaster",
    "darts.TimerS1Model",
    "darts.TinyTimeMixerModel",
    "sklearn.TimerS1Regressor",
]


@pytest.mark.parametrize("place", ["pipeline", "frames", *CLASSES])
def test_every_option_of_a_forecast_is_a_parameter_of_every_door(place):
    from timer_forecaster.inference.options import ForecastOptions

    parameters, door = parameters_of(place), place.partition(".")[0]
    for field in dataclasses.fields(ForecastOptions):
        name = OTHER_NAMES.get((door, field.name), field.name)
        assert name in parameters, f"{door} has no parameter {name}"
        if name == field.name and door != "darts":  # Darts has a batch size of its own
            assert parameters[name].default == field.default


def test_every_option_of_a_forecast_is_an_option_of_the_command(capsys):
    from timer_forecaster.inference.options import ForecastOptions

    with pytest.raises(SystemExit):
        cli.main(["forecast", "--help"])
    text = capsys.readouterr().out
    for field in dataclasses.fields(ForecastOptions):
        assert f"--{field.name.replace('_', '-')}" in text
