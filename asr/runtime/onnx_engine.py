"""A model.onnx run by ONNX Runtime on the CPU, one utterance at a time.

Utterances are never computed in one batch: the scale of 8-bit activations depends on all that an
operator reads, so one utterance would change another. Threads compute one utterance each instead,
which is also faster on a CPU.

ONNX Runtime starts no threads of its own here, so that a process may fork after loading, and sends
no telemetry, as its released builds otherwise do from a thread that starts with the import.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asr.errors import ConfigError, ModelError, ShapeError
from asr.runtime.description import read_description

Session = Any  # onnxruntime.InferenceSession, which has no types
FATAL_ONLY = 4  # log severity: the errors that ONNX Runtime raises say what its log would


class OnnxEngine:
    """Implements `asr.runtime.engine.Engine` with ONNX Runtime.

    Attributes:
        description: The graph's metadata.
        sample_rate: Hz, of the waveforms.
        heads: The number of tokens of each output, by its name.

    Args:
        path: A model.onnx that this package exported.
        n_threads: Utterances to compute at the same time, at least 1. Threads end with each call.

    Raises:
        ModelError: The file is missing, not an ONNX model, or not in this release's format.
    """

    def __init__(self, path: Path, *, n_threads: int) -> None:
        if n_threads < 1:
            raise ConfigError(f"n_threads must be at least 1, got {n_threads}")
        self._session = open_session(path)
        self._n_threads = n_threads
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.description = read_description(metadata, str(path))
        self.sample_rate = self.description.sample_rate
        self.heads: Mapping[str, int] = {h.name: h.n_tokens for h in self.description.heads}
        _check_outputs(path, self._session, self.heads)

    def log_probs(
        self, waveforms: NDArray[np.float32], lengths: NDArray[np.int64], head: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Score every token at every frame, as `Engine.log_probs`; padding is 0."""
        _check(waveforms, lengths)
        if head not in self.heads:
            raise ConfigError(f"this model has no output {head!r}, only {', '.join(self.heads)}")
        valid = [waveform[:length] for waveform, length in zip(waveforms, lengths, strict=True)]
        emissions = self._run_all(valid, head)
        frame_lengths = np.array([len(emission) for emission in emissions], np.int64)
        shape = (len(emissions), max(frame_lengths, default=0), self.heads[head])
        log_probs = np.zeros(shape, np.float32)
        for row, emission in zip(log_probs, emissions, strict=True):
            row[: len(emission)] = emission
        return log_probs, frame_lengths

    def _run_all(
        self, waveforms: list[NDArray[np.float32]], head: str
    ) -> list[NDArray[np.float32]]:
        """Compute (T, V) of each waveform (N,), the longest first, so that threads end together."""
        order = sorted(range(len(waveforms)), key=lambda i: -len(waveforms[i]))
        with ThreadPoolExecutor(self._n_threads, thread_name_prefix="engine") as pool:
            computed = pool.map(lambda i: self._run(waveforms[i], head), order)
            emissions = dict(zip(order, computed, strict=True))
        return [emissions[i] for i in range(len(waveforms))]

    def _run(self, waveform: NDArray[np.float32], head: str) -> NDArray[np.float32]:
        """Compute (T, V) of one waveform (N,)."""
        inputs = {"waveforms": waveform[None], "lengths": np.array([len(waveform)], np.int64)}
        log_probs, frame_lengths = self._session.run([head, "frame_lengths"], inputs)
        emission: NDArray[np.float32] = log_probs[0, : frame_lengths[0]]
        return emission


def import_onnxruntime() -> ModuleType:
    """Import ONNX Runtime with its telemetry off: it writes a device's id and asks a server."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, by the import
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # in case the application has imported it already
    module: ModuleType = onnxruntime
    return module


def open_session(path: Path) -> Session:
    """Open an ONNX Runtime session that starts no threads, sends nothing and logs nothing.

    Raises:
        ModelError: The file is missing, or not an ONNX model that this release can load.
    """
    onnxruntime = import_onnxruntime()
    state = onnxruntime.capi.onnxruntime_pybind11_state
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # one for each length of audio: 100 MB, and no faster
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if not has_vnni():
        options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = FATAL_ONLY
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NoModel,
        state.NotImplemented,
        state.RuntimeException,
    ) as error:
        raise ModelError(
            f"{path}: ONNX Runtime {onnxruntime.__version__} cannot load it; copy or export the "
            f"model again ({error})"
        ) from error


def has_vnni() -> bool:
    """Tell whether an x86 processor sums products of 8-bit integers exactly at full speed.

    Other x86 processors saturate unless ONNX Runtime is asked for exact sums, which are slower on
    every x86 processor. The answer is no where the system does not list the processor's features.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False
    return not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags)


def _check_outputs(path: Path, session: Session, heads: Mapping[str, int]) -> None:
    inputs = {each.name for each in session.get_inputs()}
    outputs = {each.name: each.shape for each in session.get_outputs()}
    is_complete = inputs == {"waveforms", "lengths"} and "frame_lengths" in outputs
    if not is_complete or any(outputs.get(name, [0])[-1] != n for name, n in heads.items()):
        raise ModelError(f"{path}: its graph and its description differ; export the model again")


def _check(waveforms: NDArray[np.float32], lengths: NDArray[np.int64]) -> None:
    if waveforms.ndim != 2 or waveforms.dtype != np.float32:
        raise ShapeError(
            f"waveforms must be (B, N) float32, got {waveforms.dtype} of shape {waveforms.shape}"
        )
    if lengths.shape != waveforms.shape[:1] or lengths.dtype != np.int64:
        raise ShapeError(
            f"lengths of waveforms must be int64 of shape {waveforms.shape[:1]}, "
            f"got {lengths.dtype} of shape {lengths.shape}"
        )
    if len(lengths) and not 0 <= lengths.min() <= lengths.max() <= waveforms.shape[1]:
        raise ShapeError(
            f"lengths of waveforms must lie in 0..{waveforms.shape[1]}, "
            f"got {lengths.min()}..{lengths.max()}"
        )
