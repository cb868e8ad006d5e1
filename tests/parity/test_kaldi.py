"""The same features as Kaldi's, by the independent C++ of kaldi-native-fbank.

Where a band is nearly empty, rounding decides its logarithm: a single bin of the spectrum can
cancel to a billionth of the frame's energy, and after MP3 all bands above 7 kHz are like that. Our
frames are Kaldi's to the bit; what differs is the float32 rounding of kaldi-native-fbank's FFT
(ours is float64). Measured with version 1.23.0 on 380 Ogg and 159 MP3 recordings, every fourth
there is, log-mel in 80 bands of 20..8000 Hz:

| speech         | mean difference | largest | above 1e-2       | largest within 100 dB of peak |
| -------------- | --------------- | ------- | ---------------- | ----------------------------- |
| Ogg as 16 bit  | 5e-6            | 9e-3    | 0 of 39 million  | 4e-3                          |
| MP3 as 16 bit  | 9e-6            | 1.5e-2  | 6 of 10 million  | 5e-3                          |
| Ogg as decoded | 5e-6            | 7.3e-2  | 20 of 39 million | 5e-3                          |
| MP3 as decoded | 5e-5            | 2.4e-2  | 22 of 10 million | 8e-3                          |

MFCC weigh the same noise by up to 12, the lifter: 13 of 23 bands, every twelfth recording, differ
by 2e-5 and 5e-5 on average and by 6e-3 at most where samples have 16 bits, which is what Kaldi
reads; from MP3 as decoded by 4e-4 on average and 1.1e-2 at most.
"""

import math

import kaldi_native_fbank as knf
import numpy as np
import pytest
import torch
from torch import Tensor

from asr.features.cmvn import corpus_statistics, normalise
from asr.features.deltas import add_deltas
from asr.features.fbank import MIN_LOG_ENERGY, SAMPLE_SCALE, LogMel
from asr.features.mfcc import Mfcc
from tests.conftest import make_config

MAX_DIFFERENCE = 1e-2
MEAN_DIFFERENCE = 1e-4
AUDIBLE = 100 * math.log(10) / 10  # 100 dB in nats of energy; 16 bits span 96 dB


@pytest.mark.corpus
def test_log_mel_of_16_bit_speech_is_kaldis(speech: list[Tensor]) -> None:
    differences, is_audible = _compare_log_mel(speech)
    assert differences.mean() <= MEAN_DIFFERENCE
    assert differences[is_audible].max() <= MAX_DIFFERENCE
    assert (differences > MAX_DIFFERENCE).float().mean() <= 1e-5


@pytest.mark.corpus
def test_log_mel_of_decoded_speech_is_kaldis(decoded_speech: list[Tensor]) -> None:
    differences, is_audible = _compare_log_mel(decoded_speech)
    assert differences.mean() <= MEAN_DIFFERENCE
    assert differences[is_audible].max() <= MAX_DIFFERENCE
    assert (differences > MAX_DIFFERENCE).float().mean() <= 1e-5


@pytest.mark.corpus
def test_with_kaldis_fft_log_mel_is_kaldis_in_every_band_however_empty(
    decoded_speech: list[Tensor],
) -> None:
    log_mel = _log_mel(n_mels=80)
    for waveform in decoded_speech[:4]:
        frames = (waveform * SAMPLE_SCALE).unsqueeze(0).unfold(1, 400, 160)
        windowed = torch.nn.functional.pad(log_mel._windowed(frames)[0], (0, 112))
        energies = _kaldi_power(windowed) @ log_mel.mel_weights
        ours = energies.clamp(min=torch.finfo(torch.float32).eps).log()
        difference = (ours - _kaldi_log_mel(waveform, n_mels=80)).abs()
        assert difference.max() <= MAX_DIFFERENCE / 10


@pytest.mark.corpus
@pytest.mark.parametrize(("n_mels", "n_ceps"), [(23, 13), (40, 40)])
def test_mfcc_of_16_bit_speech_is_kaldis(speech: list[Tensor], n_mels: int, n_ceps: int) -> None:
    log_mel, cepstra = _log_mel(n_mels), Mfcc(n_mels, n_ceps)
    differences = torch.cat(
        [(cepstra(_alone(log_mel, x)) - _kaldi_mfcc(x, n_mels, n_ceps)).abs() for x in speech]
    )
    assert differences.mean() <= MEAN_DIFFERENCE
    assert differences.max() <= MAX_DIFFERENCE


@pytest.mark.parametrize(
    ("sample_rate", "frame_length", "frame_shift", "n_mels", "low", "high"),
    [
        (16000, 0.025, 0.010, 80, 20.0, 8000.0),
        (16000, 0.025, 0.010, 80, 20.0, 6400.0),
        (8000, 0.025, 0.010, 40, 64.0, 3800.0),
        (16000, 0.020, 0.005, 23, 0.0, 8000.0),
        (11025, 0.025, 0.010, 23, 20.0, 5000.0),  # frames of 275.625 samples, shifts of 110.25
    ],
)
def test_every_setting_means_what_it_means_in_kaldi(
    tone_in_noise: Tensor,
    sample_rate: int,
    frame_length: float,
    frame_shift: float,
    n_mels: int,
    low: float,
    high: float,
) -> None:
    config = make_config(
        augment__codec_share=0.0,
        features__sample_rate=sample_rate,
        features__frame_length=frame_length,
        features__frame_shift=frame_shift,
        features__n_mels=n_mels,
        features__low_frequency=low,
        features__high_frequency=high,
        features__min_log_energy=MIN_LOG_ENERGY,
    )
    log_mel = LogMel(config.features)
    options = knf.FbankOptions()
    _set(options, sample_rate, n_mels, low, high)
    options.frame_opts.frame_length_ms = 1000 * frame_length
    options.frame_opts.frame_shift_ms = 1000 * frame_shift
    ours = _alone(log_mel, tone_in_noise)
    theirs = _frames(knf.OnlineFbank(options), tone_in_noise, sample_rate)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=0)


