"""The bytes of a file tell whether its end is missing, and never accuse a whole one."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio.truncation import find_truncation

RATE = 16000


def encode(container: str, subtype: str, *, rate: int = RATE, n_channels: int = 1) -> bytes:
    generator = np.random.default_rng(0)
    samples = 0.1 * generator.standard_normal((rate, n_channels))
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def find(content: bytes) -> str | None:
    return find_truncation(io.BytesIO(content), len(content))


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk, padded to even; `size` is what it says of itself."""
    n_bytes = len(content) if size is None else size
    return name + n_bytes.to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def wav(*chunks: bytes) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAVEX", "PCM_24"),
        ("RF64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("FLAC", "PCM_16"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_a_whole_file_is_whole(container: str, subtype: str) -> None:
    assert find(encode(container, subtype)) is None


@pytest.mark.parametrize(
    ("container", "subtype", "reason"),
    [
        ("WAV", "PCM_16", "its header promises 32000 bytes of samples, 31999 are there"),
        ("RF64", "PCM_16", "its header promises 32000 bytes of samples, 31999 are there"),
        ("AIFF", "PCM_16", "its header promises 32008 bytes of samples, 32007 are there"),
        ("OGG", "VORBIS", "its last page is cut"),
        ("MP3", "MPEG_LAYER_III", "its last frame is cut"),
    ],
)
def test_a_missing_byte_is_missed(container: str, subtype: str, reason: str) -> None:
    assert find(encode(container, subtype)[:-1]) == reason


def test_a_missing_byte_is_missed_whatever_chunks_come_first() -> None:
    format_ = chunk(b"fmt ", bytes(16))
    other = chunk(b"LIST", b"odd")
    samples = chunk(b"data", bytes(100))

    assert find(wav(format_, other, samples)) is None
    assert find(wav(format_, other, samples)[:-1]) is not None


def test_a_picture_in_the_same_container_is_not_judged() -> None:
    assert find(wav(chunk(b"VP8 ", bytes(10))).replace(b"WAVE", b"WEBP")) is None


def test_a_missing_padding_byte_is_no_loss() -> None:
    content = wav(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(99)))

    assert find(content[:-1]) is None


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_the_placeholder_of_a_streaming_program_is_no_promise(size: int) -> None:
    assert find(wav(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(50), size))) is None


@pytest.mark.parametrize("n_bytes", [4, 11, 12, 20, 36, 43])
def test_a_wav_that_ends_in_its_header_is_cut(n_bytes: int) -> None:
    content = wav(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(100)))

    assert find(content[:n_bytes]) == "it ends before its samples begin"


def test_an_ogg_cut_between_pages_lacks_its_end() -> None:
    content = encode("OGG", "VORBIS")
    last_page = content.rfind(b"OggS")

    assert find(content[:last_page]) == "its last page is not marked as the end of the stream"


def test_an_ogg_cut_in_a_page_header_is_cut() -> None:
    content = encode("OGG", "VORBIS")
    last_page = content.rfind(b"OggS")

    for n_bytes in (4, 20, 27, 28):
        assert find(content[: last_page + n_bytes]) == "its last page is cut"


# MP3: with and without a header that counts the frames, and with tags around it


def frames(content: bytes) -> list[bytes]:
    """Split an MP3 stream of MPEG-2 at 16 kHz into frames, by their bit rates."""
    rates = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    split = []
    while content:
        size = 72 * rates[content[2] >> 4] * 1000 // RATE + (content[2] >> 1 & 1)
        split.append(content[:size])
        content = content[size:]
    return split


@pytest.fixture(scope="module")
def mp3() -> list[bytes]:
    """Frames, the first of which holds their number."""
    return frames(encode("MP3", "MPEG_LAYER_III"))


def test_the_first_frame_counts_the_others(mp3: list[bytes]) -> None:
    assert b"Xing" in mp3[0] or b"Info" in mp3[0]
    assert find(b"".join(mp3)) is None


@pytest.mark.parametrize("n_missing", [2, 5, 20])
def test_missing_frames_are_missed(mp3: list[bytes], n_missing: int) -> None:
    n_sound = len(mp3) - 1

    reason = find(b"".join(mp3[:-n_missing]))

    assert reason == f"its header promises {n_sound} frames, {n_sound - n_missing} are there"


def test_a_header_that_counts_itself_is_not_accused(mp3: list[bytes]) -> None:
    assert find(b"".join(mp3[:-1])) is None


def test_without_a_count_frames_are_not_missed_but_their_parts_are(mp3: list[bytes]) -> None:
    assert find(b"".join(mp3[1:])) is None
    assert find(b"".join(mp3[1:-7])) is None
    for n_bytes in (1, 3, 4, 20):
        assert find(b"".join(mp3[1:-1]) + mp3[-1][:n_bytes]) == "its last frame is cut"


def test_tags_before_and_after_the_sound_are_no_frames(mp3: list[bytes]) -> None:
    id3v2 = b"ID3\x04\x00\x00\x00\x00\x02\x01" + bytes(2 << 7 | 1)
    with_footer = b"ID3\x04\x00\x10\x00\x00\x00\x05" + bytes(5 + 10)
    for before in (id3v2, with_footer):
        for after in (b"TAG" + bytes(125), b"APETAGEX" + bytes(200)):
            assert find(before + b"".join(mp3) + after) is None
            assert find(before + b"".join(mp3[:-9]) + after) is not None
        assert find(before + b"".join(mp3)[:-1]) == "its last frame is cut"


def test_zeros_after_the_last_frame_do_no_harm(mp3: list[bytes]) -> None:
    for n_bytes in (1, 3, 4, 100):
        assert find(b"".join(mp3) + bytes(n_bytes)) is None


def test_an_mp3_with_something_else_in_it_is_left_to_the_decoder(mp3: list[bytes]) -> None:
    assert find(b"".join(mp3[:9]) + b"something else" + b"".join(mp3[9:])) is None


def test_a_file_of_one_frame_is_judged_without_a_crash() -> None:
    smallest = b"\xff\xf3\x14\xc4" + bytes(16) + b"Xing"  # 24 bytes at 8 kbit/s and 24 kHz

    assert find(smallest) is None
    assert find(smallest[:-1]) == "its last frame is cut"


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 22050, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_the_frames_of_every_rate_are_measured(rate: int, n_channels: int) -> None:
    content = encode("MP3", "MPEG_LAYER_III", rate=rate, n_channels=n_channels)

    assert find(content) is None
    assert find(content[:-1]) == "its last frame is cut"
    assert find(content[: len(content) // 2]) is not None


@pytest.mark.parametrize("content", [b"", b"R", b"RIF", b"\xff\xfb", b"what is this"])
def test_what_is_no_audio_is_not_judged(content: bytes) -> None:
    assert find(content) is None


@pytest.mark.corpus
def test_recorded_speech_is_whole(shared_data: Path) -> None:
    recordings = [
        path
        for ending in ("mp3", "ogg")
        for path in sorted(shared_data.glob(f"LibriSpeech/*/*/*/*.{ending}"))[::10]
    ]
    assert recordings

    for path in recordings:
        with path.open("rb") as file:
            assert find_truncation(file, path.stat().st_size) is None
