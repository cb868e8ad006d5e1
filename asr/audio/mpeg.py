"""MP3: frames, one after another, often counted in the first, and tags around and between them.

References:
    ISO/IEC 11172-3, section 2.4; ID3v1 and ID3v2: id3.org; APE tags: wiki.hydrogenaud.io.
    Xing's and Fraunhofer's first frames: G. Brown, "VBR header formats", multiweb.cz/twoinches.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from asr.audio.layout import DecodingError, Layout, Part, Span, read_at, skip_id3

BITRATES = {  # kbit/s of Layer III by the header's index, of which 0 (free) and 15 are refused
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLE_RATES = (44100, 48000, 32000)  # Hz of MPEG-1; MPEG-2 has half, 2.5 a quarter
HEAD_BYTES = 60  # of a frame: enough to see whether it counts the others
SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")


@dataclass(slots=True)
class _Stream:
    """Frames that one decoder reads."""

    header: bytes  # of its first frame
    spans: list[Span]
    n_promised: int | None  # frames by its own first one, which is not among them
    n_frames: int = 0

    def continues_with(self, header: bytes) -> bool:
        """Tell whether a frame belongs to the same stream."""
        is_surplus = self.n_promised is not None and self.n_frames >= self.n_promised
        return not is_surplus and _kind(header) == _kind(self.header)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A frame, with the first bytes of it, or what lies between frames."""

    span: Span
    head: bytes | None
    is_tag: bool = False


def walk_mpeg(file: BinaryIO, start: int, n_bytes: int) -> Layout:
    """Walk from frame header to frame header; compare their number with the promised one."""
    streams: list[_Stream] = []
    notes: list[str] = []
    is_new, n_skipped = True, 0
    for piece in _pieces(file, start, n_bytes):
        if piece.head is None:
            is_new = is_new or piece.is_tag
            if not piece.is_tag:
                n_skipped += len(piece.span)
                notes.append(f"{len(piece.span)} bytes at {piece.span.start} are no MP3; skipped")
        elif piece.span.end > n_bytes:
            raise DecodingError("its last frame is cut")
        else:
            _append(streams, piece.head, piece.span, is_new)
            is_new = False
    streams = [stream for stream in streams if stream.n_frames]
    n_frames = sum(stream.n_frames for stream in streams)
    n_sound = sum(len(span) for stream in streams for span in stream.spans)
    if n_skipped > n_sound or (n_skipped and n_frames == 1):
        raise DecodingError("most of it is no MP3")
    for stream in streams:
        # The promise excludes the frame that makes it, but not all encoders know that.
        if stream.n_promised is not None and stream.n_frames + 1 < stream.n_promised:
            raise DecodingError(
                f"its header promises {stream.n_promised} frames, {stream.n_frames} are there"
            )
    return Layout(tuple(_part(stream) for stream in streams), tuple(notes))


def _pieces(file: BinaryIO, start: int, n_bytes: int) -> Iterator[_Piece]:
    """Divide a file into frames and what is between them; zeros there are passed over."""
    while start < n_bytes:
        head = read_at(file, start, HEAD_BYTES)
        size = mpeg_frame_bytes(head[:4])
        if size is None and len(head) < 4 and head[:1] == b"\xff":
            size = 4  # a header that is cut
        if size is not None:
            yield _Piece(Span(start, start + size), head)
            start += size
            continue
        end = _end_of_tag(file, start, head)
        is_tag = end is not None
        end = min(n_bytes, _next_frame(file, start + 1, n_bytes) if end is None else end)
        if is_tag or read_at(file, start, end - start).strip(b"\0"):
            yield _Piece(Span(start, end), None, is_tag)
        start = end


def _append(streams: list[_Stream], head: bytes, span: Span, is_new: bool) -> None:
    """Add a frame to the last stream, or begin another with it."""
    n_promised, is_counter = _promise(head)
    if is_counter or is_new or not streams[-1].continues_with(head):
        streams.append(_Stream(head[:4], [], n_promised))
    stream = streams[-1]
    stream.n_frames += not is_counter
    if is_counter and n_promised is None:
        return  # `_part` writes one that counts
    if stream.spans and stream.spans[-1].end == span.start:
        stream.spans[-1] = Span(stream.spans[-1].start, span.end)
    else:
        stream.spans.append(span)


