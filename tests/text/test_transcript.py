import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import DataError
from asr.text.transcript import (
    Alternative,
    Transcript,
    Word,
    from_record,
    read_transcripts,
    to_json,
    write_transcripts,
)

FULL = Transcript(
    id="84-0001",
    text="DON'T STOP",
    score=-12.5,
    confidence=0.9,
    words=(Word("DON'T", 0.12, 0.48, 0.95), Word("STOP", 0.52, 1.0, 0.85)),
    n_best=(
        Alternative("DON'T STOP", -12.5),
        Alternative(
            "DON'T STOOP", -13.25, words=(Word("DON'T", 0.12, 0.48), Word("STOOP", 0.52, 1.0))
        ),
    ),
    duration=1.5,
)


def test_transcripts_read_back_as_they_were_written(tmp_path: Path) -> None:
    transcripts = [
        FULL,
        Transcript("empty", ""),
        Transcript("caf\u00e9 \u2028 \n.wav", "\u00c9T\u00c9"),
    ]

    write_transcripts(tmp_path / "t.jsonl", transcripts)

    assert list(read_transcripts(tmp_path / "t.jsonl").values()) == transcripts


def test_a_file_has_one_line_per_transcript(tmp_path: Path) -> None:
    write_transcripts(tmp_path / "t.jsonl", [FULL, Transcript("b", "X")])

    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8").split("\n")

    assert [json.loads(line)["id"] for line in lines[:-1]] == ["84-0001", "b"]
    assert lines[-1] == ""


def test_times_are_rounded_to_milliseconds_and_the_rest_to_four_decimals() -> None:
    rough = Transcript(
        "a", "X", -1.23456, 0.98765, (Word("X", 0.12345, 1 / 3, 2 / 3),), duration=4 / 3
    )

    assert from_record(json.loads(to_json(rough))) == Transcript(
        "a", "X", -1.2346, 0.9877, (Word("X", 0.123, 0.333, 0.6667),), duration=1.333
    )


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_transcripts(path, [FULL])

    with pytest.raises(DataError, match="transcript bad"):
        write_transcripts(path, [Transcript("a", "X"), Transcript("bad", "X", float("nan"))])

    assert list(read_transcripts(path)) == ["84-0001"]


def test_a_file_name_that_is_not_utf_8_survives(tmp_path: Path) -> None:
    transcript = Transcript("caf\udce9.wav", "X")  # as Python reads the byte 0xE9

    write_transcripts(tmp_path / "t.jsonl", [transcript])

    assert read_transcripts(tmp_path / "t.jsonl") == {"caf\udce9.wav": transcript}


def test_hypotheses_of_other_systems_need_only_id_and_text() -> None:
    record = {"id": "a", "text": "X", "system": "other", "words": None}

    assert from_record(record) == Transcript("a", "X")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "JSON object"),
        ('{"text": "X"}', "'id'"),
        ('{"id": "a"}', "'text'"),
        ('{"id": 7, "text": "X"}', "expected a string as 'id', got 7"),
        ('{"id": "a", "text": "X", "score": "high"}', "'score', got 'high'"),
        ('{"id": "a", "text": "X", "score": NaN}', "finite number as 'score'"),
        ('{"id": "a", "text": "X", "score": 1' + 400 * "0" + "}", "finite number as 'score'"),
        ('{"id": "a", "text": "X", "confidence": true}', "'confidence', got True"),
        ('{"id": "a", "text": "X", "confidence": 95}', "from 0 to 1 as 'confidence', got 95"),
        (
            '{"id": "a", "text": "X", "words": '
            '[{"text": "X", "start": 0, "end": 1, "confidence": -0.7}]}',
            "from 0 to 1 as 'confidence', got -0.7",
        ),
        ('{"id": "a", "text": "X", "words": ["X"]}', "list of objects as 'words'"),
        ('{"id": "a", "text": "X", "words": [{"text": "X", "start": 1}]}', "'end', got None"),
        ('{"id": "a", "text": "X", "n_best": [{"text": "X"}]}', "'score', got None"),
    ],
)
def test_a_bad_line_is_refused_with_its_file_number_and_reason(
    tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(f'{{"id": "good", "text": ""}}\n{line}\n')

    with pytest.raises(DataError, match=rf"t\.jsonl:2: .*{message}"):
        read_transcripts(path)


def test_a_repeated_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "a", "text": ""}\n' * 2)

    with pytest.raises(DataError, match=r"t\.jsonl:2: a second transcript with the id 'a'"):
        read_transcripts(path)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    for path in (tmp_path / "none", tmp_path / "binary", tmp_path):
        with pytest.raises(
            DataError, match=re.escape(f"{path}: ") + "(cannot be read|is not UTF-8)"
        ):
            read_transcripts(path)


@pytest.mark.parametrize(
    ("start", "end"), [(1.0, 0.5), (-0.1, 0.5), (0.0, float("inf")), (float("nan"), 1.0)]
)
def test_a_word_that_ends_before_it_begins_is_refused(start: float, end: float) -> None:
    with pytest.raises(DataError, match="'X'"):
        Word("X", start, end)


def test_words_out_of_order_are_refused() -> None:
    with pytest.raises(DataError, match=r"'B' begins at 0\.5 s, before 'A' at 1\.0 s"):
        Transcript("a", "A B", words=(Word("A", 1.0, 1.5), Word("B", 0.5, 0.9)))


def test_a_word_beyond_the_end_of_the_recording_is_refused() -> None:
    with pytest.raises(DataError, match=r"beyond the recording's 1\.0 s"):
        Transcript("a", "A", words=(Word("A", 0.5, 1.001),), duration=1.0)


@given(st.lists(st.floats(0, 1e4), min_size=2, max_size=12).map(sorted))
def test_rounding_keeps_times_in_order_and_within_the_recording(times: list[float]) -> None:
    words = tuple(Word("A", *pair) for pair in zip(times[::2], times[1::2], strict=False))

    read = from_record(json.loads(to_json(Transcript("a", "A", words=words, duration=times[-1]))))

    assert len(read.words) == len(words)  # the constructor refuses times out of order


def test_empty_lines_and_a_byte_order_mark_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "X"}\n\n{"id": "b", "text": ""}\n\n')

    assert list(read_transcripts(path)) == ["a", "b"]
