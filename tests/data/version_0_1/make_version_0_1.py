"""Write the files beside this program, and what version 0.1 forecast with what they hold.

It was run once, on version 0.1.0, from a checkout of that version with the test on the path:

    PYTHONPATH=tests python tests/data/version_0_1/make_version_0_1.py

and serves to see how the files came about. `tests/test_version_0_1.py` reads them, and has the
questions that are asked here of the objects in memory. ``--names`` prints the modules and names
of timer_forecaster that the files which are there name, and writes nothing.
"""

import contextlib
import json
import pickle
import pickletools
import shutil
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import pandas as pd
from darts.utils.likelihood_models import QuantileRegression
from test_version_0_1 import (
    CASES,
    CHECKPOINT,
    QUIET,
    darts_series,
    hourly,
    hourly_load,
    installed,
    pipeline,
    series_to_forecast,
    training_settings,
    windows,
    without_chatter,
)

import timer_forecaster
from timer_forecaster import ForecastPipeline
from timer_forecaster.corpus.shards import build
from timer_forecaster.darts import TimerS1Model
from timer_forecaster.evaluation import PipelineForecaster, evaluate_gift_eval
from timer_forecaster.finetuning import Adapter, FinetuneConfig, finetune
from timer_forecaster.inference import convert_checkpoint
from timer_forecaster.models.checkpoints import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1ForPrediction
from timer_forecaster.pretraining import PretrainingConfig, pretrain
from timer_forecaster.sklearn import TimerS1Regressor
from timer_forecaster.sktime import TimerS1Forecaster

HERE = Path(__file__).parent
ROOT = Path(timer_forecaster.__file__).parents[1]
PACKAGES = (
    "accelerate",
    "darts",
    "joblib",
    "numpy",
    "pandas",
    "pyarrow",
    "pytorch-lightning",
    "scikit-base",
    "scikit-learn",
    "skpro",
    "sktime",
    "torch",
    "transformers",
)
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_attention_heads": 4,
    "num_experts": 4,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 1,
}
BRIEF = {"steps": 6, "batch_size": 4, "context_length": 96}


def main() -> None:
    """Write everything."""
    for old in HERE.iterdir():
        if old.suffix not in (".py", ".md") and old.name != "inputs.npz":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    load = pd.read_csv(ROOT / "examples" / "french_load.csv")["load_mw"].to_numpy(np.float64)
    np.savez_compressed(HERE / "inputs.npz", load=load)
    versions = {package: installed(package) for package in PACKAGES}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")
    for folder in ("pickles", "darts"):
        (HERE / folder).mkdir()
    with warnings.catch_warnings(), without_chatter():
        warnings.simplefilter("ignore")
        objects = {}
        for make in (inference, estimators, darts_models, folders):
            objects |= make()
        store({name: case.ask(objects[name]) for name, case in CASES.items()})


def store(answers: dict[str, dict[str, Any]]) -> None:
    """Write answers: numbers one after the other, and beside them texts, and shapes for numbers."""
    numbers: list[np.ndarray] = []
    described: dict[str, dict[str, Any]] = {}
    for case, questions in answers.items():
        described[case] = {}
        for question, answer in questions.items():
            values = np.asarray(answer)
            if values.dtype.kind in "fiub":
                numbers.append(values.astype(np.float64).ravel())
                described[case][question] = {"shape": values.shape}
            else:
                described[case][question] = values.astype(str).tolist()
    np.save(HERE / "expected.npy", np.concatenate(numbers))
    (HERE / "expected.json").write_text(json.dumps(described, separators=(",", ":")) + "\n")


def pickled(name: str, value: Any) -> dict[str, Any]:
    """Pickle an object to the file of a case."""
    (HERE / CASES[name].path).write_bytes(pickle.dumps(value))
    return {name: value}


