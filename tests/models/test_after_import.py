"""A function runs once, as soon as a module is there, however often it is imported."""

import importlib
import sys

import pytest

from timer_forecaster.models.after_import import after_import


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "imported_later.py").write_text("value = 1\n")
    (tmp_path / "imported_with_an_error.py").write_text(
        "import os\nif os.environ.get('FAILS'):\n    raise ImportError('not yet')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "imported_later"
    for name in ("imported_later", "imported_with_an_error"):
        sys.modules.pop(name, None)


def test_a_function_runs_after_the_import_and_once(module):
    calls = []
    after_import(module, lambda: calls.append(sys.modules[module].value))
    assert calls == [] and module not in sys.modules
    importlib.import_module(module)
    importlib.import_module(module)
    importlib.reload(sys.modules[module])
    assert calls == [1]


def test_a_function_runs_at_once_if_the_module_is_there(module):
    importlib.import_module(module)
    calls = []
    after_import(module, lambda: calls.append(1))
    assert calls == [1]


def test_several_functions_may_wait_for_one_module(module):
    calls = []
    for number in range(3):
        after_import(module, lambda number=number: calls.append(number))
    importlib.import_module(module)
    assert sorted(calls) == [0, 1, 2]


def test_other_imports_stay_as_they_are(module):
    before = list(sys.meta_path)
    after_import(module, lambda: None)
    assert importlib.util.find_spec("json").name == "json"
    importlib.import_module(module)
    assert sys.meta_path == before
    spec = sys.modules[module].__spec__
    assert spec.origin.endswith("imported_later.py")
    assert spec.loader.get_source(module) == "value = 1\n"


def test_an_import_that_failed_is_waited_for_again(module, monkeypatch):
    calls = []
    after_import("imported_with_an_error", lambda: calls.append(1))
    monkeypatch.setenv("FAILS", "1")
    with pytest.raises(ImportError, match="not yet"):
        importlib.import_module("imported_with_an_error")
    assert calls == []
    monkeypatch.delenv("FAILS")
    importlib.import_module("imported_with_an_error")
    assert calls == [1]


def test_a_module_that_does_not_exist_is_an_import_error_as_before():
    after_import("no_such_module_at_all", lambda: None)
    try:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("no_such_module_at_all")
    finally:
        sys.meta_path.pop(0)
