import json
from pathlib import Path

import numpy as np
import pytest

from asr.cluster.pipeline import Transcriber, transcribe_dataset

SPEECH = Path(__file__).parent.parent.parent / "recipes" / "demo" / "speech.wav"


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    (tmp_path / "bad.wav").write_text("Dear reader, this is not audio.")
    return [str(SPEECH), str(tmp_path / "bad.wav"), SPEECH.as_uri()]


def check(rows: list[dict[str, str]], paths: list[str]) -> None:
    by_path = {row["path"]: row for row in rows}
    good, bad, url = (by_path[path] for path in paths)
    assert good["text"].startswith("THE OLD MAN")
    assert (url["text"], good["error"], url["error"]) == (good["text"], "", "")
    assert json.loads(good["transcript"])["text"] == good["text"]
    assert (bad["text"], bad["transcript"]) == ("", "")
    assert "bad.wav: is not audio" in bad["error"]


def test_an_actor_adds_transcripts_and_errors_to_rows(paths: list[str]) -> None:
    pytest.importorskip("fsspec")
    transcriber = Transcriber("english", n_threads=1, options={})
    columns = transcriber({"path": np.array(paths, object), "number": np.arange(3)})
    assert columns["number"].tolist() == [0, 1, 2]
    check([{name: str(columns[name][i]) for name in columns} for i in range(3)], paths)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_local_cluster_transcribes_a_dataset(paths: list[str]) -> None:
    ray = pytest.importorskip("ray")
    pytest.importorskip("fsspec")
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000)
    try:
        recordings = ray.data.from_items([{"path": path} for path in paths])
        check(transcribe_dataset(recordings, n_actors=1, batch_size=2).take_all(), paths)
    finally:
        ray.shutdown()
