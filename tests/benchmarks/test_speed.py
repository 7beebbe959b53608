"""The parts of the speed benchmark at tiny sizes. No test asserts a time."""

import sys
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from benchmarks.pages import write_page
from benchmarks.random_checkpoints import parameter_shapes, write_checkpoint
from benchmarks.speed import __main__ as program
from benchmarks.speed import balanced_routing, darts_models, machine_rates, panels, parts, questions
from benchmarks.speed.classical import CLASSICAL, time_classical
from benchmarks.speed.reports import (
    busy_machine,
    darts,
    embedded,
    growth,
    panel_growth,
    released,
    startup,
)
from benchmarks.speed.useful_work import useful_work
from timer_forecaster import release
from timer_forecaster.checkpoints.registry import find_checkpoint

torch = pytest.importorskip("torch")

from timer_forecaster.checkpoints import files as weights  # noqa: E402
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network  # noqa: E402
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Linear  # noqa: E402
from timer_forecaster.models.timer_s1.patches import patchify  # noqa: E402

TEST_MODEL = "timer-s1-test"
TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 2,
    "num_attention_heads": 2,
    "num_experts": 4,
}
PAGE = ROOT / "docs" / "performance.md"
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("work"), TINY, "float32", 50_000)


def parameters(sizes):
    return sum(int(np.prod(shape)) for shape in parameter_shapes(sizes).values())


def test_the_sizes_are_the_documented_ones():
    assert parameters({}) == 8_303_654_176
    assert parameters(parts.SMALL) == pytest.approx(35.7e6, rel=0.01)
    assert parameters(darts_models.SIMILAR) == pytest.approx(120e6, rel=0.1)


def test_balanced_routing_uses_every_expert_alike():
    network = TimerS1Network(TimerS1Architecture(**TINY)).eval()
    balanced_routing.balance(network)
    patches = patchify(torch.zeros(8, 3200), None, 16)
    with torch.no_grad():
        stages = list(network.stages(patches))
    for stage in stages:
        for logits in stage.router_logits:
            counts = torch.bincount(logits.topk(2).indices.flatten(), minlength=4)
            torch.testing.assert_close(
                counts / counts.sum(), torch.full((4,), 0.25), atol=0.03, rtol=0
            )


