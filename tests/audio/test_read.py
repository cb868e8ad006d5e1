"""Any good recording becomes the same waveform; every kind of bad one is refused by name."""

import os
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio.decoder import MP3_FRAME_SAMPLES
from asr.audio.read import read_duration, read_waveform
from asr.errors import AsrError, AudioError

RATE = 16000

# Ending, format, subtype, and how far a sample may lie from the original.
LOSSLESS = [
    ("wav", "WAV", "PCM_U8", 1 / 100),
    ("wav", "WAV", "PCM_16", 1e-4),
    ("wav", "WAV", "PCM_24", 1e-6),
    ("wav", "WAV", "PCM_32", 1e-6),
    ("wav", "WAV", "FLOAT", 1e-7),
    ("wav", "WAV", "DOUBLE", 1e-7),
    ("wav", "WAVEX", "PCM_16", 1e-4),
    ("wav", "RF64", "PCM_16", 1e-4),
    ("flac", "FLAC", "PCM_S8", 1 / 100),
    ("flac", "FLAC", "PCM_16", 1e-4),
    ("flac", "FLAC", "PCM_24", 1e-6),
    ("aiff", "AIFF", "PCM_S8", 1 / 100),
    ("aiff", "AIFF", "PCM_16", 1e-4),
    ("aiff", "AIFF", "PCM_32", 1e-6),
    ("aiff", "AIFF", "FLOAT", 1e-7),
]
LOSSY = [("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS"), ("mp3", "MP3", "MPEG_LAYER_III")]


def speechlike(n_samples: int = RATE) -> np.ndarray:
    """A tone that swells and fades, (N,) float64 within ±0.5."""
    time = np.arange(n_samples) / RATE
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * time) * np.sin(np.pi * time) ** 2)


def noisy() -> np.ndarray:
    """Two seconds that no codec can make small, (N,) float64 within ±1."""
    noise = np.random.default_rng(1).standard_normal(2 * RATE)
    return np.asarray(0.5 * speechlike(2 * RATE) + 0.1 * noise)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def write(path: Path, samples: np.ndarray, rate: int = RATE, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


# What can be read


@pytest.mark.parametrize(("ending", "container", "subtype", "tolerance"), LOSSLESS)
def test_lossless_formats_give_back_the_samples(
    tmp_path: Path, ending: str, container: str, subtype: str, tolerance: float
) -> None:
    samples = speechlike()
    path = write(tmp_path / f"a.{ending}", samples, format=container, subtype=subtype)

    waveform = read_waveform(path, sample_rate=RATE)

    assert waveform.dtype == np.float32
    assert waveform.shape == samples.shape
    assert np.abs(waveform - samples).max() <= tolerance


@pytest.mark.parametrize(("ending", "container", "subtype"), LOSSY)
def test_lossy_formats_give_back_the_sound_at_its_length(
    tmp_path: Path, ending: str, container: str, subtype: str
) -> None:
    samples = speechlike()
    path = write(tmp_path / f"a.{ending}", samples, format=container, subtype=subtype)

    waveform = read_waveform(path, sample_rate=RATE)

    assert waveform.shape == samples.shape
    assert correlation(waveform, samples) > 0.99


def test_the_content_decides_what_a_file_is_not_its_ending(tmp_path: Path) -> None:
    flac = write(tmp_path / "a.flac", speechlike())
    for ending in ("wav", "mp3", "raw", "txt", ""):
        renamed = flac.rename(tmp_path / f"b.{ending}")
        assert len(read_waveform(renamed, sample_rate=RATE)) == RATE
        flac = renamed


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speechlike())

    assert read_duration(str(path)) == read_duration(path)
    assert np.array_equal(
        read_waveform(str(path), sample_rate=RATE), read_waveform(path, sample_rate=RATE)
    )


