"""Adapters on the Hugging Face hub."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from tempfile import TemporaryDirectory

from timer_forecaster.inference.adapters import Adapter

_CARD = """
# {title}

What tuning has changed in the time-series model `{base}`, for
[timer-forecaster](https://pypi.org/project/timer-forecaster/). It is applied to this checkpoint
alone, whose weights are needed beside it.

- Tuned: {target}, {n_parameters:,} parameters
- Base: `{base}`, signature of its weights `{signature}`

```python
from timer_forecaster import ForecastPipeline

pipe = ForecastPipeline.from_pretrained({name!r}{revision}, adapter={repo_id!r})
forecast = pipe.predict(series, horizon=24)
```
"""
_SCORES = """
## Scores

```
{report}
```
"""


def push(
    adapter: Adapter,
    repo_id: str,
    private: bool | None,
    revision: str | None,
    commit_message: str | None,
) -> str:
    """Upload an adapter with its card; see `Adapter.push_to_hub`."""
    from huggingface_hub import create_branch, create_repo, upload_folder

    message = commit_message or f"Adapter of {_public_name(adapter)}: {adapter.target}"
    with TemporaryDirectory() as folder:
        base = adapter.base._replace(name=_public_name(adapter))
        dataclasses.replace(adapter, base=base).save(folder)
        Path(folder, "README.md").write_text(model_card(adapter, repo_id), encoding="utf-8")
        create_repo(repo_id, private=private, exist_ok=True)
        if revision is not None:
            create_branch(repo_id, branch=revision, exist_ok=True)
        commit = upload_folder(
            repo_id=repo_id, folder_path=folder, revision=revision, commit_message=message
        )
    return str(commit.oid)


def model_card(adapter: Adapter, repo_id: str) -> str:
    """Describe an adapter for the hub: base, target, scores, and how to load it.

    Parameters
    ----------
    adapter : Adapter
    repo_id : str
        Where it will lie.

    Returns
    -------
    str
        Markdown with the hub's metadata before it.
    """
    from huggingface_hub import ModelCardData

    name, local = _public_name(adapter), _is_local(adapter)
    on_hub = "/" in name
    data = ModelCardData(
        library_name="timer-forecaster",
        pipeline_tag="time-series-forecasting",
        tags=["timer-s1", adapter.target],
        base_model=name if on_hub else None,
        base_model_relation="adapter" if on_hub else None,
    )
    revision = adapter.base.revision
    text = _CARD.format(
        title=repo_id.rpartition("/")[2],
        base=name,
        target=adapter.target,
        n_parameters=adapter.n_parameters,
        signature=adapter.base.signature,
        name=f"/path/to/{name}" if local else name,
        revision="" if revision is None else f", revision={revision!r}",
        repo_id=repo_id,
    )
    scores = "" if adapter.report is None else _SCORES.format(report=adapter.report)
    return f"---\n{data.to_yaml()}\n---\n{text}{scores}"


def _is_local(adapter: Adapter) -> bool:
    return Path(adapter.base.name).is_absolute()


def _public_name(adapter: Adapter) -> str:
    """Name the base; of a folder, which is nobody's business, the last part."""
    return Path(adapter.base.name).name if _is_local(adapter) else adapter.base.name
