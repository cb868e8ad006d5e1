"""A recording comes in blocks that are the whole, from any source, with notes on what is odd."""

import io
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
import soundfile
import soxr

from asr.audio.decoder import Waveform
from asr.audio.mpeg import mpeg_frame_bytes
from asr.audio.pcm import ENCODINGS, PcmFormat
from asr.audio.read import read_duration, read_unless_longer, read_waveform
from asr.audio.recording import UNCHECKED, open_recording
from asr.errors import AudioError, ConfigError

RATE = 16000


def speechlike(rate: int = RATE, seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    """Tone and noise, (N,) float64 within ±1."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    return np.asarray(
        0.3 * np.sin(2 * np.pi * (300 + 50 * seed) * time)
        + 0.02 * generator.standard_normal(len(time))
    )


def encode(
    samples: np.ndarray, rate: int = RATE, *, container: str = "WAV", subtype: str = "PCM_16"
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def read(content: bytes, **options: float) -> tuple[Waveform, list[str]]:
    """All blocks of a recording at 16 kHz, joined, and its notes."""
    with open_recording(io.BytesIO(content)) as recording:
        waveform = np.concatenate(list(recording.blocks(RATE, **options)))  # type: ignore[arg-type]
        if not options:
            assert recording.duration is not None
            assert abs(len(waveform) - recording.duration * RATE) <= 1
        return waveform, recording.notes


# Blocks


@pytest.mark.parametrize("n_samples", [100, 999, 16000])
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_blocks_are_the_whole_resampled_without_a_seam(
    monkeypatch: pytest.MonkeyPatch, rate: int, n_samples: int
) -> None:
    monkeypatch.setattr("asr.audio.decoder.BLOCK_SAMPLES", n_samples)
    samples = speechlike(rate).astype(np.float32)

    waveform, _ = read(encode(samples, rate, subtype="FLOAT"))

    assert np.allclose(waveform, soxr.resample(samples, rate, RATE), atol=1e-6)


def test_a_block_is_of_bounded_size_however_long_the_recording() -> None:
    """An hour of silence is a few kilobytes of FLAC."""
    content = encode(np.zeros(60 * 60 * 1000, np.int16), 1000, container="FLAC")

    with open_recording(io.BytesIO(content)) as recording:
        lengths = [len(block) for block in recording.blocks(1000)]

    assert len(content) < 20_000
    assert sum(lengths) == 60 * 60 * 1000
    assert max(lengths) <= 1 << 20


def test_a_recording_that_is_too_long_for_one_waveform_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("asr.audio.read.MAX_WAVEFORM_SAMPLES", RATE)

    with pytest.raises(AudioError, match="read it block by block"):
        read_waveform(io.BytesIO(encode(speechlike())), sample_rate=RATE)


def test_a_segment_may_span_joined_parts() -> None:
    one, other = speechlike(seconds=1.0), speechlike(seconds=1.0, seed=1)
    content = encode(one) + encode(other)

    segment, _ = read(content, offset=0.75, duration=0.5)

    assert np.allclose(segment, np.concatenate([one, other])[12000:20000], atol=1e-4)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_joined_recordings_are_read_one_after_another(container: str, subtype: str) -> None:
    one = encode(speechlike(), container=container, subtype=subtype)
    other = encode(speechlike(48000, seed=1), 48000, container=container, subtype=subtype)

    waveform, notes = read(one + other)

    assert np.allclose(waveform, np.concatenate([read(one)[0], read(other)[0]]), atol=1e-5)
    assert notes == ["2 recordings are joined in it; read one after another"]


# Codecs


def write_all() -> list[tuple[str, str]]:
    """Every container and codec that libsndfile writes, and reads from memory."""
    return [
        (container, subtype)
        for container in soundfile.available_formats()
        for subtype in soundfile.available_subtypes(container)
        if container not in ("RAW", "SD2")
        and soundfile.check_format(container, subtype)
        and subtype not in ("DWVW_12", "MPEG_LAYER_I", "MPEG_LAYER_II")
        and (container, subtype) != ("WAV", "MPEG_LAYER_III")
    ]


@pytest.mark.parametrize(("container", "subtype"), write_all())
def test_all_that_libsndfile_writes_is_read_and_sought_in(container: str, subtype: str) -> None:
    samples = speechlike()
    content = encode(samples, container=container, subtype=subtype)
    rate = soundfile.info(io.BytesIO(content)).samplerate  # XI has one rate for all

    whole = read_waveform(io.BytesIO(content), sample_rate=rate)
    segment = read_waveform(io.BytesIO(content), sample_rate=rate, offset=0.4, duration=0.1)

    tolerance = 0.02 if subtype == "OPUS" else 1e-6
    start = round(0.4 * rate)
    assert len(samples) <= len(whole) <= len(samples) + 1024
    assert np.corrcoef(whole[: len(samples)], samples)[0, 1] > 0.97
    assert np.abs(segment - whole[start : round(0.5 * rate)]).max() <= tolerance


def test_a_vbr_mp3_that_does_not_count_its_frames_is_read_to_its_end() -> None:
    """From the first frames, here of silence, libsndfile estimates the length."""
    samples = np.concatenate([np.zeros(8 * RATE), speechlike(seconds=4.0)])
    file = io.BytesIO()
    soundfile.write(
        file, samples, RATE, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
    )
    content = file.getvalue()
    without_count = content[content.index(b"\xff\xf3", 4) :]
    assert b"Xing" in content
    assert b"Xing" not in without_count

    waveform, notes = read(without_count)

    assert len(samples) <= len(waveform) <= len(samples) + 3 * 576
    assert np.std(waveform[-2 * RATE :]) > 0.1
    assert notes == []


def test_what_mpg123_says_of_damage_does_not_reach_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    content = bytearray(encode(speechlike(), container="MP3", subtype="MPEG_LAYER_III"))
    random, start = np.random.default_rng(0), mpeg_frame_bytes(content[:4]) or 0
    while n_bytes := mpeg_frame_bytes(content[start : start + 4]):
        content[start + 4 : start + 40] = random.bytes(36)  # all but the header
        start += n_bytes

    def decode() -> None:
        with suppress(AudioError):
            read(bytes(content))

    threads = [threading.Thread(target=decode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("still there", file=sys.stderr)  # noqa: T201

    assert capfd.readouterr().err == "still there\n"


@pytest.mark.parametrize("frame", [1, 5])
def test_a_damaged_frame_of_a_flac_is_refused(frame: int) -> None:
    content = encode(speechlike(), container="FLAC")
    damaged = bytearray(content)
    damaged[len(content) * frame // 8] ^= 1

    with pytest.raises(AudioError, match="is truncated or damaged"):
        read(bytes(damaged))


@pytest.mark.parametrize(("container", "order"), [("WAV", "BIG"), ("AU", "LITTLE"), ("SVX", "BIG")])
def test_where_a_missing_end_goes_unnoticed_a_note_says_so(container: str, order: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, speechlike(), RATE, format=container, subtype="PCM_16", endian=order)
    content = file.getvalue()

    waveform, notes = read(content[: len(content) // 2])

    assert len(waveform) < RATE
    assert notes == [UNCHECKED]


# Channels


def test_of_channels_that_cancel_out_one_is_taken_and_named() -> None:
    left = speechlike(seconds=2.05)
    content = encode(np.stack([left, -0.98 * left], axis=1))

    waveform, notes = read(content)

    assert np.allclose(waveform, left, atol=1e-4)
    assert notes == [
        "its channels cancel each other out from 0.0 s on, as if one were inverted; "
        "channel 0 alone was taken there"
    ]


def test_channels_that_differ_are_mixed() -> None:
    left, right = speechlike(), speechlike(seed=1)
    silence = np.zeros_like(left)
    for channels in ([left, right], [left, silence], [left, left], [left, -0.7 * left]):
        waveform, notes = read(encode(np.stack(channels, axis=1)))

        assert np.allclose(waveform, np.mean(channels, axis=0), atol=1e-4)
        assert notes == []


class Pipe(io.RawIOBase):
    """Bytes that arrive a few at a time."""

    def __init__(self, content: bytes, n_bytes: int) -> None:
        super().__init__()
        self._file, self._n_bytes = io.BytesIO(content), n_bytes

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, self._n_bytes))


@pytest.mark.parametrize("n_bytes", [400, 5000, 1 << 18])
def test_however_a_pipe_delivers_its_bytes_the_waveform_is_the_same(n_bytes: int) -> None:
    left, right = speechlike(), speechlike(seed=1)
    is_inverted = (np.arange(len(left)) >= RATE // 2 + 100)[:, None]
    samples = np.where(is_inverted, np.stack([left, -left], 1), np.stack([left, right], 1))
    content = (samples * 32767).astype("<i2").tobytes()
    source = cast(BinaryIO, Pipe(content, n_bytes))

    with open_recording(source, pcm=PcmFormat(RATE, 2)) as recording:
        waveform = np.concatenate(list(recording.blocks(RATE)))

    assert np.allclose(waveform[: RATE // 2], samples[: RATE // 2].mean(axis=1), atol=1e-4)
    assert np.allclose(waveform[RATE * 6 // 10 :], left[RATE * 6 // 10 :], atol=1e-4)
    assert [note.partition(" s on")[0] for note in recording.notes] == [
        "its channels cancel each other out from 0.6"
    ]


def test_of_channels_that_cancel_out_those_that_speak_are_taken() -> None:
    one, other = speechlike(), np.zeros(2 * RATE)
    pairs = [np.stack([one, -one, other, other], 1), np.stack([other, other, one, -one], 1)]

    waveform, notes = read(encode(np.concatenate(pairs)))

    assert np.allclose(waveform, np.concatenate([one, one]), atol=1e-4)
    assert len(notes) == 1


# Raw PCM


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_raw_samples_of_every_encoding_are_read(encoding: str, n_channels: int) -> None:
    samples = np.stack([speechlike()] * n_channels, axis=1)
    _, subtype, order = ENCODINGS[encoding]
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="RAW", subtype=subtype, endian=order)
    pcm = PcmFormat(RATE, n_channels, encoding)

    waveform = read_waveform(io.BytesIO(file.getvalue()), sample_rate=RATE, pcm=pcm)

    tolerance = 0.03 if "law" in encoding else 0.01 if encoding.endswith("8") else 1e-4
    assert np.abs(waveform - samples[:, 0]).max() < tolerance


def test_raw_samples_that_end_within_one_are_refused() -> None:
    with pytest.raises(AudioError, match="its last sample is cut: 1 of 2 bytes are there"):
        read_waveform(io.BytesIO(bytes(101)), sample_rate=RATE, pcm=PcmFormat(RATE))


def test_an_encoding_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"expected a PCM encoding of u8, .* got 's16'"):
        PcmFormat(RATE, encoding="s16")


def test_raw_samples_are_decoded_as_they_arrive() -> None:
    """A microphone never ends."""
    samples = np.arange(1000, dtype=np.int16)
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, "rb") as source,
        os.fdopen(writing, "wb") as microphone,
        open_recording(source, pcm=PcmFormat(RATE)) as recording,
    ):
        blocks = recording.blocks(RATE)
        for start in (0, 500):
            microphone.write(samples[start : start + 500].tobytes())
            microphone.flush()
            block = next(blocks)
            assert np.array_equal(block * 2**15, samples[start : start + 500])
        assert recording.duration is None


# What goes wrong


def test_an_error_of_the_disk_while_decoding_is_an_audio_error() -> None:
    class Broken(io.BytesIO):
        is_broken = False

        def read(self, size: int | None = -1) -> bytes:
            if self.is_broken:
                raise OSError(5, "Input/output error")
            return super().read(size)

    file = Broken(encode(speechlike(seconds=60.0)))

    with open_recording(file) as recording:
        blocks = recording.blocks(RATE)
        file.is_broken = True
        with pytest.raises(AudioError, match="cannot be read: Input/output error"):
            next(blocks)


def test_an_error_of_the_caller_stays_the_callers() -> None:
    with (
        pytest.raises(OSError, match="No space left"),
        open_recording(io.BytesIO(encode(speechlike()))),
    ):
        raise OSError(28, "No space left on device")


def test_notes_are_logged_once_however_a_recording_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encode(speechlike()) * 2)

    assert read_unless_longer(path, 1.0, sample_rate=RATE) is None  # to be read block by block
    assert read_duration(path) == 4.0
    assert caplog.messages == []
    with open_recording(path) as recording:
        for _ in recording.blocks(RATE):
            assert caplog.messages == []  # some are known only at the end
    assert caplog.messages == [f"{path}: 2 recordings are joined in it; read one after another"]
    read_waveform(path, sample_rate=RATE)
    assert len(caplog.messages) == 1
