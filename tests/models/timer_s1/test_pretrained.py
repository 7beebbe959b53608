"""Loading, saving, training and errors of `TimerS1ForPrediction`."""

import json

import pytest
import torch
from places import ROOT
from safetensors.torch import load_file

from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction, TimerS1Network

TINY = ROOT / "tests" / "data" / "parity" / "tiny"


@pytest.fixture
def model():
    return TimerS1ForPrediction.from_pretrained(TINY)


@pytest.fixture
def series():
    return torch.randn(3, 100, generator=torch.Generator().manual_seed(0)).cumsum(-1)


@pytest.mark.parametrize("max_shard_size", ["5GB", "300KB"])
def test_save_and_load_keep_layout_and_outputs(model, series, tmp_path, max_shard_size):
    model.save_pretrained(tmp_path, max_shard_size=max_shard_size)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert (len(files) > 1) == (max_shard_size == "300KB")
    saved = {name for file in files for name in load_file(file)}
    assert saved == set(load_file(TINY / "model.safetensors"))
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "Timer-S1"
    again = TimerS1ForPrediction.from_pretrained(tmp_path)
    # Not bit for bit: weights mapped from a file may be aligned differently, and round differently.
    expected = model.generate(series, 150)
    assert (again.generate(series, 150) - expected).abs().max() / expected.abs().max() < 1e-6


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_dtype_is_honored_and_forecasts_stay_close(model, series, dtype):
    other = TimerS1ForPrediction.from_pretrained(TINY, dtype=dtype)
    assert other.dtype == dtype
    output = other.generate(series, 40)
    assert output.dtype == torch.float32
    scale = model.generate(series, 40).abs().max()
    assert (output - model.generate(series, 40)).abs().max() / scale < 0.05


def test_bfloat16_keeps_a_series_at_a_high_level(series):
    # The released code casts before it normalizes, which leaves one value of such a series.
    model = TimerS1ForPrediction.from_pretrained(TINY, dtype=torch.bfloat16)
    low = model.generate(series.double(), 48)
    high = model.generate(series.double() + 1e6, 48)
    assert (high - 1e6 - low).abs().max() / low.abs().max() < 1e-6


def test_device_map(series, model):
    pytest.importorskip("accelerate")
    mapped = TimerS1ForPrediction.from_pretrained(TINY, device_map="cpu")
    assert torch.equal(mapped.generate(series, 20), model.generate(series, 20))


def test_attention_implementation_is_honored(series, model):
    eager = TimerS1ForPrediction.from_pretrained(TINY, attn_implementation="eager")
    assert eager.model.layers[0].self_attn.kernel == "eager"
    torch.testing.assert_close(eager.generate(series, 20), model.generate(series, 20))


def test_no_buffers_that_loading_could_leave_uninitialized(model):
    assert not list(model.buffers())


def test_it_is_no_text_generator(model):
    assert not model.can_generate()


def test_loss_terms_follow_the_report(model, series):
    labels = torch.cat([series, series[:, -60:]], dim=-1)
    output = model(series, labels=labels)
    assert len(output.router_logits) == model.config.num_hidden_layers + model.config.num_mtp_tokens
    assert output.quantiles.shape == (3, 9, model.pass_length)
    expected = (
        output.ntp_loss + output.stp_loss + model.config.router_aux_loss_coef * output.aux_loss
    )
    torch.testing.assert_close(output.loss, expected)
    assert output.aux_loss >= 1 - 1e-4  # balanced routing gives exactly 1


def test_weighted_quantile_loss_by_hand(model, series):
    # Equation (13) for the first serial block, written as loops over what is supervised.
    labels = torch.cat([series, series[:, -28:]], dim=-1)  # 100 + 28 steps: 8 patches after padding
    model.config.serial_weighting = "inverse_sqrt"
    padded = torch.nn.functional.pad(labels, (12, 0), value=torch.nan)
    padded = torch.nn.functional.pad(padded, (0, 4), value=torch.nan).unflatten(-1, (9, 16))
    patches = torch.nn.functional.pad(series, (12, 0)).unflatten(-1, (7, 16))
    flags = torch.ones_like(series)
    tokens = torch.cat(
        [patches, torch.nn.functional.pad(flags, (12, 0)).unflatten(-1, (7, 16))], -1
    )
    losses = []
    with torch.no_grad():
        stages = list(model.stages(tokens))
        for shift, stage in enumerate(stages, start=1):
            prediction = model.predict_patch(stage.hidden_states)
            terms = []
            for row in range(3):
                for token in range(min(7, 9 - shift)):
                    target = padded[row, token + shift]
                    seen = ~target.isnan()
                    if not seen.any():
                        continue
                    for index, level in enumerate(model.config.quantiles):
                        error = target[seen] - prediction[row, token, index][seen]
                        rho = torch.maximum(level * error, (level - 1) * error)
                        terms.append(2 * rho.sum() / target[seen].abs().sum())
            losses.append(torch.stack(terms).mean())
        weights = torch.tensor([1.0, 2.0, 3.0]).rsqrt()
        output = model(series, labels=labels)
    torch.testing.assert_close(output.ntp_loss, losses[0], rtol=1e-4, atol=1e-5)
    expected = (weights * torch.stack(losses[1:])).mean()
    torch.testing.assert_close(output.stp_loss, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["wql", "pinball"])
