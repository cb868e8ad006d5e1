"""Detect from the bytes of an audio file that its end is missing.

Decoders are lenient: a WAV file that was cut in half plays as a shorter recording, and its
transcript would silently lack the second half of the speech. The container tells.

References:
    WAV: Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991;
    RF64: EBU Tech 3306, 2009. AIFF: Apple, "Audio Interchange File Format", version 1.3, 1989.
    Ogg: RFC 3533, section 6. MP3: ISO/IEC 11172-3, section 2.4; ID3: id3.org, "ID3v2.4.0", 2000.
"""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO, Literal

# Programs that write to a pipe cannot go back to fill in the size. ffmpeg writes 2^32 - 1, sox and
# arecord about 2^31: such a size is a placeholder, not a promise.
PLACEHOLDER_SIZE = 0x7FFF0000
MAX_OGG_PAGE = 27 + 255 + 255 * 255
OGG_END_OF_STREAM = 4
MPEG_BITRATES = {  # kbit/s of Layer III by the header's index; 0 (free) and 15 (bad) left out
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MPEG_SAMPLE_RATES = (44100, 48000, 32000)  # Hz of MPEG-1; MPEG-2 has half, 2.5 a quarter


def find_truncation(file: BinaryIO, n_bytes: int) -> str | None:
    """Find what an audio file promises and does not contain.

    WAV and AIFF promise a size (unless it is a streaming program's placeholder), Ogg a marked last
    page, MP3 complete frames and often their number. FLAC promises only a number of samples, which
    the decoder checks. Other formats are not checked.

    Args:
        file: The file, opened for reading; its position afterwards is undefined.
        n_bytes: Its size.

    Returns:
        What is missing, as the end of a sentence; None if nothing is, or nothing can be detected.
    """
    magic = _read(file, 0, 4)
    check = _CHECKS.get(magic)
    if check is None and (magic[:3] == b"ID3" or _mpeg_frame_bytes(magic)):
        check = _check_mpeg
    return check(file, n_bytes) if check else None


def _check_chunks(
    file: BinaryIO, n_bytes: int, order: Literal["little", "big"], wanted: bytes
) -> str | None:
    """Walk the chunks (name, size, content, padded to even) up to the one with the samples."""
    if n_bytes >= 12 and _read(file, 8, 4) not in (b"WAVE", b"AIFF", b"AIFC"):
        return None  # a picture, say: not ours to check
    position = 12
    large_size = None
    while position + 8 <= n_bytes:
        header = _read(file, position, 8)
        name, size = header[:4], int.from_bytes(header[4:], order)
        if name == b"ds64":  # RF64 keeps its sizes of 64 bits here
            large_size = int.from_bytes(_read(file, position + 16, 8), order)
        if name == wanted:
            return _check_samples(size, large_size, n_bytes - position - 8)
        position += 8 + size + size % 2
    return "it ends before its samples begin"


def _check_samples(size: int, large_size: int | None, n_present: int) -> str | None:
    if large_size is not None:
        size = large_size
    elif size >= PLACEHOLDER_SIZE:
        return None
    if size <= n_present:
        return None
    return f"its header promises {size} bytes of samples, {n_present} are there"


def _check_ogg(file: BinaryIO, n_bytes: int) -> str | None:
    """Check that the last page is complete and marked as the last."""
    tail = _read(file, max(0, n_bytes - MAX_OGG_PAGE), MAX_OGG_PAGE)
    start = tail.rfind(b"OggS")
    if start < 0:  # something else follows the last page
        return None
    page = tail[start:]
    if len(page) < 27 or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        return "its last page is cut"
    if not page[5] & OGG_END_OF_STREAM:
        return "its last page is not marked as the end of the stream"
    return None


def _check_mpeg(file: BinaryIO, n_bytes: int) -> str | None:
    """Walk from frame header to frame header; compare their number with the promised one."""
    start = position = _after_id3(file)
    n_frames = 0
    while size := _mpeg_frame_bytes(header := _read(file, position, 4)):
        position += size
        n_frames += 1
    if position > n_bytes or (len(header) < 4 and header[:1] == b"\xff"):
        return "its last frame is cut"
    n_promised = _promised_mpeg_frames(file, start)
    at_end = not header or header[:3] in (b"TAG", b"APE")
    # The promise excludes the frame that makes it, but not all encoders know that.
    if at_end and n_promised is not None and n_frames < n_promised:
        return f"its header promises {n_promised} frames, {n_frames - 1} are there"
    return None


def _after_id3(file: BinaryIO) -> int:
    """Find the position after the ID3v2 tag that may come first."""
    header = _read(file, 0, 10)
    if len(header) < 10 or header[:3] != b"ID3":
        return 0
    size = 0
    for byte in header[6:]:  # seven bits each
        size = size << 7 | byte & 0x7F
    has_footer = bool(header[5] & 0x10)
    return 10 + size + 10 * has_footer


def _mpeg_frame_bytes(header: bytes) -> int | None:
    """Compute the size of the Layer III frame with this header; None if it is not a header."""
    bits = int.from_bytes(header)
    if len(header) < 4 or bits >> 21 != 0x7FF or bits >> 17 & 3 != 1:
        return None
    version = bits >> 19 & 3  # 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    bitrate_index, rate_index = bits >> 12 & 15, bits >> 10 & 3
    if version == 1 or bitrate_index in (0, 15) or rate_index == 3:
        return None
    bitrate = MPEG_BITRATES[1 if version == 3 else 2][bitrate_index]
    sample_rate = MPEG_SAMPLE_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    n_samples = 1152 if version == 3 else 576
    padding = bits >> 9 & 1
    return n_samples * bitrate * 1000 // (8 * sample_rate) + padding


def _promised_mpeg_frames(file: BinaryIO, position: int) -> int | None:
    """Read the number of frames from the Xing or Info header, hidden in a first, silent frame."""
    frame = _read(file, position, 48).ljust(64, b"\0")
    start = max(frame.find(b"Xing"), frame.find(b"Info"))
    if start < 0 or not frame[start + 7] & 1:
        return None
    return int.from_bytes(frame[start + 8 : start + 12])


def _read(file: BinaryIO, position: int, n_bytes: int) -> bytes:
    """Read the bytes at a position; fewer at the end of the file."""
    file.seek(position)
    return file.read(n_bytes)


_CHECKS: dict[bytes, Callable[[BinaryIO, int], str | None]] = {
    b"RIFF": partial(_check_chunks, order="little", wanted=b"data"),
    b"RF64": partial(_check_chunks, order="little", wanted=b"data"),
    b"FORM": partial(_check_chunks, order="big", wanted=b"SSND"),
    b"OggS": _check_ogg,
}
