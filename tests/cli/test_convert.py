from pathlib import Path

import pytest


def test_the_size_and_the_folder_are_printed(run, monkeypatch):
    asked = []

    def convert_checkpoint(checkpoint, output, *, quantization):
        asked.append((checkpoint, output, quantization))
        output.mkdir()
        (output / "model.safetensors").write_bytes(bytes(2_340_000))
        return output

    monkeypatch.setattr("timer_forecaster.inference.convert_checkpoint", convert_checkpoint)
    code, out, err = run("convert", "timer-s1-test", "--output", "small")
    assert (code, err) == (0, "")
    assert asked == [("timer-s1-test", Path("small"), "int8")]
    assert out.startswith("Converted timer-s1-test in ")
    assert out.endswith(" s: 2.3 MB -> small\n")


def test_a_folder_that_exists_is_refused(run, tmp_path):
    (tmp_path / "small").mkdir()
    code, out, err = run("convert", "timer-s1-test", "--output", "small")
    assert (code, out) == (2, "")
    assert "'small' exists already" in err


def test_an_output_is_needed(run, capsys):
    with pytest.raises(SystemExit):
        run("convert", "timer-s1-test")
    assert "the following arguments are required: --output" in capsys.readouterr().err