def test_names_of_any_script_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "Größe λόγος 話.wav", speechlike())

    assert len(read_waveform(path, sample_rate=RATE)) == RATE


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_any_rate_is_resampled_to_the_rate_asked_for(tmp_path: Path, rate: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
    path = write(tmp_path / "a.wav", tone, rate, subtype="FLOAT")

    waveform = read_waveform(path, sample_rate=RATE)

    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    assert len(waveform) == 2 * RATE
    assert np.abs(waveform - wanted)[1000:-1000].max() < 1e-3


def test_resampling_keeps_what_lies_above_the_new_half_rate_out(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 11000 * np.arange(48000) / 48000)
    path = write(tmp_path / "a.wav", tone, 48000)

    waveform = read_waveform(path, sample_rate=RATE)

    assert np.abs(waveform[1000:-1000]).max() < 1e-3


def test_stereo_is_mixed_down_by_the_mean_of_its_channels(tmp_path: Path) -> None:
    left, right = speechlike(), 0.25 * np.ones(RATE)
    path = write(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT")

    waveform = read_waveform(path, sample_rate=RATE)

    assert waveform.shape == (RATE,)
    assert np.allclose(waveform, (left + right) / 2, atol=1e-6)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_channel_can_be_picked(tmp_path: Path, channel: int) -> None:
    channels = np.stack([speechlike() * gain for gain in (0.2, 0.6, 1.0)], axis=1)
    path = write(tmp_path / "a.wav", channels, subtype="FLOAT")

    waveform = read_waveform(path, sample_rate=RATE, channel=channel)

    assert np.array_equal(waveform, channels[:, channel].astype(np.float32))


def test_a_channel_that_is_not_finite_does_not_spoil_the_others(tmp_path: Path) -> None:
    channels = np.stack([speechlike(), np.full(RATE, np.nan)], axis=1)
    path = write(tmp_path / "a.wav", channels, subtype="FLOAT")

    assert np.isfinite(read_waveform(path, sample_rate=RATE, channel=0)).all()


@pytest.mark.parametrize(("ending", "container", "subtype"), [("flac", "FLAC", "PCM_16"), *LOSSY])
def test_blocks_are_joined_without_a_seam(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    ending: str,
    container: str,
    subtype: str,
) -> None:
    samples = np.stack([noisy()] * 2, axis=1)
    path = write(tmp_path / f"a.{ending}", samples, format=container, subtype=subtype)
    whole = read_waveform(path, sample_rate=RATE)

    monkeypatch.setattr("asr.audio.decoder.BLOCK_SAMPLES", 999)

    assert np.array_equal(read_waveform(path, sample_rate=RATE), whole)
    assert capfd.readouterr().err == ""  # where the MP3 decoder complains of seeks


def test_one_sample_is_a_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.array([0.5]))

    assert read_waveform(path, sample_rate=RATE).tolist() == [0.5]


@pytest.mark.parametrize(("ending", "container", "subtype"), [("flac", "FLAC", "PCM_16"), *LOSSY])
def test_a_segment_is_that_part_of_the_whole(
    tmp_path: Path, ending: str, container: str, subtype: str
) -> None:
    path = write(tmp_path / f"a.{ending}", noisy(), format=container, subtype=subtype)
    whole = read_waveform(path, sample_rate=RATE)

    segment = read_waveform(path, sample_rate=RATE, offset=0.7, duration=0.5)

    assert np.allclose(segment, whole[11200:19200], atol=1e-6)


def test_segments_that_meet_share_no_sample_and_lose_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speechlike())
    cuts = [*(index * 1000.4 / RATE for index in range(16)), 1.0]

    segments = [
        read_waveform(path, sample_rate=RATE, offset=start, duration=end - start)
        for start, end in pairwise(cuts)
    ]

    assert np.array_equal(np.concatenate(segments), read_waveform(path, sample_rate=RATE))


def test_the_duration_of_the_header_reads_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(44101), 44100)

    waveform = read_waveform(path, sample_rate=44100, duration=read_duration(path))

    assert len(waveform) == 44101


@pytest.mark.parametrize("late", [0.009, 0.05, 0.3, 0.499])
def test_a_segment_may_end_up_to_half_a_second_late(tmp_path: Path, late: float) -> None:
    """Tools that estimate an MP3's length from its size are off by as much."""
    path = write(tmp_path / "a.mp3", speechlike())

    whole = read_waveform(path, sample_rate=RATE, duration=1.0 + late)
    half = read_waveform(path, sample_rate=RATE, offset=0.5, duration=0.5 + late)

    assert (len(whole), len(half)) == (RATE, RATE // 2)


def test_a_header_gives_the_duration(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", np.zeros((22050, 2)), 44100)

    assert read_duration(path) == 0.5


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x80000000, 0x7FFFF000])
def test_a_wav_that_was_streamed_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    path = write(tmp_path / "a.wav", speechlike(), subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = size.to_bytes(4, "little")
    path.write_bytes(content)

    assert len(read_waveform(path, sample_rate=RATE)) == RATE


def test_bytes_after_the_samples_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speechlike())
    path.write_bytes(path.read_bytes() + b"LIST\x04\x00\x00\x00INFO")

    assert len(read_waveform(path, sample_rate=RATE)) == RATE