def inference() -> dict[str, Any]:
    """Write pipelines, what they return, and adapters."""
    pipe, mini = pipeline(), pipeline("timer-s1-mini")
    series = series_to_forecast()
    adapters = {
        "router_head": finetune(pipe, series, FinetuneConfig(**BRIEF)),
        "lora": finetune(pipe, series, FinetuneConfig(target="lora", lora_rank=2, **BRIEF)),
        "norms": finetune(pipe, series, FinetuneConfig(target="norms", **BRIEF)),
        "mini": finetune(mini, series, FinetuneConfig(target="router", **BRIEF | {"steps": 15})),
    }
    for name, adapter in adapters.items():
        if adapter.is_identity:
            raise RuntimeError(f"the tuning of {name} changed nothing: choose another")
        adapter.save(HERE / "adapters" / name)
    adapters["lora"].to_peft(HERE / "adapters" / "peft")
    random = ForecastPipeline.from_pretrained(None, config=SIZES, device="cpu")
    settings = PretrainingConfig.from_mapping(training_settings(2))
    return {
        "adapter_router_head": adapters["router_head"],
        "adapter_norms": adapters["norms"],
        "adapter_lora": adapters["lora"],
        "adapter_mini": adapters["mini"],
        "adapter_peft": Adapter.from_peft(HERE / "adapters" / "peft", pipe),
        **pickled("pipeline", pipe),
        **pickled("pipeline_mini", mini),
        **pickled("pipeline_adapter", pipeline(adapter=adapters["lora"])),
        **pickled("pipeline_random", random),
        **pickled("pipeline_int8", pipeline(quantization="int8")),
        **pickled("forecast", mini.predict(series, 20)),
        **pickled("routing", mini.routing(series)),
        **pickled("adapter", adapters["lora"]),
        **pickled("finetune_config", FinetuneConfig(target="lora", steps=7, hot_experts=0.5)),
        **pickled("pretraining_config", settings),
    }


def estimators() -> dict[str, Any]:
    """Write forecasters of sktime, a distribution of skpro and regressors of scikit-learn."""
    adapter = Adapter.load(HERE / "adapters" / "norms")
    tuning = FinetuneConfig(target="router", **BRIEF)
    test = {"model_path": CHECKPOINT, "device_map": "cpu"}
    y = hourly(hourly_load()[:500])
    saved = TimerS1Forecaster(device_map="cpu", point="mean").fit(y, fh=[1, 2, 40])
    saved.save(HERE / "sktime_saved")
    series = TimerS1Forecaster(device_map="cpu").fit(y)
    X, Y = windows()
    regressor = TimerS1Regressor(device_map="cpu", point=0.9).fit(X, Y)
    joblib.dump(regressor, HERE / "sklearn_regressor.joblib")
    random = TimerS1Forecaster(None, config=SIZES, device_map="cpu", dtype="float64")
    panel = TimerS1Forecaster(
        **test, point="mean", context_length=200, rollout="quantile", flip=True, batch_size=2
    )
    return {
        "sktime_saved": saved,
        "sklearn_joblib": regressor,
        **pickled("sktime_series", series),
        **pickled("sktime_adapter", TimerS1Forecaster(**test, adapter=adapter).fit(y)),
        **pickled("sktime_tuned", TimerS1Forecaster(**test, tuning=tuning).fit(y)),
        **pickled("sktime_random", random.fit(y)),
        **pickled("sktime_panel", panel.fit(uneven_panel())),
        **pickled("sktime_hierarchy", TimerS1Forecaster(**test).fit(monthly_hierarchy())),
        **pickled("distribution", series.predict_proba([1, 5, 40])),
        **pickled("sklearn_regressor", regressor),
        **pickled("sklearn_tuned", TimerS1Regressor(**test, tuning=tuning).fit(X, Y)),
    }


def uneven_panel() -> pd.DataFrame:
    """Make three instances of two variables that end at different times, with gaps."""
    parts = {}
    for name, values in zip("abc", series_to_forecast(), strict=True):
        parts[name] = pd.DataFrame({"load": values, "root": np.sqrt(values)})
        parts[name].index = pd.date_range("2018-08-20", periods=len(values), freq="h")
    return pd.concat(parts, names=["site", "time"])


def monthly_hierarchy() -> pd.DataFrame:
    """Make four leaves of two branches, on months."""
    months = pd.period_range("2000-01", periods=120, freq="M", name="month")
    leaves = [("north", "a"), ("north", "b"), ("south", "a"), ("south", "c")]
    parts = {
        leaf: pd.DataFrame({"load": hourly_load()[i * 100 : i * 100 + 120]}, index=months)
        for i, leaf in enumerate(leaves)
    }
    return pd.concat(parts, names=["region", "city", "month"])