def test_a_balanced_gate_reads_row_numbers_alone():
    gate, again = (balanced_routing.balanced_gate(4) for _ in range(2))
    long, short = gate(torch.randn(balanced_routing.GATE_ROWS + 2, 32)), again(torch.zeros(2, 32))
    torch.testing.assert_close(long[:2], short)
    torch.testing.assert_close(long[-2:], short)
    assert gate(torch.zeros(1, 32, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("horizon", [16, 48])
def test_useful_work_is_the_work_of_the_network(horizon):
    from torch.utils.flop_counter import FlopCounterMode

    config = TimerS1Architecture(**TINY)
    network = TimerS1Network(config).eval()
    network.set_attention_kernel("eager")  # the counter does not know the fused kernel
    patches = patchify(torch.randn(3, 160), None, 16)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.forecast_pass(patches, horizon // 16)
    useful = useful_work(config, 3, 160, horizon).flops
    assert (
        useful < counter.get_total_flops() < 1.05 * useful
    )  # the eager kernel computes masked products too


def test_useful_work_of_the_released_sizes():
    config = TimerS1Architecture()
    work = useful_work(config, 1, 2880, 272)
    assert work.flops == pytest.approx(0.274e12, rel=0.03)
    assert work.weights == pytest.approx(8.1e9, rel=0.02)  # two experts of the last block
    rolled = useful_work(config, 1, 2880, 720)
    assert 1 < rolled.flops / work.flops < 1.5  # keys and values of the context are kept
    assert useful_work(config, 4, 2880, 272).flops == pytest.approx(4 * work.flops)


def test_our_side_answers(checkpoint):
    assert min(questions.load("ours", str(checkpoint), "float32").values()) > 0
    quantiles = np.array(questions.forecast("ours", 64, 20))
    assert quantiles.shape == (1, 9, 20)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    questions.balance("ours")
    for batch, horizon in ((1, 20), (3, 80)):
        found = questions.seconds("ours", 64, horizon, batch, repeats=2)
        assert len(found) == 2 and min(found) > 0
    assert len(questions.ragged_seconds("ours", 3, 20, repeats=1)) == 1
    assert "aten::" in questions.profile("ours", 64, 20, 1)


def test_ours_is_the_reference_if_the_released_implementation_is_missing():
    ways, left_out = released.ways_of(None, sys.executable, "bfloat16", int8=True)
    assert ways[0].name == "ours, bfloat16"
    assert "--reference-python" in left_out[0]
    assert [way.kind for way in ways] == ["bfloat16", "int8"]
    assert len(left_out) == 1


def test_packing_at_first_use_counts_as_part_of_the_start(checkpoint, int8_kernel, monkeypatch):
    monkeypatch.setattr(
        weights, "DEFERRED_FROM_BYTES", 0
    )  # small checkpoints are packed as they load

    def n_packed():
        return sum(
            isinstance(part, Int8Linear) for part in questions._held["ours"].network.modules()
        )

    release()
    questions.load("ours", str(checkpoint), "float32", quantization="int8")
    assert n_packed() == 0
    found = questions.first_forecast("ours", 64, 20, 1)
    assert n_packed() > 0
    assert set(found) == {"wall s", "CPU s"} and min(found.values()) > 0


class Answering:
    """A process whose answers are known."""

    def __init__(self, answers):
        self.answers = answers

    def ask(self, question, *arguments, **details):
        return self.answers.get(question)

    def close(self):
        pass


def test_a_start_is_loading_and_a_first_forecast(monkeypatch, capsys):
    answers = {
        "load": {"wall s": 1.0, "CPU s": 2.0},
        "first_forecast": {"wall s": 10.0, "CPU s": 20.0},
        "seconds": [0.5],
        "memory": {"anonymous": 3.0, "peak": 4.0},
        "machine_rates": {"float32": 1.0, "bfloat16": 1.0, "int8": 1.0, "read": 1.0},
    }

    monkeypatch.setattr(released, "start", lambda *arguments: Answering(answers))
    ways, _ = released.ways_of("python", "python", "bfloat16", int8=True)
    setting = released.Setting(Path(), ways, rounds=1)
    released.report_cases(setting, TimerS1Architecture(**TINY), parts.QUICK_CASES)
    printed = capsys.readouterr().out
    assert "| load and first forecast, wall s | load and first forecast, CPU s |" in printed
    for name in ("released, bfloat16", "ours, bfloat16", "ours, int8"):
        assert f"| {name} | 11 | 22 | 3 |" in printed


def test_rates_of_the_machine():
    rates = machine_rates.machine_rates(**machine_rates.QUICK)
    assert set(rates) == {"float32", "bfloat16", "int8", "read"}
    assert min(rates.values()) > 0


def test_mixed_lengths():
    lengths = np.array([len(row) for row in panels.mixed_lengths(2000, seed=0)])
    assert lengths.min() == 30 and lengths.max() == 2880
    assert lengths.mean() == pytest.approx(400, rel=0.1)


@linux
@pytest.mark.parametrize("door", ["pipeline", "sktime"])
def test_a_panel_is_measured(door):
    pytest.importorskip("sktime")
    found = panels.grown_panel(3, 40, 5, door, TEST_MODEL)
    assert found["seconds"] > 0
    assert 0 < found["before"] <= found["peak"]


@pytest.mark.parametrize("name", CLASSICAL)
def test_classical_forecasters(name):
    library = "statsforecast" if "statsforecast" in name else "statsmodels"
    pytest.importorskip(library, reason=f"{library} is not in this environment")
    if "season" in name and "AutoETS" in name:
        pytest.skip("takes seconds, and differs from the others in the season only")
    found = time_classical(name, 60, 3, budget=0)
    assert found["seconds"] > 0 and found["series"] == 1


@pytest.mark.parametrize("name", ["Chronos2Model, tiny", "TimerS1Model", "ours"])
def test_darts_models_are_built_without_files(name, checkpoint, monkeypatch):
    pytest.importorskip("darts")
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    monkeypatch.setitem(
        darts_models.DARTS_MODELS, "Chronos2Model, tiny", darts_models.CHRONOS_2 | sizes
    )
    monkeypatch.setattr(
        darts_models, "_be_quiet", lambda: None
    )  # it changes logging for the whole process
    folder = find_checkpoint(TEST_MODEL) if name == "TimerS1Model" else checkpoint
    found = darts_models.time_darts_model(
        "TimerS1Model" if name == "ours" else name, 2, 40, 5, 1, checkpoint=str(folder)
    )
    assert found["seconds"] > 0
    if name == "ours":
        assert found["parameters"] == parameters(TINY)


def test_start_up_is_measured_in_new_processes():
    found = startup.measure_startup(1, {"nothing": "pass", "package": "import timer_forecaster"})
    assert all(0 < figures["CPU s"] for figures in found.values())


def test_the_program_prints_tables(tmp_path, capsys):
    sizes = ",".join(f"{name}={value}" for name, value in TINY.items())
    given = ["--work", str(tmp_path), "--quick", "--rounds", "1"]
    program.main([*given, "--only", "full", "--sizes", sizes])
    printed = capsys.readouterr().out
    assert "Left out: the released implementation" in printed
    assert "| 2 | 64 | 400 | ours, bfloat16 |" in printed
    assert "This machine's own products" in printed


def test_a_panel_of_mixed_lengths_is_compared_with_the_released_one(monkeypatch, capsys):
    seconds = {"released": [8.0, 9.0, 10.0], "ours": [2.0, 3.0, 100.0]}

    def start(python, side):
        return Answering({"ragged_seconds": seconds[side]})

    monkeypatch.setattr(released, "start", start)
    ways, _ = released.ways_of("python", "python", "float32", int8=False)
    released.report_ragged(released.Setting(Path(), ways, rounds=1), 10, 48, 3)
    assert "| ours, float32 | 3 | 300 | 3 |" in capsys.readouterr().out


def test_classical_forecasters_stand_beside_ours(monkeypatch, capsys):
    monkeypatch.setattr(embedded, "Process", lambda *arguments: Answering({"panel": 2.0}))
    asked = []

    def ask(question, name, **details):
        asked.append((question, name, details["budget"]))
        return {"seconds": 0.06, "series": 7}

    classical = embedded.classical_questions(ask, None, budget=5.0)
    assert set(classical) == {name for name in CLASSICAL if "statsforecast" not in name}
    embedded.report_embedded(
        "python", "python", classical, series=100, slow_series=10, rounds=1, steps=64, horizon=8
    )
    printed = capsys.readouterr().out
    assert "Left out: AutoETS of statsforecast: --statsforecast-python is not given." in printed
    assert "| timer-s1-mini, our sktime class | 20 | 100 | 1 |" in printed
    assert "released implementation behind sktime's class | 200 | 10 | 10 |" in printed
    assert "| AutoETS of sktime | 60 | 7 | 3 |" in printed
    assert ("classical", "AutoETS of sktime", 5.0) in asked


def test_memory_of_growing_panels_is_printed_by_door(capsys):
    def ask(question, n, door, **details):
        seconds = {"pipeline": 0.01, "sktime": 0.02}[door] * n
        return {"seconds": seconds, "before": 1.0, "peak": 1.0 + n / 8}

    panel_growth.report_panel_growth(ask, (2, 4), rounds=1)
    printed = capsys.readouterr().out
    assert "| 2 | 10 | 1.25 | 0.25 | 20 | 1.25 | 0.25 |" in printed
    assert "| 4 | 10 | 1.5 | 0.5 | 20 | 1.5 | 0.5 |" in printed


def test_a_busy_machine_is_compared_with_a_free_one(monkeypatch, capsys):
    def start(python, side, threads):
        return Answering({"seconds": [1.0 if threads else 3.0]})

    monkeypatch.setattr(busy_machine, "start", start)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    busy_machine.report_neighbor("python", None, series=2, rounds=1)
    printed = capsys.readouterr().out
    assert "| ratio |" in printed
    assert "| ours | 1 | 3 | 3 |" in printed


def test_models_of_darts_are_printed_with_the_ones_left_out(capsys):
    def ask(question, name, checkpoint="", **details):
        return {"seconds": 4.0 if checkpoint else 2.0, "parameters": 5_000_000}

    darts.report_darts(ask, Path("similar"), n=64, rounds=1)
    printed = capsys.readouterr().out
    assert "| TimerS1Model, timer-s1-mini | 5 | 32 |" in printed
    assert "| TimerS1Model, random weights | 5 | 16 |" in printed
    assert "| Chronos2Model | 5 | 32 |" in printed
    assert "Left out: T0Model: " in printed


def test_growth_is_printed(checkpoint, capsys):
    sizes = {"contexts": (64, 32), "horizons": (16,), "batches": (1, 2), "repeats": 1}
    growth.report_growth(sys.executable, checkpoint, **sizes)
    printed = capsys.readouterr().out
    assert "| 16 | " in printed and "One series of 64 points, by roll-out" in printed


def test_the_page_has_a_place_for_every_part(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write_page(copy, dict.fromkeys(parts.PARTS, "| new |"))
    assert copy.read_text(encoding="utf-8").count("| new |") == len(parts.PARTS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--only", "full"], "--work is needed"),
        (["--work", "x", "--only", "full,fast"], "unknown parts ['fast']"),
    ],
)
def test_arguments_that_cannot_be_used(given, message, capsys):
    with pytest.raises(SystemExit):
        program.parse_arguments(given)
    assert message in capsys.readouterr().err


def test_arguments():
    arguments = program.parse_arguments(["--work", "x", "--sizes", "hidden_size=64,num_experts=4"])
    assert arguments.sizes == {"hidden_size": 64, "num_experts": 4}
    assert "full" in arguments.only and "gpu" not in arguments.only
