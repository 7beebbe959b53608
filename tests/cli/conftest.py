import pytest

from timer_forecaster import cli


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run the command in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = cli.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return run
