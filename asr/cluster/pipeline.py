"""A pipeline of Ray Data: actors that hold a model turn recordings into transcripts.

    import ray
    from asr.cluster.pipeline import transcribe_dataset

    recordings = ray.data.from_items([{"path": "s3://bucket/a.flac"}, {"path": "s3://bucket/b.mp3"}])
    transcribe_dataset(recordings, n_actors=64).write_json("s3://bucket/transcripts")

Needs `pip install 'asr-ctc[ray]'`. For folders of files and a batch system such as Slurm,
`asr transcribe --shard` does without Ray.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from asr.checkpoint.names import DEFAULT_MODEL
from asr.recognizer import load_model
from asr.text.transcript import Transcript, to_json

if TYPE_CHECKING:
    from ray.data import Dataset

BATCH_SIZE = 32  # recordings that an actor takes at a time

Columns = dict[str, np.ndarray]


def transcribe_dataset(
    recordings: "Dataset",
    model: str = DEFAULT_MODEL,
    *,
    n_actors: int,
    n_threads: int = 1,
    batch_size: int = BATCH_SIZE,
    options: Mapping[str, Any] | None = None,
) -> "Dataset":
    """Transcribe the recordings of a dataset, lazily, in actors that load the model once each.

    Args:
        recordings: Rows with a column `path`: a file that all machines see, or a URL.
        model: A name, or a model directory that all machines see.
        n_actors: Processes that recognise.
        n_threads: Cores, and recordings at a time, of each.
        batch_size: Recordings that an actor takes at a time.
        options: Others of `load_model`, such as `{"search": "greedy"}`.

    Returns:
        The rows, in any order, with three more columns: `text`; `transcript`, a line of JSON; and
        `error`, the reason why these are empty, or an empty string.
    """
    import ray

    return recordings.map_batches(
        Transcriber,
        fn_constructor_kwargs={"model": model, "n_threads": n_threads, "options": options or {}},
        batch_size=batch_size,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=n_actors),
        num_cpus=n_threads,
    )


class Transcriber:
    """What an actor does: it holds a model, and transcribes batches of rows."""

    def __init__(self, model: str, n_threads: int, options: Mapping[str, Any]) -> None:
        self._recognizer = load_model(model, n_threads=n_threads, **options)

    def __call__(self, rows: Columns) -> Columns:
        """Add `text`, `transcript` and `error` to rows with a `path`."""
        results = [result for _, result in self._recognizer.transcribe_all(map(str, rows["path"]))]
        found = [result if isinstance(result, Transcript) else None for result in results]
        return {
            **rows,
            "text": np.array([each.text if each else "" for each in found], object),
            "transcript": np.array([to_json(each) if each else "" for each in found], object),
            "error": np.array(
                ["" if each else str(result) for each, result in zip(found, results, strict=True)],
                object,
            ),
        }