def mpeg_frame_bytes(header: bytes | bytearray) -> int | None:
    """Compute the size of the Layer III frame with this header; None if it is not a header."""
    bits = int.from_bytes(header)
    if len(header) < 4 or bits >> 21 != 0x7FF or bits >> 17 & 3 != 1:
        return None
    version = bits >> 19 & 3  # 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    bitrate_index, rate_index = bits >> 12 & 15, bits >> 10 & 3
    if version == 1 or bitrate_index in (0, 15) or rate_index == 3:
        return None
    bitrate = BITRATES[1 if version == 3 else 2][bitrate_index]
    sample_rate = SAMPLE_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    n_samples = 1152 if version == 3 else 576
    padding = bits >> 9 & 1
    return n_samples * bitrate * 1000 // (8 * sample_rate) + padding


def _kind(header: bytes) -> tuple[int, int, bool]:
    """Tell what does not change within a stream: version, sample rate, and whether it is mono."""
    return header[1] & 0x1E, header[2] & 0x0C, header[3] >> 6 == 3


def _counter_offset(header: bytes | bytearray) -> int:
    """Compute where Xing's count lies in a frame: after its header and empty side information."""
    is_mpeg1, is_mono = header[1] & 0x18 == 0x18, header[3] >> 6 == 3
    return 4 + (32, 17)[is_mono] if is_mpeg1 else 4 + (17, 9)[is_mono]


def _promise(head: bytes) -> tuple[int | None, bool]:
    """Read the number of frames from a frame that counts the others; tell whether it is one."""
    for offset in (_counter_offset(head), _counter_offset(head) + 2):  # 2: a checksum
        if head[offset : offset + 4] in (b"Xing", b"Info"):
            has_count = len(head) >= offset + 12 and bool(head[offset + 7] & 1)
            return int.from_bytes(head[offset + 8 : offset + 12]) if has_count else None, True
    # Fraunhofer's count includes frames that hold no sound; the walk knows better.
    return None, head[36:40] == b"VBRI"


def _end_of_tag(file: BinaryIO, position: int, head: bytes) -> int | None:
    """Find the end of the tag at a position; None if there is none."""
    if head[:3] == b"ID3" and len(head) >= 10:
        return skip_id3(file, position)
    if head[:3] == b"TAG":
        return position + 128
    if head[:8] == b"APETAGEX" and len(head) >= 32:
        is_header = bool(head[23] & 0x20)
        return position + 32 + is_header * int.from_bytes(head[12:16], "little")
    return None


def _next_frame(file: BinaryIO, position: int, n_bytes: int) -> int:
    """Find the next frame header that another one, a tag, or the end follows."""
    while position < n_bytes:
        block = read_at(file, position, 1 << 16)
        for found in SYNC.finditer(block):
            start = position + found.start()
            size = mpeg_frame_bytes(read_at(file, start, 4))
            if size and start + size <= n_bytes:
                following = read_at(file, start + size, 4)
                if mpeg_frame_bytes(following) or following[:3] in (b"", b"TAG", b"ID3", b"APE"):
                    return start
        tag = re.search(rb"TAG|ID3[\x02-\x04]|APETAGEX", block)
        if tag:
            return position + tag.start()
        position += max(1, len(block) - 7)
    return n_bytes


def _part(stream: _Stream) -> Part:
    """Give a stream that does not count its frames one more frame, which does.

    libsndfile would estimate the length, and read no further.
    """
    if stream.n_promised is not None:
        return tuple(stream.spans)
    header = bytearray(stream.header)
    header[1] |= 1  # no checksum
    header[2] = header[2] & 0x0C | 0x90  # a bit rate that leaves room, and no padding
    offset = _counter_offset(header)
    count = b"Xing" + (1).to_bytes(4) + stream.n_frames.to_bytes(4)
    frame = bytes(header).ljust(offset, b"\0") + count
    return (frame.ljust(mpeg_frame_bytes(header) or 0, b"\0"), *stream.spans)
