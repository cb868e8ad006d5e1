"""The engine of ONNX Runtime: what it gives, refuses, and leaves behind."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from asr.checkpoint.export import export_onnx
from asr.checkpoint.names import DEFAULT_MODEL, model_folder
from asr.checkpoint.network import Checkpoint, load_checkpoint
from asr.corpus.librispeech import read_librispeech
from asr.corpus.loader import read_utterance
from asr.errors import ConfigError, ModelError, ShapeError
from asr.runtime.description import CONTENT_KEY, FORMAT_KEY, Description, Head, Weights
from asr.runtime.engine import Engine
from asr.runtime.onnx_engine import OnnxEngine, has_vnni, open_session
from tests.conftest import pad_with_nan

ALL_WEIGHTS: tuple[Weights, ...] = ("float32", "float16", "int8")
UNKNOWN_WEIGHTS = '{"sample_rate": 16000, "weights": "int4", "heads": []}'
Floats = NDArray[np.float32]
Lengths = NDArray[np.int64]
Paths = dict[Weights, Path]


@pytest.fixture(scope="module")
def shipped() -> Checkpoint:
    return load_checkpoint(model_folder(DEFAULT_MODEL))


@pytest.fixture(scope="module")
def paths(shipped: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """The shipped model exported with each kind of weights."""
    folder = tmp_path_factory.mktemp("exported")
    made: Paths = {weights: folder / f"{weights}.onnx" for weights in ALL_WEIGHTS}
    for weights, path in made.items():
        export_onnx(shipped.front_end, shipped.model, path, weights=weights)
    return made


@pytest.fixture(scope="module")
def speech(shared_data: Path) -> tuple[Floats, Lengths]:
    """A few real utterances, NaN in the padding."""
    utterances = read_librispeech(shared_data / "LibriSpeech" / "dev-clean").utterances
    shortest = sorted(utterances, key=lambda utterance: utterance.duration or 0.0)[:40:10]
    waveforms = [torch.from_numpy(read_utterance(u, 16000)) for u in shortest]
    padded, lengths = pad_with_nan(waveforms)
    return padded.numpy(), lengths.numpy()


def noise(*n_samples: int) -> tuple[Floats, Lengths]:
    lengths = np.array(n_samples, np.int64)
    random = np.random.default_rng(0)
    waveforms = random.normal(0.0, 0.1, (len(lengths), max(n_samples, default=0)))
    return waveforms.astype(np.float32), lengths


@pytest.mark.corpus
@pytest.mark.parametrize("head", ["text", "phones"])
def test_speech_has_the_log_probs_of_torch(
    shipped: Checkpoint, paths: Paths, speech: tuple[Floats, Lengths], head: str
) -> None:
    expected, expected_lengths = shipped.engine.log_probs(*speech, head)

    log_probs, lengths = OnnxEngine(paths["float32"], n_threads=1).log_probs(*speech, head)

    assert lengths.tolist() == expected_lengths.tolist()
    assert log_probs.shape == expected.shape
    for row, expected_row, length in zip(log_probs, expected, lengths, strict=True):
        np.testing.assert_allclose(row[:length], expected_row[:length], rtol=0.0, atol=1e-3)


@pytest.mark.corpus
@pytest.mark.parametrize("weights", ["float16", "int8"])
@pytest.mark.parametrize("head", ["text", "phones"])
def test_smaller_weights_stay_close_on_speech(
    shipped: Checkpoint,
    paths: Paths,
    speech: tuple[Floats, Lengths],
    weights: Weights,
    head: str,
) -> None:
    expected, _ = shipped.engine.log_probs(*speech, head)

    log_probs, lengths = OnnxEngine(paths[weights], n_threads=1).log_probs(*speech, head)

    for row, expected_row, length in zip(log_probs, expected, lengths, strict=True):
        agree = row[:length].argmax(1) == expected_row[:length].argmax(1)
        difference = np.abs(np.exp(row[:length]) - np.exp(expected_row[:length]))
        assert agree.mean() > 0.96
        assert difference.mean() < 0.005


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_utterance_alone_has_the_bits_that_it_has_in_a_batch(
    paths: Paths, weights: Weights, n_threads: int
) -> None:
    engine = OnnxEngine(paths[weights], n_threads=n_threads)
    waveforms, lengths = noise(8000, 0, 399, 16000, 400, 12345)
    for row, length in zip(waveforms, lengths, strict=True):
        row[length:] = np.nan
    together, frame_lengths = engine.log_probs(waveforms, lengths, "text")

    assert frame_lengths.tolist() == [12, 0, 0, 25, 1, 19]
    assert together.shape == (6, 25, engine.heads["text"])
    for i, length in enumerate(lengths):
        alone, _ = engine.log_probs(waveforms[i : i + 1, :length], lengths[i : i + 1], "text")
        assert np.array_equal(alone[0], together[i, : frame_lengths[i]])


def test_a_processor_without_vnni_computes_the_same_bits(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_vnni():
        pytest.skip("this processor has no VNNI to compare with")
    answers = []
    for answer in (True, False):
        monkeypatch.setattr("asr.runtime.onnx_engine.has_vnni", lambda answer=answer: answer)
        engine = OnnxEngine(paths["int8"], n_threads=1)
        answers.append(engine.log_probs(*noise(16000), "text")[0])

    assert np.array_equal(answers[0], answers[1])


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
def test_log_probs_are_normalised(paths: Paths, weights: Weights) -> None:
    engine: Engine = OnnxEngine(paths[weights], n_threads=1)
    for head in engine.heads:
        log_probs, _ = engine.log_probs(*noise(8000), head)

        assert log_probs.dtype == np.float32
        np.testing.assert_allclose(np.exp(log_probs).sum(2), 1.0, rtol=0.0, atol=1e-4)


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
def test_no_utterances_give_no_log_probs(paths: Paths, weights: Weights) -> None:
    engine = OnnxEngine(paths[weights], n_threads=2)

    log_probs, lengths = engine.log_probs(*noise(), "phones")

    assert log_probs.shape == (0, 0, engine.heads["phones"])
    assert lengths.shape == (0,)
    assert lengths.dtype == np.int64


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
def test_a_model_describes_itself(paths: Paths, weights: Weights) -> None:
    engine = OnnxEngine(paths[weights], n_threads=1)

    heads = (Head("text", 29, 0.04), Head("phones", 40, 0.04))
    assert engine.description == Description(16000, weights, heads)
    assert engine.sample_rate == 16000
    assert dict(engine.heads) == {"text": 29, "phones": 40}


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08" * 50])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelError, match=r"model\.onnx: .*export the model again"):
        OnnxEngine(path, n_threads=1)


def test_a_model_that_was_cut_short_is_refused(paths: Paths, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(paths["int8"].read_bytes()[:-1000])

    with pytest.raises(ModelError, match="cannot load it"):
        OnnxEngine(path, n_threads=1)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        OnnxEngine(tmp_path / "model.onnx", n_threads=1)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "not one that this package exported"),
        ({FORMAT_KEY: "99"}, "has format version 99, this release reads 1; export"),
        ({FORMAT_KEY: "1"}, "description is damaged"),
        ({FORMAT_KEY: "1", CONTENT_KEY: "[]"}, "description is damaged"),
        ({FORMAT_KEY: "1", CONTENT_KEY: UNKNOWN_WEIGHTS}, "description is damaged"),
        (Description(16000, "int8", (Head("text", 30, 0.04),)).to_metadata(), "differ"),
        (Description(16000, "int8", (Head("words", 29, 0.04),)).to_metadata(), "differ"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    paths: Paths, tmp_path: Path, metadata: dict[str, str], message: str
) -> None:
    model = onnx.load(paths["int8"])
    onnx.helper.set_model_props(model, metadata)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)

    with pytest.raises(ModelError, match=message):
        OnnxEngine(path, n_threads=1)


def test_what_does_not_fit_is_refused(paths: Paths) -> None:
    engine = OnnxEngine(paths["int8"], n_threads=1)
    waveforms, lengths = noise(1000, 900)

    with pytest.raises(ConfigError, match="no output 'words', only text, phones"):
        engine.log_probs(waveforms, lengths, "words")
    with pytest.raises(ShapeError, match="waveforms must be"):
        engine.log_probs(waveforms.astype(np.float64), lengths, "text")
    with pytest.raises(ShapeError, match="must be int64"):
        engine.log_probs(waveforms, lengths[:1], "text")
    with pytest.raises(ShapeError, match=r"must lie in 0\.\.1000"):
        engine.log_probs(waveforms, lengths + 1, "text")
    with pytest.raises(ConfigError, match="n_threads"):
        OnnxEngine(paths["int8"], n_threads=0)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork")
def test_a_process_may_fork_after_loading(paths: Paths) -> None:
    engine = OnnxEngine(paths["int8"], n_threads=2)
    waveforms, lengths = noise(8000, 6000)
    expected, _ = engine.log_probs(waveforms, lengths, "text")
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()

    def child() -> None:
        answers.put(engine.log_probs(waveforms, lengths, "text")[0])

    process = fork.Process(target=child)
    process.start()
    process.join(timeout=120.0)
    is_done = process.exitcode == 0
    process.kill()

    assert is_done
    assert np.array_equal(answers.get(), expected)


def in_a_fresh_process(path: Path, *, check: str) -> tuple[int, str]:
    """Load and run a model and evaluate an expression: the exit status and all that is printed."""
    code = f"""
