"""The pages that belong to no room run, say what is true, and are complete."""

import ast
import functools
import inspect
import json
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from places import ROOT
from reference import documented

import timer_forecaster
from timer_forecaster import cli

DOCS = ROOT / "docs"
PACKAGE = ROOT / "timer_forecaster"


def page(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", page(name), flags=re.DOTALL)


@pytest.mark.parametrize("name", ["start", "pipeline", "data", "migration"])
def test_the_python_prints_what_it_says(name, capsys):
    if name == "migration":
        pytest.importorskip("matplotlib")
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in blocks(name, "python"):
            exec(block, names)  # noqa: S102
    assert capsys.readouterr().out == "".join(blocks(name, "text"))


@pytest.fixture
def sales(tmp_path, monkeypatch):
    """A folder with the file of the examples, and nothing else."""
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=80)
    pd.DataFrame({"day": days, "sold": np.arange(80.0) % 7}).to_csv("sales.csv", index=False)


def commands(name):
    lines = "\n".join(blocks(name, "bash")).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("timer-forecaster ")]


@pytest.mark.parametrize("name", ["index", "start", "command"])
@pytest.mark.filterwarnings("ignore::timer_forecaster.finetuning.TuningWarning")
def test_the_commands_run_one_after_the_other(name, sales):
    assert commands(name)
    for words in commands(name):
        loads = words[0] not in ("checkpoints",)
        assert cli.main([*words, *(["--checkpoint", "timer-s1-test"] if loads else [])]) == 0


def test_every_command_has_its_options_on_the_page():
    shown = re.findall(r"```\{command\} (.*)", page("command"))
    assert {words.split()[0] for words in shown} == set(cli._COMMANDS)


# Messages


def test_the_messages_are_in_the_code():
    section = page("troubleshooting").partition("## Messages")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| (.+?) \| .+ \| .+ \|$", section, flags=re.M)
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    code = re.sub(r'"\s*f?"', "", code)  # texts in several lines
    assert len(messages) > 30
    for message in set(messages) - {"message"}:
        for part in (part.strip(" ,;:") for part in message.split("…")):
            assert part in code, f"{message!r}: no text of the code has {part!r}"


# Reference

# Modules with `__all__` that are no interface: names of version 0.1, names that a door takes from
# its framework, building blocks of the corpus, and texts.
PRIVATE = {
    "_darts_module",
    "cli",
    "cli.help",
    "corpus.primitives",
    "darts.framework",
    "extras",
    "inference.adapters",
    "inference.cache",
    "inference.frames",
    "inference.histories",
    "models.checkpoints",
}


@functools.cache
def tree(module):
    path = PACKAGE.joinpath(*module.split(".")) if module else PACKAGE
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports(module):
    """Where the names come from that a module imports from the package."""
    return {
        alias.asname or alias.name: (node.module.partition(".")[2], alias.name)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("timer_forecaster")
        for alias in node.names
    }


def origin(module, name):
    """The module in which a name is made, and its name there: found without an import."""
    while name in imports(module):
        module, name = imports(module)[name]
    return module, name


@functools.cache
def names_of(module):
    """What the `__all__` of a module lists."""
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []


def public_modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        module = ".".join(part for part in parts if part != "__init__")
        if module not in PRIVATE and "__all__ = [" in path.read_text(encoding="utf-8"):
            yield module


def test_every_public_name_is_on_a_page_of_the_reference():
    there = {origin(*pair) for pair in documented()}
    public = {(module, name) for module in public_modules() for name in names_of(module)}
    public -= {("", "__version__")}
    assert len(public) > 150
    assert {pair for pair in public if origin(*pair) not in there} == set()


def test_every_name_of_the_reference_is_public():
    for module, name in documented():
        assert name in names_of(module), (module, name)


# The site and the package


def test_every_page_is_in_the_menu():
    """Sphinx warns of others; here without Sphinx."""
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    menus = "\n".join(
        re.findall(r"```\{toctree\}\n(.*?)```", "\n".join(map(page, pages | {"index"})), re.S)
    )
    listed = set(re.findall(r"^(?:.*<)?([\w/*?-]+)>?$", menus, flags=re.M))
    patterns = [entry.removesuffix("?") for entry in listed]
    assert {name for name in pages if name not in patterns} == set()


def addresses():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]