def darts_models() -> dict[str, Any]:
    """Write models of Darts: pickled, saved, and kept by Lightning while they are trained."""
    adapter = Adapter.load(HERE / "adapters" / "norms")
    quantiles = {"likelihood": QuantileRegression([0.1, 0.5, 0.9])}
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        models = {
            "frozen": darts_model((1, 200), 40, output_chunk_shift=2, **quantiles),
            "adapter": darts_model(100, 24, adapter=adapter),
            "tuned": darts_model(64, 16, enable_finetuning="router", **quantiles),
            "lora": darts_model(64, 16, enable_finetuning="lora", adapter=adapter, **quantiles),
            "trained": darts_model(
                64,
                16,
                enable_finetuning={"unfreeze": ["*norm*"]},
                save_checkpoints=True,
                model_name="trained",
                work_dir="trained",
            ),
        }
        for name, model in models.items():
            model.fit(darts_series(0, 110))
            if name != "trained":
                model.save(str(HERE / "darts" / f"{name}.pt"))
        shutil.copytree(Path("trained", "trained"), HERE / "darts" / "trained")
    return {
        "darts_frozen": models["frozen"],
        "darts_adapter": models["adapter"],
        "darts_tuned": models["tuned"],
        "darts_lora": models["lora"],
        "darts_checkpoint": models["trained"],
        **pickled("darts_pickle", models["frozen"]),
        **pickled("darts_tuned_pickle", models["tuned"]),
    }


def darts_model(*lengths: Any, **options: Any) -> TimerS1Model:
    """Make a model that is trained, if at all, for one epoch."""
    return TimerS1Model(
        *lengths,
        **{
            "hub_model_name": CHECKPOINT,
            "pl_trainer_kwargs": dict(QUIET),
            "n_epochs": 1,
            "random_state": 0,
            "optimizer_kwargs": {"lr": 1e-2},
            "model_name": "version_0_1",
            "work_dir": "darts_logs",
            **options,
        },
    )


def folders() -> dict[str, Any]:
    """Write checkpoints, a run that is half done, a corpus and results of an evaluation."""
    model = TimerS1ForPrediction.from_pretrained(find_checkpoint(CHECKPOINT))
    model.save_pretrained(HERE / "checkpoints" / "transformers")
    convert_checkpoint(CHECKPOINT, HERE / "checkpoints" / "int8")
    settings = PretrainingConfig.from_mapping(training_settings(2))
    pretrain(settings, HERE / "run", device="cpu")
    shutil.rmtree(HERE / "run" / "checkpoints" / "step-000000001")
    with TemporaryDirectory() as source:
        write_parquet(Path(source, "load__H.parquet"), [hourly_load()[i::4] for i in range(4)])
        build(source, HERE / "corpus", (), ())
    write_results()
    return {
        "checkpoint_int8": HERE / "checkpoints" / "int8",
        "checkpoint_transformers": (HERE / "checkpoints" / "transformers", model),
        "run": HERE / "run",
        "corpus": HERE / "corpus",
        "evaluation": HERE / "evaluation" / "results.csv",
    }


def write_results() -> None:
    """Score a checkpoint on a data set of one series."""
    folder = HERE / "evaluation"
    folder.mkdir()
    write_parquet(folder / "m4_hourly__H.parquet", [hourly_load()[:300]])
    forecaster = PipelineForecaster(pipeline(), {"context_length": 100})
    evaluate_gift_eval(forecaster, folder, output=folder / "results.csv", terms=["short"])


def write_parquet(file: Path, series: list[np.ndarray]) -> None:
    """Write series as a data set of a corpus or of GIFT-Eval."""
    names = [f"load-{i}" for i in range(len(series))]
    targets = [values.astype(np.float32) for values in series]
    frame = pd.DataFrame({"item_id": names, "start": None, "freq": "H", "target": targets})
    frame.to_parquet(file)


# --- what the files name --------------------------------------------------------------------


def print_names() -> None:
    """Print the modules and names of the package in every file, as a table."""
    for file in sorted(HERE.rglob("*")):
        names = sorted({name for part in pickles_in(file) for name in globals_of(part)})
        own = [name for name in names if name.startswith("timer_forecaster")]
        if own:
            print(f"{file.relative_to(HERE)}: {', '.join(own)}")


def pickles_in(file: Path) -> Iterator[bytes]:
    """Yield the pickles of a file: its own, or those in the archives of torch and sktime."""
    if file.suffix in (".pickle", ".joblib"):
        yield file.read_bytes()
    elif file.is_file() and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                if name.endswith(".pkl") or name in ("_obj", "_metadata"):
                    yield archive.read(name)


def globals_of(data: bytes) -> Iterator[str]:
    """Yield what a pickle imports, as module and name."""
    memo: dict[int, Any] = {}
    last: list[Any] = []  # texts that were pushed, or taken from the memo
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            yield str(argument).replace(" ", ":")
        elif opcode.name == "STACK_GLOBAL":
            yield f"{last[-2]}:{last[-1]}"
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = last[-1] if last else None
        elif opcode.name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = last[-1] if last else None
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            last.append(memo[argument])
        elif "UNICODE" in opcode.name:
            last.append(argument)
        # Other values are memoised as the text before them, which no import then takes.


if __name__ == "__main__":
    print_names() if "--names" in sys.argv[1:] else main()
