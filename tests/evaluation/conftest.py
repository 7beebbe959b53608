"""Small data sets in the two forms that the benchmark is read from."""

import json

import pandas as pd
import pyarrow as pa
import pytest


@pytest.fixture
def write_parquet(tmp_path):
    def write(name, series, frequency):
        frame = pd.DataFrame({"item_id": "x", "start": None, "freq": frequency, "target": series})
        frame.to_parquet(tmp_path / f"{name}.parquet")
        return tmp_path / f"{name}.parquet"

    return write


@pytest.fixture
def write_download(tmp_path):
    """Write as `datasets.Dataset.save_to_disk` does: Arrow streams, named in state.json."""

    def write(folder, targets, frequency, files=1):
        folder = tmp_path / folder
        folder.mkdir(parents=True)
        value = pa.list_(pa.float32())
        schema = pa.schema(
            {
                "item_id": pa.string(),
                "start": pa.timestamp("s"),
                "freq": pa.string(),
                "target": pa.list_(value) if isinstance(targets[0][0], list) else value,
            }
        )
        names = [f"data-{i:05d}-of-{files:05d}.arrow" for i in range(files)]
        for i, name in enumerate(names):
            with pa.ipc.new_stream(str(folder / name), schema) as stream:
                for target in targets[i::files]:
                    row = {"item_id": "x", "start": 0, "freq": frequency, "target": target}
                    stream.write_batch(pa.RecordBatch.from_pylist([row], schema=schema))
        state = {"_data_files": [{"filename": name} for name in names], "_split": None}
        (folder / "state.json").write_text(json.dumps(state))
        (folder / "dataset_info.json").write_text("{}")
        return folder

    return write
