"""The error of `import timer_forecaster.darts` where Darts is missing or too old."""

from forks import run_forked

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
try:
    import timer_forecaster.darts
except ImportError as error:
    print(error)
"""
FOUND = {
    "0.47.0": "__version__ = '0.47.0'",  # has no foundation models here
    "none": "raise ImportError",
}


def test_import_without_a_fitting_darts_says_what_to_install(tmp_path):
    for version, text in FOUND.items():
        (tmp_path / version / "darts").mkdir(parents=True)
        (tmp_path / version / "darts" / "__init__.py").write_text(text)
    printed = run_forked({v: PROGRAM.format(folder=str(tmp_path / v)) for v in FOUND})
    for version in FOUND:
        message = " ".join(printed[version])
        assert f"needs Darts 0.48 or newer with torch, found {version} (" in message
        assert 'its extra: pip install "timer-forecaster[darts]"' in message