def pages_with_addresses():
    """The files of the repository that people or programs read, by their suffixes."""
    folders = (ROOT.glob, DOCS.rglob, (ROOT / ".github").rglob)
    found = {path for glob in folders for path in glob("*.*") if path.suffix in SUFFIXES}
    return sorted(path for path in found if not path.is_relative_to(DOCS / "_build"))


SUFFIXES = {".cff", ".json", ".md", ".patch", ".rst", ".toml", ".yml"}


@pytest.mark.parametrize(
    "path", pages_with_addresses(), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_addresses_of_the_project_are_those_of_its_settings(path):
    urls = addresses()
    text = path.read_text(encoding="utf-8")
    for address in re.findall(r"https?://[\w./-]*timer-forecaster[\w./-]*", text):
        if "OWNER" not in address:  # how to set them
            assert address.startswith((urls["Repository"], urls["Homepage"].rstrip("/"))), address


def test_the_version_stands_once_and_is_repeated_rightly():
    version = timer_forecaster.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation
    (released,) = re.findall(r"^date-released: (.*)$", citation, flags=re.M)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## [{version}] - {released}\n" in changes
    versions = json.loads((DOCS / "_static" / "versions.json").read_text(encoding="utf-8"))
    assert version in [entry["version"] for entry in versions]


def test_every_version_of_the_changelog_has_its_link():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.*?)\]", changes, flags=re.M)
    links = re.findall(r"^\[(.*?)\]: https", changes, flags=re.M)
    assert headings == links


def test_the_oldest_versions_are_the_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    tested = [extras[name] for name in extras if name not in ("all", "dev", "docs")]
    bounds = set()
    for line in (line for lines in (project["dependencies"], *tested) for line in lines):
        name, least = re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", line).groups()
        bounds.add(f"{name}=={least}")
    text = (ROOT / "constraints-minimal.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == sorted(bounds)


def test_an_index_page_has_addresses_in_place_of_paths():
    command = [
        sys.executable,
        "-c",
        "import setup; print(setup.with_addresses(open('README.md').read()))",
    ]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 20
    assert all(link.startswith("https://") for link in links)
    assert f"{addresses()['Repository']}/raw/main/docs/images/french_load.png" in text
    for path in re.findall(rf"{addresses()['Repository']}/(?:raw|blob)/main/([^)#\s]+)", text):
        assert (ROOT / path).exists(), path


def test_broken_links_of_a_site_are_found(tmp_path):
    sys.path.insert(0, str(DOCS))
    try:
        broken_links = import_module("check_links").broken_links
    finally:
        sys.path.remove(str(DOCS))
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html#there">b</a><a href="#here">a</a>'
    )
    (tmp_path / "b.html").write_text('<p id="there"><a href="https://example.org/x">x</a>')
    assert broken_links(tmp_path) == ([], 2)
    (tmp_path / "b.html").write_text('<img src="c.png"><a href="a.html#gone">a</a>')
    broken, _ = broken_links(tmp_path)
    assert [line.rpartition(": ")[2] for line in broken] == [
        "there is no such anchor",
        "there is no such anchor",
        "there is no such file",
    ]


def test_the_site_lists_no_page_that_does_not_exist():
    for path in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#|\.\./)([^)#\s]+)", path.read_text("utf-8")):
            if not path.is_relative_to(DOCS / "_build"):
                assert (path.parent / target).exists(), (path, target)


def test_the_record_for_sktime_has_the_parameters_of_the_class():
    pytest.importorskip("sktime")
    from timer_forecaster.sktime import TimerS1Forecaster

    patch = (DOCS / "upstream" / "patches" / "sktime.patch").read_text(encoding="utf-8")
    new_file = patch.partition("class TimerS1MiniForecaster")[2]
    signature = re.search(r"def __init__\(.*?\+    \):", new_file, flags=re.DOTALL)[0]
    found = ast.parse(re.sub(r"^\+    ", "", signature, flags=re.M) + "\n    pass").body[0].args
    names, values = [one.arg for one in found.args[1:]], map(ast.literal_eval, found.defaults)
    given = inspect.signature(TimerS1Forecaster).parameters
    assert dict(zip(names, values, strict=True)) == {n: p.default for n, p in given.items()}
    assert re.findall(r"^\+ +self\.(\w+) = \1$", new_file, flags=re.M) == list(given)