import os, sys, time
from pathlib import Path
import numpy as np
from asr.runtime.onnx_engine import OnnxEngine, has_vnni, open_session
assert "onnxruntime" not in sys.modules
engine = OnnxEngine(Path({str(path)!r}), n_threads=2)
engine.log_probs(np.zeros((2, 8000), np.float32), np.array([8000, 8000]), "text")
def others_end():  # the system forgets a thread a moment after it was joined
    deadline = time.monotonic() + 60
    while (n_threads := len(os.listdir("/proc/self/task"))) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    return n_threads == 1
sys.exit(not ({check}))
"""
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    process = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        env=environment | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process.returncode, process.stdout


def test_recognising_loads_neither_torch_nor_the_exporter_and_prints_nothing(paths: Paths) -> None:
    assert in_a_fresh_process(
        paths["int8"], check="not {'torch', 'onnx', 'asr.checkpoint'} & sys.modules.keys()"
    ) == (0, "")


def test_a_session_never_waits_busily(paths: Paths) -> None:
    options = open_session(paths["int8"]).get_session_options()

    for threads in ("intra_op", "inter_op"):
        assert options.get_session_config_entry(f"session.{threads}.allow_spinning") == "0"


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_a_session_keeps_no_plan_of_memory_for_each_length(paths: Paths) -> None:
    assert not open_session(paths["int8"]).get_session_options().enable_mem_pattern


def test_nothing_that_imports_it_lets_telemetry_begin(tmp_path: Path) -> None:
    """`asr doctor` imports it by name; a device's id would appear in the cache folder."""
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "asr", "doctor", "none"]  # a model would compile its search
    subprocess.run(command, check=False, env=environment, capture_output=True)
    assert not (tmp_path / "Microsoft").exists()


def test_no_thread_outlives_a_call_and_none_sends_telemetry(paths: Paths) -> None:
    """A thread would be lost in a fork; telemetry would have one."""
    assert in_a_fresh_process(
        paths["int8"],
        check="os.environ['ORT_DISABLE_TELEMETRY'] == '1' and others_end()",
    ) == (0, "")
