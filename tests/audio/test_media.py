"""What libsndfile does not know, FFmpeg decodes, where PyAV is installed."""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from asr.audio.read import read_duration, read_waveform
from asr.audio.recording import UNCHECKED, open_recording
from asr.errors import AudioError

RATE = 16000
# Container, codec, sample rate, seconds by which codecs lengthen, whether a missing end is noticed.
FORMATS = [
    ("mp4", "aac", 48000, 0.1, True),
    ("ipod", "aac", 44100, 0.1, True),
    ("3gp", "aac", 16000, 0.2, True),
    ("mov", "pcm_s16le", 44100, 0.01, True),
    ("webm", "libopus", 48000, 0.05, True),
    ("matroska", "aac", 48000, 0.1, True),
    ("amr", "libopencore_amrnb", 8000, 0.1, False),
    ("adts", "aac", 44100, 0.1, False),
]
TIMED_FORMATS = [(*names, rate) for *names, rate, _, is_timed in FORMATS if is_timed]
MP4 = b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(100)


def encode(container: str, codec: str, rate: int, gains: Sequence[float] = (1.0,)) -> bytes:
    """Two seconds of a tone of 400 Hz, in as many channels as gains."""
    av = pytest.importorskip("av")
    tone = 0.3 * np.sin(2 * np.pi * 400 * np.arange(2 * rate) / rate)
    channels = np.stack([gain * tone for gain in gains]).astype(np.float32)
    layout = ("mono", "stereo")[len(gains) - 1]
    frame = av.AudioFrame.from_ndarray(channels, format="fltp", layout=layout)
    frame.sample_rate = rate
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = layout
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout=layout)
        for converted in resampler.resample(frame):
            output.mux(stream.encode(converted))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(("container", "codec", "rate", "longer", "is_timed"), FORMATS)
def test_what_ffmpeg_knows_is_read(
    container: str, codec: str, rate: int, longer: float, is_timed: bool
) -> None:
    content = encode(container, codec, rate)

    with open_recording(io.BytesIO(content)) as recording:
        waveform = np.concatenate(list(recording.blocks(RATE)))

    assert 2 * RATE - 100 <= len(waveform) <= (2 + longer) * RATE
    spectrum = np.abs(np.fft.rfft(waveform[8000:24000]))
    assert spectrum.argmax() == 400
    assert (recording.duration is not None) == is_timed
    assert recording.notes == ([] if is_timed else [UNCHECKED])


@pytest.mark.parametrize(("container", "codec", "rate"), [f[:3] for f in FORMATS])
def test_a_segment_is_that_part_of_the_whole(container: str, codec: str, rate: int) -> None:
    file = io.BytesIO(encode(container, codec, rate))
    whole = read_waveform(file, sample_rate=rate)

    segment = read_waveform(file, sample_rate=rate, offset=0.5, duration=0.25)

    assert np.array_equal(segment, whole[rate // 2 : rate * 3 // 4])


@pytest.mark.parametrize(("container", "codec", "rate"), TIMED_FORMATS)
def test_a_missing_end_is_refused_where_the_container_tells(
    container: str, codec: str, rate: int
) -> None:
    content = encode(container, codec, rate)

    with pytest.raises(AudioError, match="is truncated or damaged"):
        read_waveform(io.BytesIO(content[: len(content) // 2]), sample_rate=RATE)


@pytest.mark.parametrize(("container", "codec", "rate"), TIMED_FORMATS)
def test_joined_recordings_are_read_one_after_another(
    container: str, codec: str, rate: int
) -> None:
    content = encode(container, codec, rate)
    whole = read_waveform(io.BytesIO(content), sample_rate=rate)

    with open_recording(io.BytesIO(content + content)) as recording:
        joined = np.concatenate(list(recording.blocks(rate)))

    assert np.array_equal(joined, np.concatenate([whole, whole]))
    assert recording.notes == ["2 recordings are joined in it; read one after another"]


@pytest.mark.parametrize(("container", "codec"), [("adts", "aac"), ("mpegts", "mp2")])
@pytest.mark.parametrize("gains", [((1.0,), (1.0, 1.0)), ((1.0, 1.0), (1.0,))])
def test_channels_and_rate_may_change_midway(
    container: str, codec: str, gains: Sequence[Sequence[float]]
) -> None:
    one, other = (
        encode(container, codec, rate, of) for rate, of in zip((44100, 48000), gains, strict=True)
    )

    waveform = read_waveform(io.BytesIO(one + other), sample_rate=RATE)

    assert 4 * RATE - 100 <= len(waveform) <= 4.2 * RATE
    for second in (0.5, 2.5):
        spectrum = np.abs(np.fft.rfft(waveform[round(second * RATE) :][:RATE]))
        assert spectrum.argmax() == 400


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("webm", "libopus")])
def test_of_channels_that_cancel_out_one_is_taken(container: str, codec: str) -> None:
    """FFmpeg's frames are shorter than what is decided on."""
    content = encode(container, codec, 48000, (1.0, -1.0))

    with open_recording(io.BytesIO(content)) as recording:
        waveform = np.concatenate(list(recording.blocks(RATE)))

    assert np.std(waveform[RATE // 2 : -RATE // 2]) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert "its channels cancel each other out" in recording.notes[0]


def test_an_error_of_pyavs_own_is_a_reason_like_ffmpegs(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode("adts", "aac", 44100)

    def fail(**_: object) -> None:
        raise ValueError("Frame does not match AudioResampler setup.")

    monkeypatch.setattr("av.AudioResampler", fail)

    with pytest.raises(AudioError, match=r"^the recording: is truncated .*Frame does not match"):
        read_waveform(io.BytesIO(content), sample_rate=RATE)


def test_the_duration_of_what_does_not_tell_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.aac"
    path.write_bytes(encode("adts", "aac", 44100))

    duration = read_duration(path)

    assert caplog.messages == []  # nothing was made of what is odd
    assert duration == len(read_waveform(path, sample_rate=RATE)) / RATE
    assert caplog.messages == [f"{path}: {UNCHECKED}"]


def test_where_a_missing_end_of_layer_ii_goes_unnoticed_a_note_says_so() -> None:
    """libsndfile, which reads it, calls it MP3."""
    content = encode("mp2", "mp2", 16000)

    with open_recording(io.BytesIO(content[: len(content) // 2])) as recording:
        assert sum(map(len, recording.blocks(RATE))) < 1.1 * RATE

    assert recording.notes == [UNCHECKED]


def test_a_file_that_refers_to_others_opens_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.aac").write_bytes(encode("adts", "aac", 44100))
    for content in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\nfile://{tmp_path}/a.aac\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{tmp_path}/a.aac'\n",
    ):
        with pytest.raises(AudioError, match="is not audio of a known format"):
            read_waveform(io.BytesIO(content.encode()), sample_rate=RATE)


def test_a_picture_has_no_audio_track() -> None:
    pytest.importorskip("av")
    picture = b"P6 2 2 255\n" + bytes(12)

    with pytest.raises(AudioError, match="is not audio of a known format"):
        read_waveform(io.BytesIO(picture), sample_rate=RATE)


def test_without_pyav_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)

    with pytest.raises(AudioError, match=r"pip install 'asr-ctc\[media\]' reads m4a, mp4, webm"):
        read_waveform(io.BytesIO(MP4), sample_rate=RATE)