def test_training_lowers_the_loss_and_reaches_every_parameter(series, loss):
    config = TimerS1Config.from_pretrained(TINY, training_loss=loss, dropout_rate=0.0)
    torch.manual_seed(0)
    model = TimerS1ForPrediction(config).train()
    series = (series - series.mean(-1, keepdim=True)) / series.std(-1, keepdim=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    first = None
    for _ in range(30):
        output = model(series[:, :64], labels=series)
        optimizer.zero_grad()
        output.loss.backward()
        if first is None:
            first = output.loss.item()
            without = [n for n, p in model.named_parameters() if p.grad is None]
            assert all(".experts." in name for name in without)  # experts that got no token
        optimizer.step()
    assert output.loss.item() < 0.8 * first


def test_wholly_masked_patches_keep_gradients_finite():
    torch.manual_seed(0)
    network = TimerS1Network(TimerS1Config.from_pretrained(TINY, dropout_rate=0.0))
    patches = torch.zeros(2, 5, 32)
    torch.stack([stage.hidden_states.sum() for stage in network.stages(patches)]).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_missing_labels_and_missing_inputs(model, series):
    observed = torch.rand(series.shape, generator=torch.Generator().manual_seed(1)) > 0.1
    nothing = torch.full_like(series, torch.nan)
    output = model(series, observed=observed, labels=nothing)
    assert output.ntp_loss == 0 and output.stp_loss == 0
    with torch.no_grad():
        hidden = torch.where(observed, series, 1e9)
        torch.testing.assert_close(
            model(hidden, observed=observed).quantiles, model(series, observed=observed).quantiles
        )


def test_bad_inputs_are_refused(model, series):
    with pytest.raises(ValueError, match="inputs has shape"):
        model.generate(series[0], 10)
    with pytest.raises(ValueError, match="max_new_tokens=0"):
        model.generate(series, 0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        model.generate(series.masked_fill(series > 0, torch.nan), 10)
    with pytest.raises(ValueError, match="labels has shape"):
        model(series, labels=series[:, :50])
    for choose in (model.set_expert_strategy, model.set_attention_kernel):
        with pytest.raises(ValueError, match="choose one of"):
            choose("magic")


def peft_model(model, **options):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], **options)
    return peft.get_peft_model(model, config).eval()


@pytest.mark.parametrize(
    "task", [None, "CAUSAL_LM", "SEQ_2_SEQ_LM", "FEATURE_EXTRACTION", "SEQ_CLS", "TOKEN_CLS"]
)
def test_peft_wraps_the_model_for_any_task(model, series, task):
    expected, forecast = model(series).quantiles, model.generate(series, 60)
    wrapped = peft_model(model, **({} if task is None else {"task_type": task}))
    torch.testing.assert_close(wrapped(inputs=series).quantiles, expected)  # zero at the start
    torch.testing.assert_close(wrapped.generate(inputs=series, max_new_tokens=60), forecast)
    wrapped(inputs=series[:, :64], labels=series).loss.backward()
    trained = {n for n, p in wrapped.named_parameters() if p.grad is not None}
    assert trained and all("lora_" in name or "modules_to_save" in name for name in trained)


def test_peft_on_experts_counts_in_the_dense_strategy_too(model, series):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=4, target_modules=["up_proj"], init_lora_weights=False)
    before = model(series).quantiles
    wrapped = peft.get_peft_model(model, config).eval()
    expected = wrapped(series).quantiles
    assert (expected - before).abs().max() > 1e-2
    model.set_expert_strategy("dense")
    torch.testing.assert_close(wrapped(series).quantiles, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("strategy", ["sorted", "dense"])
def test_an_exported_model_forecasts_other_series(model, series, strategy):
    model.set_expert_strategy(strategy)
    n_patches = torch.export.Dim("n_patches", min=2, max=64)
    shapes = {"inputs": {0: torch.export.Dim("batch", min=1, max=64), 1: 16 * n_patches}}
    program = torch.export.export(
        model, (series[:, :64],), dynamic_shapes=shapes, strict=False
    ).module()
    for other in (series[:, :64], series[:, 20:84].flip(0), series[:1, :96]):
        expected = model(other).quantiles
        torch.testing.assert_close(program(other).quantiles, expected, atol=1e-4, rtol=1e-4)


def test_the_quickstart_of_the_released_card_runs_after_one_import(tmp_path, model):
    pytest.importorskip("accelerate")
    from transformers import AutoModelForCausalLM

    import timer_forecaster.models.timer_s1  # noqa: F401

    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(
        tmp_path, trust_remote_code=True, device_map="auto"
    )
    seqs = torch.randn(1, 256).to(loaded.device)
    output = loaded.generate(seqs, max_new_tokens=72, revin=True)
    assert output.shape == (1, 9, 72)
    loaded.config.use_cache = False  # an option of the card, which changes no number
    assert torch.equal(loaded.generate(seqs, max_new_tokens=72, revin=True), output)
