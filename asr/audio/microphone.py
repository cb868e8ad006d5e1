"""The microphone: what is said now, block by block, through PortAudio (sounddevice)."""

import logging
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from asr.audio.decoder import Block, Waveform
from asr.errors import AudioError

PATIENCE = 0.1  # seconds to wait for samples before asking again whether to stop

_LOG = logging.getLogger(__name__)


def microphone_blocks(
    sample_rate: int, *, device: str | int | None, must_stop: Callable[[], bool]
) -> Iterator[Waveform]:
    """Record one channel until asked to stop.

    Args:
        sample_rate: Hz.
        device: Number of an input device, or a part of its name; None: the system's default.
        must_stop: Asked between blocks.

    Yields:
        (N,) float32 in [-1, 1], as they arrive. What is not taken in time is kept.

    Raises:
        AudioError: sounddevice or PortAudio is not installed, or the device cannot record.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: PortAudio itself is missing
        raise AudioError(
            f"microphone: listening needs sounddevice ({error}): pip install 'asr-ctc[mic]'"
        ) from error
    heard: SimpleQueue[Waveform] = SimpleQueue()

    def hear(samples: Block, n_samples: int, time: object, status: object) -> None:
        del n_samples, time
        if status:
            _LOG.warning("microphone: some of what was said is lost (%s)", status)
        heard.put(samples[:, 0].copy())

    try:
        with sounddevice.InputStream(
            samplerate=sample_rate, channels=1, dtype="float32", device=device, callback=hear
        ):
            while not must_stop():
                try:
                    yield heard.get(timeout=PATIENCE)
                except Empty:
                    continue
    except (sounddevice.PortAudioError, ValueError) as error:  # ValueError: no such device
        raise AudioError(f"microphone: {error}; `python -m sounddevice` lists devices") from error