# What is refused


def refusal(path: Path, **options: float) -> str:
    """The message with which reading the file is refused; it names the file first."""
    with pytest.raises(AudioError, match=f"^{re.escape(str(path))}: ") as caught:
        read_waveform(path, sample_rate=RATE, **options)  # type: ignore[arg-type]
    assert isinstance(caught.value, AsrError)
    assert isinstance(caught.value, ValueError)
    return str(caught.value).removeprefix(f"{path}: ")


def refusal_by_header(path: Path) -> str:
    """The same message, if reading only the duration is refused with it too."""
    message = refusal(path)
    with pytest.raises(AudioError, match=f"^{re.escape(f'{path}: {message}')}$"):
        read_duration(path)
    return message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.wav"

    assert refusal_by_header(path) == "no such file"


def test_a_file_inside_a_file_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speechlike()) / "b.wav"

    assert refusal(path) == "no such file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal_by_header(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)

    assert "is not a regular file" in refusal(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()

    assert "is empty (0 bytes)" in refusal_by_header(path)


@pytest.mark.parametrize("ending", ["wav", "aiff"])
def test_a_recording_without_samples_is_refused(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"a.{ending}", np.zeros(0))

    assert "holds no samples" in refusal_by_header(path)


@pytest.mark.parametrize("rate", [999, 999_999_999])
def test_a_rate_at_which_nobody_records_is_refused_by_name(tmp_path: Path, rate: int) -> None:
    path = write(tmp_path / "a.wav", np.zeros(1000), rate)

    assert f"its sample rate is {rate} Hz, expected 1000 to 1000000 Hz" in refusal_by_header(path)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "txt"])
@pytest.mark.parametrize(
    "content",
    [b"THEIR CHURCHES HAVE DISAPPEARED\n" * 100, b"\x89PNG\r\n\x1a\n" * 99, b"\0" * 5000, b"x"],
    ids=["text", "picture", "zeros", "one byte"],
)
def test_what_is_not_audio_is_refused(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    assert "is not audio" in refusal_by_header(path)


def test_noise_of_any_kind_is_refused_without_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    generator = np.random.default_rng(0)
    magics = [b"", b"RIFF", b"FORM", b"OggS", b"fLaC", b"ID3\x04", b"\xff\xfb\x90", b"RF64"]
    for magic in magics * 5:
        path.write_bytes(magic + generator.bytes(int(generator.integers(1, 3000))))
        assert refusal(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_samples_that_are_not_finite_are_refused_with_their_place(
    tmp_path: Path, value: float
) -> None:
    samples = speechlike()
    samples[[8000, 9000]] = value
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")

    assert f"its sample at 0.500 s is {value}, expected one within ±1" in refusal(path)


def test_samples_that_are_not_finite_are_found_in_every_channel_that_is_mixed(
    tmp_path: Path,
) -> None:
    channels = np.stack([speechlike(), speechlike()], axis=1)
    channels[100] = (np.inf, -np.inf)
    path = write(tmp_path / "a.wav", channels, subtype="FLOAT")

    assert "its sample at 0.006 s is nan" in refusal(path)


def test_the_place_of_what_is_not_finite_counts_from_the_recordings_start(tmp_path: Path) -> None:
    samples = speechlike()
    samples[12000] = np.nan
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")

    assert "its sample at 0.750 s is nan" in refusal(path, offset=0.5)


def test_the_place_of_what_is_not_finite_counts_from_the_first_of_joined_files(
    tmp_path: Path,
) -> None:
    samples = speechlike()
    first = write(tmp_path / "a.wav", samples, subtype="FLOAT").read_bytes()
    samples[8000] = np.nan
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")
    path.write_bytes(first + path.read_bytes())

    assert "its sample at 1.500 s is nan" in refusal(path)


@pytest.mark.parametrize(
    ("value", "subtype"), [(1e15, "FLOAT"), (1e38, "FLOAT"), (1e300, "DOUBLE")]
)
def test_numbers_that_are_no_sound_are_refused(tmp_path: Path, value: float, subtype: str) -> None:
    path = write(tmp_path / "a.wav", np.full(100, -value), subtype=subtype)

    assert "expected one within ±1" in refusal(path)


def test_whole_numbers_in_floating_point_are_sound(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 32767 * speechlike(), subtype="FLOAT")

    assert np.allclose(read_waveform(path, sample_rate=RATE), 32767 * speechlike())


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", speechlike())
    path.chmod(0)

    assert "is not permitted" in refusal(path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied"), "reading it is not permitted"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
    ],
    ids=["permission", "disk"],
)
def test_what_the_system_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, message: str
) -> None:
    path = write(tmp_path / "a.wav", speechlike())

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)

    assert message in refusal(path)


