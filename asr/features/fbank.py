"""Log-mel filter bank energies by Kaldi's definition, computed for a whole batch at once.

Precision: the energy of a nearly empty band (the upper band of an MP3, say) is what is left after
loud components cancel, so rounding decides its logarithm. Therefore everything up to the window is
float32 in the order of Kaldi's operations, and each windowed frame has the same bits as Kaldi's.
The spectrum is float64 and adds no noise of its own. What remains is Kaldi's own noise, which
tests/parity/test_kaldi.py measures.
"""

import math

import torch
from torch import Tensor, nn

from asr.errors import ConfigError, ShapeError
from asr.features.config import FeatureConfig
from asr.features.padding import check_lengths, zero_padding
from asr.lengths import n_frames, whole_samples

FRAMES_PER_BLOCK = 128  # about half a megabyte of float64
SAMPLE_SCALE = 32768.0  # Kaldi reads samples as 16-bit integers.
PREEMPHASIS = 0.97
MIN_LOG_ENERGY = math.log(torch.finfo(torch.float32).eps)  # Kaldi's, -15.94: digital silence


class LogMel(nn.Module):
    """Compute log-mel energies as Kaldi's `compute-fbank-feats --dither=0 --use-energy=false`.

    Per frame: subtract the mean, pre-emphasise, window (Povey), power spectrum, triangular filters
    of equal width on the mel scale, natural logarithm. Only frames entirely within the waveform
    count (`--snip-edges=true`). All is derived from the configuration: the state dict is empty.

    Attributes:
        samples_per_frame: Window length in samples.
        samples_per_shift: Distance between neighbouring frames in samples.
        min_log_energy: As configured.
    """

    window: Tensor
    mel_weights: Tensor

    def __init__(self, config: FeatureConfig) -> None:
        """Derive window and filters.

        Raises:
            ConfigError: The filters are too many for the frame length.
        """
        super().__init__()
        self.min_log_energy = config.min_log_energy
        self.samples_per_frame = whole_samples(config.frame_length, config.sample_rate)
        self.samples_per_shift = whole_samples(config.frame_shift, config.sample_rate)
        self._fft_size = 2 ** math.ceil(math.log2(self.samples_per_frame))
        weights = mel_filters(
            config.n_mels,
            self._fft_size,
            config.sample_rate,
            config.low_frequency,
            config.high_frequency,
        )
        self.register_buffer("window", povey_window(self.samples_per_frame), persistent=False)
        self.register_buffer("mel_weights", weights.float(), persistent=False)

    def forward(
        self, waveforms: Tensor, lengths: Tensor, tempo: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Compute the features of a batch; arguments, result and errors are `FrontEnd.raw`'s."""
        if waveforms.ndim != 2 or waveforms.dtype != torch.float32:
            raise ShapeError(
                "waveforms must be (B, N) float32, "
                f"got {waveforms.dtype} of shape {tuple(waveforms.shape)}"
            )
        check_lengths(waveforms, lengths, "waveforms")
        with torch.autocast(waveforms.device.type, enabled=False):  # bfloat16 would ruin it
            samples_per_shift = max(1, round(self.samples_per_shift * tempo))
            features = self._log_mel(waveforms, samples_per_shift)
        feature_lengths = n_frames(lengths, self.samples_per_frame, samples_per_shift)
        return zero_padding(features, feature_lengths), feature_lengths

    def _log_mel(self, waveforms: Tensor, samples_per_shift: int) -> Tensor:
        """Compute (B, T, F) from (B, N), block by block, so that temporaries stay in the cache."""
        n_utterances, n_samples = waveforms.shape
        if n_utterances == 0 or n_samples < self.samples_per_frame:
            return waveforms.new_zeros(n_utterances, 0, self.mel_weights.shape[1])
        scaled = waveforms * SAMPLE_SCALE
        frames = scaled.unfold(1, self.samples_per_frame, samples_per_shift)
        if waveforms.is_cuda:  # its cache does not matter
            return self._frames_log_mel(frames)
        blocks = frames.split(max(1, FRAMES_PER_BLOCK // n_utterances), dim=1)
        return torch.cat([self._frames_log_mel(block) for block in blocks], 1)

    def _frames_log_mel(self, frames: Tensor) -> Tensor:
        """Compute (B, T, F) from frames of samples, (B, T, samples_per_frame)."""
        windowed = self._windowed(frames).double()
        spectrum: Tensor = torch.fft.rfft(windowed, self._fft_size)
        power = (spectrum.real.square() + spectrum.imag.square()).float()  # (B, T, bins)
        energies = power @ self.mel_weights  # (B, T, F)
        return energies.clamp(min=math.exp(self.min_log_energy)).log()

    def _windowed(self, frames: Tensor) -> Tensor:
        """Remove each frame's mean, pre-emphasise and window it."""
        frames = frames - (_sum_in_order(frames) / self.samples_per_frame).unsqueeze(2)
        previous = torch.cat([frames[:, :, :1], frames[:, :, :-1]], 2)
        return (frames - PREEMPHASIS * previous) * self.window


def _sum_in_order(frames: Tensor) -> Tensor:
    """Sum over the last dimension in float32, from the first sample to the last, as Kaldi does.

    NumPy adds rows in this order (unless there is only one frame). Off the CPU, the sum is rounded
    from float64: for 16-bit samples these are the same bits, since a float32 holds the sum of 400
    of them exactly.
    """
    if frames.is_cpu and not frames.requires_grad:
        columns = frames.permute(2, 0, 1).contiguous()  # (samples_per_frame, B, T)
        return torch.from_numpy(columns.numpy().sum(0))
    return frames.double().sum(2).float()


def povey_window(n_samples: int) -> Tensor:
    """Return Kaldi's default window, a Hann window to the power of 0.85: (n_samples,) float32.

    Named after its author, Daniel Povey, it goes to zero at the edges, unlike a Hamming window.
    """
    hann = torch.hann_window(n_samples, periodic=False, dtype=torch.float64)
    return hann.pow(0.85).float()


def mel(frequency: Tensor) -> Tensor:
    """Map hertz to mel on HTK's scale: 1000 Hz is 1000 mel.

    References:
        Young et al., "The HTK Book", section 5.4.
    """
    return 1127.0 * torch.log1p(frequency / 700.0)


def mel_filters(
    n_mels: int, fft_size: int, sample_rate: int, low_frequency: float, high_frequency: float
) -> Tensor:
    """Build triangular filters, straight-sided and of equal width on the mel scale.

    Returns:
        Weights of the power spectrum of a frame, zero-padded to `fft_size` samples,
        (fft_size / 2 + 1, n_mels) float64; each filter peaks at 1.

    Raises:
        ConfigError: A filter is so narrow that it covers no bin of the spectrum.
    """
    frequencies = torch.arange(fft_size // 2 + 1, dtype=torch.float64) * sample_rate / fft_size
    low, high = mel(torch.tensor([low_frequency, high_frequency], dtype=torch.float64))
    edges = torch.linspace(low.item(), high.item(), n_mels + 2, dtype=torch.float64)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    position = mel(frequencies).unsqueeze(1)  # (bins, 1)
    rising, falling = (position - left) / (centre - left), (right - position) / (right - centre)
    weights = torch.minimum(rising, falling).clamp(min=0.0)  # (bins, n_mels)
    empty = (weights.sum(0) == 0.0).nonzero().flatten().tolist()
    if empty:
        raise ConfigError(
            f"no bin of a {fft_size}-point spectrum lies in mel filter {empty[0]}: "
            f"{n_mels} filters are too many for {low_frequency}..{high_frequency} Hz"
        )
    return weights
