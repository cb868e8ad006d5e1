"""The bytes of a file tell where its parts lie and what is missing, and accuse no whole file."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio.container import find_layout
from asr.audio.layout import DecodingError, Layout, Span, View

RATE = 16000


def encode(container: str, subtype: str, *, rate: int = RATE, n_channels: int = 1) -> bytes:
    generator = np.random.default_rng(0)
    samples = 0.1 * generator.standard_normal((rate, n_channels))
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def layout_of(content: bytes) -> Layout:
    return find_layout(io.BytesIO(content), len(content))


def find(content: bytes) -> str | None:
    """What is missing in a file."""
    try:
        layout_of(content)
    except DecodingError as error:
        return str(error)
    return None


def parts_of(content: bytes) -> list[bytes]:
    """What a decoder gets to read, part by part."""
    return [View(io.BytesIO(content), part).read() for part in layout_of(content).parts]


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk, padded to even; `size` is what it says of itself."""
    n_bytes = len(content) if size is None else size
    return name + n_bytes.to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def wav(*chunks: bytes) -> bytes:
    content = b"WAVE" + b"".join(chunks)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


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


def test_an_ogg_without_its_end_is_read_up_to_there() -> None:
    content = encode("OGG", "VORBIS")
    last_page = content.rfind(b"OggS")

    layout = layout_of(content[:last_page])

    assert layout.notes == ("no page is marked as its last; read up to where it ends",)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_one_flipped_bit_in_an_ogg_is_found(page: int) -> None:
    content = bytearray(encode("OGG", "VORBIS"))
    start = [found.start() for found in re.finditer(b"OggS", content)][page]
    content[start + 100] ^= 1

    assert find(bytes(content)) == f"the page at byte {start} does not match its checksum"


def test_a_missing_page_of_an_ogg_is_found() -> None:
    content = encode("OGG", "VORBIS")
    starts = [found.start() for found in re.finditer(b"OggS", content)]

    assert find(content[: starts[2]] + content[starts[3] :]) is not None


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


def test_what_is_no_mp3_between_frames_is_skipped_and_named(mp3: list[bytes]) -> None:
    content = b"".join(mp3[:9]) + b"something else" + b"".join(mp3[9:])

    layout = layout_of(content)

    assert layout.notes == (f"14 bytes at {len(b''.join(mp3[:9]))} are no MP3; skipped",)
    assert parts_of(content) == [b"".join(mp3)]


def test_frames_that_nothing_counts_are_counted(mp3: list[bytes]) -> None:
    (part,) = parts_of(b"".join(mp3[1:]))

    offset = part.index(b"Xing") + 8
    assert int.from_bytes(part[offset : offset + 4]) == len(mp3) - 1
    assert part.endswith(b"".join(mp3[1:]))


def test_an_mp3_of_which_most_is_something_else_is_refused(mp3: list[bytes]) -> None:
    assert find(mp3[1] + mp3[2] + bytes(range(256)) * 40) == "most of it is no MP3"


def test_a_matroska_file_that_ends_in_its_first_header_is_cut() -> None:
    for n_bytes in (4, 5, 8):
        assert find(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81"[:n_bytes]) is not None


def test_of_a_wav_whose_header_tells_its_size_the_samples_are_not_searched() -> None:
    n_read = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal n_read
            n_read += size or 0
            return super().read(size)

    content = wav(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(3 << 20)))

    find_layout(Counting(content), len(content))

    assert n_read < 1000


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
            layout = find_layout(file, path.stat().st_size)
        assert (layout.notes, len(layout.parts)) == ((), 1)


# Files that are joined, and headers that say less than is there

