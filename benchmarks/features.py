"""Our log-mel energies against kaldi-native-fbank's and librosa's, one thread each.

All compute 80 bands of 20..8000 Hz every 10 ms, from waveforms in memory to one array per
utterance. kaldi-native-fbank computes the same values. librosa computes fewer: no mean removal, no
pre-emphasis, and its filters are other triangles.
"""

import math
from importlib.metadata import version

import kaldi_native_fbank as knf
import librosa
import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from asr.audio.read import read_waveform
from asr.features.config import FeatureConfig
from asr.features.fbank import MIN_LOG_ENERGY, SAMPLE_SCALE, LogMel
from asr.features.padding import pad
from benchmarks.options import DATA, option_parser
from benchmarks.paired import alternate, ratio, write_results

N_UTTERANCES = 24
BATCH_SIZE = 8
N_ROUNDS = 15
OURS = LogMel(
    FeatureConfig(
        sample_rate=16000,
        frame_length=0.025,
        frame_shift=0.010,
        n_mels=80,
        low_frequency=20.0,
        high_frequency=8000.0,
        min_log_energy=MIN_LOG_ENERGY,
        n_ceps=0,
        delta_order=0,
        cmvn="none",
        cmvn_window=0.0,
    )
)


def main() -> None:
    """Time the candidates in turns, and write by how much they differ from ours."""
    option_parser(__doc__).parse_args()
    torch.set_num_threads(1)
    waveforms, origin = _waveforms()
    seconds = sum(len(waveform) for waveform in waveforms) / 16000
    candidates = {
        "ours": lambda: [_ours([waveform]) for waveform in waveforms],
        f"ours, {BATCH_SIZE} utterances at once": lambda: [
            _ours(waveforms[i : i + BATCH_SIZE]) for i in range(0, len(waveforms), BATCH_SIZE)
        ],
        "kaldi-native-fbank": lambda: [_kaldi(waveform) for waveform in waveforms],
        "librosa": lambda: [_librosa(waveform) for waveform in waveforms],
    }
    with threadpool_limits(1), torch.inference_mode():
        timings = alternate(candidates, n_rounds=N_ROUNDS)
    rows = [
        [name, f"{1000 * timing.median / seconds:.2f}", ratio(timing, timings["ours"])]
        for name, timing in timings.items()
    ]
    write_results(
        "features",
        "Log-mel energies",
        ["what", "ms per second of audio", "time relative to ours"],
        rows,
        f"80 bands of 20..8000 Hz, {len(waveforms)} utterances ({seconds / 60:.1f} minutes) of "
        f"{origin}, waveforms in memory, one thread each, {N_ROUNDS} alternating rounds; median "
        f"and range. kaldi-native-fbank {version('kaldi-native-fbank')} gives the same values: "
        f"mean difference {_mean_difference(waveforms):.0e}. librosa {version('librosa')} computes "
        "less: no mean removal, no pre-emphasis, other triangles.",
    )


def _waveforms() -> tuple[list[Tensor], str]:
    """Read utterances spread over a corpus, shortest first; without one, make noise."""
    paths = sorted((DATA / "LibriSpeech" / "train-clean-5").rglob("*.ogg"))
    if paths:
        chosen = paths[:: max(1, len(paths) // N_UTTERANCES)][:N_UTTERANCES]
        waveforms = [torch.from_numpy(read_waveform(path, sample_rate=16000)) for path in chosen]
        return sorted(waveforms, key=len), "train-clean-5, decoded from Ogg Vorbis"
    generator = torch.Generator().manual_seed(0)
    lengths = [16000 * (2 + i % 15) for i in range(N_UTTERANCES)]
    return [0.1 * torch.randn(n, generator=generator) for n in sorted(lengths)], "white noise"


def _ours(waveforms: list[Tensor]) -> Tensor:
    features: Tensor = OURS(*pad(waveforms))[0]
    return features


def _kaldi(waveform: Tensor) -> np.ndarray:
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    options.mel_opts.low_freq, options.mel_opts.high_freq = 20.0, 8000.0
    extractor = knf.OnlineFbank(options)
    extractor.accept_waveform(16000, (waveform * SAMPLE_SCALE).numpy())
    extractor.input_finished()
    return np.stack([extractor.get_frame(i) for i in range(extractor.num_frames_ready)])


def _librosa(waveform: Tensor) -> np.ndarray:
    energies = librosa.feature.melspectrogram(
        y=waveform.numpy() * SAMPLE_SCALE,
        sr=16000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        center=False,
        n_mels=80,
        fmin=20.0,
        fmax=8000.0,
        htk=True,
        norm=None,
    )
    features: np.ndarray = np.log(np.maximum(energies, math.exp(MIN_LOG_ENERGY)))
    return features


def _mean_difference(waveforms: list[Tensor]) -> float:
    """Compare our values with kaldi-native-fbank's."""
    pairs = [(_ours([waveform])[0].numpy(), _kaldi(waveform)) for waveform in waveforms]
    return float(np.concatenate([np.abs(ours - theirs) for ours, theirs in pairs]).mean())


if __name__ == "__main__":
    main()
