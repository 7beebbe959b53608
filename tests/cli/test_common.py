import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_words import DAYS, write

import timer_forecaster
from timer_forecaster import cli


@pytest.mark.parametrize(
    ("words", "missing", "ours"),
    [
        (["pretrain", "run.yaml"], "accelerate", ["pretraining", "pretraining.trainer"]),
        (
            ["pretrain", "run.yaml"],
            "yaml",
            ["pretraining", "pretraining.config", "pretraining.yaml_file"],
        ),
        (["corpus", "build", "s", "out"], "pyarrow", ["corpus.shards", "corpus.sources"]),
        (["corpus", "describe", "corpus"], "statsmodels.tsa.stattools", []),
        (["corpus", "describe", "corpus", "--against", "s"], "scipy.ndimage", ["corpus.overlap"]),
    ],
)
def test_the_extra_for_training_is_named(run, monkeypatch, words, missing, ours):
    pytest.importorskip("pyarrow")
    Path("s").mkdir()
    frame = pd.DataFrame({"item_id": ["a", "b"], "start": None, "freq": "D"})
    frame["target"] = [np.arange(40.0)] * 2
    frame.to_parquet("s/days__D.parquet")
    assert run("corpus", "build", "s", "corpus")[0] == 0
    # Those that fail to be imported leave nothing behind for other tests.
    for name in ours:
        monkeypatch.delitem(sys.modules, f"timer_forecaster.{name}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    code, _, err = run(*words)
    assert code == 2
    assert f"needs {missing.partition('.')[0]}; install timer-forecaster" in err
    assert 'its extra: pip install "timer-forecaster[pretrain]"' in err
    assert err.count("\n") == 1


def test_device_and_type_are_passed_on(monkeypatch, run):
    loaded = []

    def from_pretrained(name, **options):
        loaded.append(options)
        raise ValueError("enough is known")

    monkeypatch.setattr(timer_forecaster.ForecastPipeline, "from_pretrained", from_pretrained)
    expected = []
    for words in (
        ["forecast", write(DAYS), "--time-column", "time", "--horizon", 2],
        ["evaluate", "--data", "."],
    ):
        for options in ([], ["--device", "cuda:1", "--dtype", "bfloat16"]):
            assert run(*words, *options)[0] == 2
            device, dtype = ("cuda:1", "bfloat16") if options else ("auto", "auto")
            rest = {"quantization": None, "adapter": None}
            expected.append({"device": device, "dtype": dtype, **rest})
    assert loaded == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "tpu9"], "device='tpu9' is not a device of this machine"),
        (["--device", "meta"], "device='meta' is not a device of this machine"),
    ],
)
def test_devices_that_cannot_be_used(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["forecast", write(DAYS), "--time-column", "time", "--horizon", "2"]
    assert cli.main([*words, "--checkpoint", "timer-s1-test", *options]) == 2
    assert message in capsys.readouterr().err