JOINED = [
    ("WAV", "PCM_16"),
    ("RF64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("container", "subtype"), JOINED)
def test_each_of_three_joined_files_is_a_part(container: str, subtype: str) -> None:
    one, other = encode(container, subtype), encode(container, subtype, rate=48000)

    assert parts_of(one + other + one) == [one, other, one]
    assert find(one + other[: len(other) // 2]) is not None


@pytest.mark.parametrize(
    ("container", "subtype"),
    [*JOINED, ("WAVEX", "PCM_24"), ("AU", "PCM_16"), ("CAF", "PCM_16")],
)
def test_a_whole_file_is_one_part_without_notes(container: str, subtype: str) -> None:
    content = encode(container, subtype)

    assert layout_of(content).notes == ()
    assert parts_of(content) == [content]


@pytest.mark.parametrize("container", ["AU", "CAF", "W64", "NIST"])
def test_every_format_that_promises_a_size_keeps_it(container: str) -> None:
    content = encode(container, "PCM_16")

    assert find(content) is None
    assert "promises" in str(find(content[: len(content) // 2]))


@pytest.mark.parametrize("promised", [0, 2000, 16000])
def test_samples_behind_the_promised_end_of_a_wav_are_read(promised: int) -> None:
    samples = np.random.default_rng(0).bytes(32000)
    content = wav(chunk(b"fmt ", bytes(16)), chunk(b"data", samples, promised))

    (part,) = parts_of(content)

    assert part == wav(chunk(b"fmt ", bytes(16)), chunk(b"data", samples))
    assert layout_of(content).notes == (
        f"its header says {promised} bytes of samples, 32000 are there; read all",
    )


@pytest.mark.parametrize(
    "after", [b"LIST\x04\0\0\0INFO", b"TAG" + bytes(125), b"ID3\x04" + bytes(9), bytes(100)]
)
def test_chunks_tags_and_zeros_behind_the_samples_are_none(after: bytes) -> None:
    content = wav(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(100)))

    assert layout_of(content + after).notes == ()
    assert parts_of(content + after)[0].startswith(content)


def test_a_few_unknown_bytes_behind_the_samples_are_named() -> None:
    content = wav(chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(100)))

    layout = layout_of(content + b"\x07what is this?")

    assert layout.notes == ("14 bytes follow its samples; they were not read",)


class Hole(io.BytesIO):
    """Some bytes, and gigabytes of ones after them that take no room."""

    n_bytes = 5 << 30
    ones = b"\x01" * (2 << 20)

    def read(self, size: int | None = -1) -> bytes:
        n_wanted = max(0, min(size or 0, self.n_bytes - self.tell()))
        content = super().read(n_wanted)
        self.seek(n_wanted - len(content), io.SEEK_CUR)
        return content + memoryview(self.ones)[: n_wanted - len(content)]


@pytest.mark.slow
def test_more_than_four_gigabytes_need_sizes_of_64_bits() -> None:
    n_samples = Hole.n_bytes - 44
    header = encode("WAV", "PCM_16")[:40] + (n_samples % (1 << 32)).to_bytes(4, "little")
    file = Hole(header)

    (part,) = find_layout(file, Hole.n_bytes).parts
    sound = soundfile.SoundFile(View(file, part))

    assert sound.format == "RF64"
    assert sound.frames == n_samples // 2


@pytest.mark.parametrize("name", [b"LIST", b"bext", b"odd "])
def test_a_missing_padding_byte_before_the_samples_is_made_up_for(name: bytes) -> None:
    format_, samples = chunk(b"fmt ", bytes(16)), chunk(b"data", bytes(range(100)))
    whole = wav(chunk(name, b"abc"), format_, samples)
    content = whole.replace(b"abc\0", b"abc")

    assert layout_of(whole).notes == ()
    assert layout_of(content).notes == (
        f"its chunk {name.decode().strip()!r} lacks the padding byte",
    )
    assert parts_of(content) == [wav(format_, samples)]


def flac_without_length() -> bytes:
    content = bytearray(encode("FLAC", "PCM_16"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    return bytes(content)


def test_the_samples_of_a_flac_without_a_length_are_counted() -> None:
    content = flac_without_length()

    assert parts_of(content) == [encode("FLAC", "PCM_16")]
    assert layout_of(content).notes == (
        "16000 samples are there, its header leaves their number open; read all",
    )


def test_a_missing_frame_of_a_flac_is_found() -> None:
    content = encode("FLAC", "PCM_16")
    of_4096_at_16_khz = rb"\xff\xf8\xc5\x08"
    starts = [found.start() for found in re.finditer(of_4096_at_16_khz, content)]

    damage = find(content[: starts[1]] + content[starts[2] :])

    assert len(starts) == 3
    assert damage == "frames are missing after sample 4096"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_view_is_read_seamlessly_in_pieces_of_any_size(size: int) -> None:
    file = io.BytesIO(bytes(range(256)))
    view = View(file, (b"abc", Span(10, 20), b"", Span(100, 103)))
    whole = b"abc" + bytes(range(10, 20)) + bytes(range(100, 103))

    pieces = []
    while piece := view.read(size):
        pieces.append(piece)

    assert b"".join(pieces) == whole
    assert view.seek(-4, io.SEEK_END) == len(whole) - 4
    assert view.read() == whole[-4:]