@pytest.mark.parametrize("channel", [-1, 2, 100])
def test_a_channel_that_is_not_there_is_refused(tmp_path: Path, channel: int) -> None:
    path = write(tmp_path / "a.wav", np.zeros((100, 2)))

    assert refusal(path, channel=channel).startswith(
        f"has no channel {channel}; its channels are 0 to 1"
    )


@pytest.mark.parametrize(
    ("offset", "duration"),
    [(1.0, None), (2.0, None), (-0.5, None), (0.0, 1.51), (0.9, 0.7), (0.5, 0.0), (0.5, -0.1)],
)
def test_a_segment_that_is_not_there_is_refused(
    tmp_path: Path, offset: float, duration: float | None
) -> None:
    path = write(tmp_path / "a.wav", speechlike())

    with pytest.raises(AudioError, match=r"has no segment from .*; it lasts 1 s"):
        read_waveform(path, sample_rate=RATE, offset=offset, duration=duration)


def test_too_few_samples_to_resample_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(1), 48000)

    assert "too few samples from 0 s on to resample" in refusal(path)


# What is truncated: whole recordings are never taken for it, cut ones always are

FORMATS = [
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAVEX", "PCM_24"),
    ("wav", "RF64", "PCM_16"),
    ("aiff", "AIFF", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    *LOSSY,
]


@pytest.mark.parametrize("kept", [0.05, 0.3, 0.5, 0.9, 0.99, "all but a byte"])
@pytest.mark.parametrize(("ending", "container", "subtype"), FORMATS)
def test_a_truncated_recording_is_refused(
    tmp_path: Path, ending: str, container: str, subtype: str, kept: float | str
) -> None:
    path = write(tmp_path / f"a.{ending}", noisy(), format=container, subtype=subtype)
    content = path.read_bytes()
    n_kept = int(kept * len(content)) if isinstance(kept, float) else len(content) - 1
    path.write_bytes(content[:n_kept])

    message = refusal(path)

    assert "is truncated or damaged" in message or "is not audio" in message


@pytest.mark.parametrize("where", ["a frame's end", "the last frame"])
def test_a_flac_that_was_cut_between_frames_is_refused(tmp_path: Path, where: str) -> None:
    path = write(tmp_path / "a.flac", speechlike(4 * RATE))
    content = path.read_bytes()
    starts = [found.start() for found in re.finditer(rb"\xff\xf8", content)]
    path.write_bytes(content[: starts[len(starts) // 2 if where == "a frame's end" else -1]])

    assert "is truncated or damaged" in refusal(path)


def test_a_header_that_claims_hours_takes_no_memory_for_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", speechlike())
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)

    assert "is truncated or damaged" in refusal(path)


def test_an_mp3_that_lacks_more_than_a_frame_is_refused_wherever_it_was_cut(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.mp3", speechlike(2 * RATE))
    content = path.read_bytes()
    for n_kept in range(300, len(content) - 600, 97):
        path.write_bytes(content[:n_kept])
        assert "is truncated or damaged" in refusal(path)


def test_frames_that_are_not_there_are_missed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", noisy())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(200))

    assert re.search(r"promises \d+ frames, \d+ are there", refusal(path))


def test_an_mp3_without_its_last_frame_is_short_by_no_more_than_a_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", speechlike(2 * RATE))
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"\xff\xf3")])

    assert 0 <= 2 * RATE - len(read_waveform(path, sample_rate=RATE)) <= MP3_FRAME_SAMPLES


# Recorded speech


@pytest.mark.corpus
@pytest.mark.parametrize("pattern", ["dev-clean/1673/*/*.mp3", "train-clean-5/1088/*/*.ogg"])
def test_recorded_speech_is_read_at_its_full_length(shared_data: Path, pattern: str) -> None:
    recordings = sorted((shared_data / "LibriSpeech").glob(pattern))
    assert recordings

    for path in recordings[:20]:
        duration = read_duration(path)
        waveform = read_waveform(path, sample_rate=RATE)
        assert len(waveform) == round(duration * RATE)
        assert 0.01 < np.abs(waveform).max() < 2
