"""Adapters on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from timer_forecaster.adapters.base import Base
from timer_forecaster.adapters.report import TuningReport
from timer_forecaster.checkpoints.registry import is_hub_id

_CARD = """
# {title}

An adapter of the time-series model `{base}` for
[timer-forecaster](https://pypi.org/project/timer-forecaster/): the weights that finetuning has
changed. It fits no other checkpoint, and needs the weights of this one.

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


def upload(
    folder: str, repo_id: str, private: bool | None, revision: str | None, commit_message: str
) -> str:
    """Upload the files of a folder and return the commit; `Adapter.push_to_hub` explains more."""
    from huggingface_hub import create_branch, create_repo, upload_folder

    create_repo(repo_id, private=private, exist_ok=True)
    if revision is not None:
        create_branch(repo_id, branch=revision, exist_ok=True)
    commit = upload_folder(
        repo_id=repo_id, folder_path=folder, revision=revision, commit_message=commit_message
    )
    return str(commit.oid)


def model_card(
    base: Base, target: str, n_parameters: int, report: TuningReport | None, repo_id: str
) -> str:
    """Return the model card of an adapter: base, target, scores, and how to load it.

    Parameters
    ----------
    base : Base
        The checkpoint that the adapter belongs to.
    target : str
        The weights that it changes.
    n_parameters : int
        Number of values in it.
    report : TuningReport, optional
        Scores of the finetuning.
    repo_id : str
        The repository of the adapter, ``owner/name``.

    Returns
    -------
    str
        Markdown after the metadata of the hub.
    """
    from huggingface_hub import ModelCardData

    name, local = public_name(base), _is_local(base)
    on_hub = is_hub_id(name)
    data = ModelCardData(
        library_name="timer-forecaster",
        pipeline_tag="time-series-forecasting",
        tags=["timer-s1", target],
        base_model=name if on_hub else None,
        base_model_relation="adapter" if on_hub else None,
    )
    revision = base.revision
    text = _CARD.format(
        title=repo_id.rpartition("/")[2],
        base=name,
        target=target,
        n_parameters=n_parameters,
        signature=base.signature,
        name=f"/path/to/{name}" if local else name,
        revision="" if revision is None else f", revision={revision!r}",
        repo_id=repo_id,
    )
    scores = "" if report is None else _SCORES.format(report=report)
    return f"---\n{data.to_yaml()}\n---\n{text}{scores}"


def _is_local(base: Base) -> bool:
    return Path(base.name).is_absolute()


def public_name(base: Base) -> str:
    """Return the name of a base, or the last part of a folder: its place is private."""
    return Path(base.name).name if _is_local(base) else base.name
