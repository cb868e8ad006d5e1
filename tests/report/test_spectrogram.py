import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from asr.report.spectrogram import Heard, ShownWord, png, spectrogram_rows
from asr.text.transcript import Word

pytest.importorskip("librosa")

RATE = 16_000


def tone(seconds: float) -> NDArray[np.float32]:
    samples: NDArray[np.float32] = np.sin(np.arange(round(seconds * RATE)) * 0.4, dtype=np.float32)
    return samples


def word(text: str, start: float) -> ShownWord:
    return ShownWord(text, Word(text, start, start + 0.2, 0.5), is_right=False)


def texts(row: str, kind: str) -> list[str]:
    root = ElementTree.fromstring(row)
    return [
        text.text or ""
        for text in root.iter("text")
        if text.get("class") == kind or (kind == "word" and text.get("class") is None)
    ]


def test_a_png_holds_its_pixels() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)

    data = png(pixels)

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (
            zlib.crc32(kind + body),
        )
        chunks[kind] = body
        at += 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (3, 2, 8, 0, 0, 0, 0)
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0\0\1\2\0\3\4\5"


def test_a_long_utterance_is_split_into_rows_and_each_word_is_in_one() -> None:
    rows = spectrogram_rows(
        tone(13.0), RATE, [word("A", 0.1), word("B", 4.5), word("C", 12.9)], None
    )

    assert [texts(row, "word") for row in rows] == [["A"], ["B"], ["C"]]


def test_what_was_heard_is_named_at_its_peaks_but_blanks_are_not() -> None:
    probabilities = np.full((25, 3), 0.001)
    probabilities[:, 0] = 0.998
    probabilities[5] = [0.05, 0.9, 0.05]
    probabilities[15] = [0.3, 0.1, 0.6]

    (row,) = spectrogram_rows(tone(1.0), RATE, [], Heard(probabilities, ("-", "AH", "T"), 0.04))

    assert texts(row, "peak") == ["AH", "T"]


def test_markup_and_control_characters_in_words_and_tokens_stay_text() -> None:
    evil = "</text><script>\x1b[31m\u202e"
    heard = Heard(np.array([[0.0, 1.0]] * 25), ("-", evil), 0.04)

    (row,) = spectrogram_rows(tone(1.0), RATE, [word(evil, 0.1)], heard)

    assert "<script" not in row
    assert "\x1b" not in row
    assert texts(row, "word") == ["</text><script>\\x1b[31m\\u202e"]


@pytest.mark.parametrize("n_samples", [1, 100, 399])
def test_less_than_a_frame_can_be_drawn(n_samples: int) -> None:
    (row,) = spectrogram_rows(np.full(n_samples, 0.1, np.float32), RATE, [], None)

    assert ElementTree.fromstring(row).find("image") is not None


def test_silence_can_be_drawn() -> None:
    (row,) = spectrogram_rows(np.zeros(RATE, np.float32), RATE, [], None)

    assert "nan" not in row