@pytest.mark.parametrize("n_samples", [400, 401, 559, 560, 561, 8000])
def test_frames_are_counted_as_kaldi_counts_them(n_samples: int) -> None:
    waveform = torch.linspace(-0.5, 0.5, n_samples)
    assert len(_alone(_log_mel(n_mels=23), waveform)) == len(_kaldi_log_mel(waveform, n_mels=23))


def test_digital_silence_is_kaldis_floor() -> None:
    silence = torch.zeros(800)
    ours = _alone(_log_mel(n_mels=23), silence)
    torch.testing.assert_close(ours, _kaldi_log_mel(silence, n_mels=23))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("n_frames", [1, 2, 3, 30])
def test_deltas_are_kaldis(order: int, n_frames: int) -> None:
    features = torch.randn(n_frames, 5, generator=torch.Generator().manual_seed(1))
    theirs = knf.compute_deltas(knf.DeltaOptions(order=order, window=2), features.numpy())
    ours = add_deltas(features.unsqueeze(0), torch.tensor([n_frames]), order)
    torch.testing.assert_close(ours[0], torch.from_numpy(theirs), atol=1e-5, rtol=1e-5)


def test_global_cmvn_is_kaldis() -> None:
    features = 3 * torch.randn(50, 5, generator=torch.Generator().manual_seed(1)) + 10
    stats, options = knf.compute_cmvn_stats(features.numpy()), knf.CmvnOptions(norm_vars=True)
    theirs = knf.apply_cmvn(stats, options, features.numpy())
    statistics = corpus_statistics([features])
    ours = normalise(features.unsqueeze(0), torch.tensor([50]), statistics)
    torch.testing.assert_close(ours[0], torch.from_numpy(theirs), atol=1e-5, rtol=1e-5)


def _compare_log_mel(waveforms: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the absolute differences of all bands, and which are not nearly empty."""
    log_mel = _log_mel(n_mels=80)
    theirs = torch.cat([_kaldi_log_mel(x, n_mels=80) for x in waveforms])
    ours = torch.cat([_alone(log_mel, x) for x in waveforms])
    return (ours - theirs).abs(), theirs > theirs.max(1, keepdim=True).values - AUDIBLE


def _log_mel(n_mels: int) -> LogMel:
    config = make_config(
        features__n_mels=n_mels,
        features__high_frequency=8000.0,
        features__min_log_energy=MIN_LOG_ENERGY,
    )
    return LogMel(config.features)


def _alone(log_mel: LogMel, waveform: Tensor) -> Tensor:
    features, _ = log_mel(waveform.unsqueeze(0), torch.tensor([len(waveform)]))
    alone: Tensor = features[0]
    return alone


def _kaldi_log_mel(waveform: Tensor, n_mels: int) -> Tensor:
    options = knf.FbankOptions()
    _set(options, 16000, n_mels, 20.0, 8000.0)
    return _frames(knf.OnlineFbank(options), waveform, 16000)


def _kaldi_mfcc(waveform: Tensor, n_mels: int, n_ceps: int) -> Tensor:
    options = knf.MfccOptions()
    _set(options, 16000, n_mels, 20.0, 8000.0)
    options.num_ceps, options.use_energy = n_ceps, False
    return _frames(knf.OnlineMfcc(options), waveform, 16000)


def _set(
    options: knf.FbankOptions | knf.MfccOptions,
    sample_rate: int,
    n_mels: int,
    low_frequency: float,
    high_frequency: float,
) -> None:
    options.frame_opts.samp_freq = sample_rate
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = n_mels
    options.mel_opts.low_freq = low_frequency
    options.mel_opts.high_freq = high_frequency


def _frames(extractor: knf.OnlineFbank | knf.OnlineMfcc, waveform: Tensor, rate: int) -> Tensor:
    extractor.accept_waveform(rate, (waveform * SAMPLE_SCALE).numpy())
    extractor.input_finished()
    rows = [extractor.get_frame(i) for i in range(extractor.num_frames_ready)]
    return torch.from_numpy(np.stack(rows))


def _kaldi_power(windowed: Tensor) -> Tensor:
    """Compute power spectra, (T, 257), of padded frames, (T, 512), by kaldi-native-fbank's FFT."""
    fft = knf.Rfft(windowed.shape[1])
    packed = torch.tensor([fft.compute(frame) for frame in windowed.tolist()])
    first, last = packed[:, :1].square(), packed[:, 1:2].square()
    middle = packed[:, 2::2].square() + packed[:, 3::2].square()
    return torch.cat([first, middle, last], 1)
