import json
import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from asr.errors import DataError
from asr.text.formats import FORMATS
from asr.text.transcript import Transcript, Word, from_record

TRANSCRIPT = Transcript(
    id="my talk",
    text="IT'S R&D SAID HE",
    score=-3.5,
    confidence=0.8,
    words=(
        Word("IT'S", 0.1, 0.45, 0.9),
        Word("R&D", 0.45, 0.9, 0.8),
        Word("SAID", 3661.0204, 3661.5, 0.75),
        Word("HE", 3661.5, 3661.75),
    ),
    duration=3662.0,
)
EMPTY = Transcript("silence", "", words=(), duration=2.5)
TIMED = ("srt", "vtt", "tsv", "whisper", "ctm", "TextGrid")

GOLDEN = {
    "txt": "IT'S R&D SAID HE\n",
    "srt": (
        "1\n00:00:00,100 --> 00:00:01,100\nIT'S R&D\n\n2\n01:01:01,020 --> 01:01:02,020\nSAID HE\n"
    ),
    "vtt": (
        "WEBVTT\n\n00:00:00.100 --> 00:00:01.100\nIT'S R&amp;D\n\n"
        "01:01:01.020 --> 01:01:02.020\nSAID HE\n"
    ),
    "tsv": "start\tend\ttext\n100\t1100\tIT'S R&D\n3661020\t3662020\tSAID HE\n",
    "ctm": (
        "my_talk 1 0.100 0.350 IT'S 0.900\n"
        "my_talk 1 0.450 0.450 R&D 0.800\n"
        "my_talk 1 3661.020 0.480 SAID 0.750\n"
        "my_talk 1 3661.500 0.250 HE\n"
    ),
    "whisper": (
        '{"text": " IT\'S R&D SAID HE", "segments": ['
        '{"id": 0, "start": 0.1, "end": 0.9, "text": " IT\'S R&D", "words": ['
        '{"word": " IT\'S", "start": 0.1, "end": 0.45, "probability": 0.9}, '
        '{"word": " R&D", "start": 0.45, "end": 0.9, "probability": 0.8}]}, '
        '{"id": 1, "start": 3661.02, "end": 3661.75, "text": " SAID HE", "words": ['
        '{"word": " SAID", "start": 3661.02, "end": 3661.5, "probability": 0.75}, '
        '{"word": " HE", "start": 3661.5, "end": 3661.75}]}]}\n'
    ),
    "trn": "IT'S R&D SAID HE (my_talk)\n",
    "stm": "my_talk 1 unknown 0.000 3662.000 IT'S R&D SAID HE\n",
    "text": "my_talk IT'S R&D SAID HE\n",
}

GOLDEN_OF_NOTHING = {
    "txt": "\n",
    "srt": "",
    "vtt": "WEBVTT\n",
    "tsv": "start\tend\ttext\n",
    "ctm": "",
    "whisper": '{"text": "", "segments": []}\n',
    "trn": "(silence)\n",
    "stm": "silence 1 unknown 0.000 2.500\n",
    "text": "silence\n",
}

GOLDEN_TEXTGRID = """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.5
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.5
        intervals: size = 3
        intervals [1]:
            xmin = 0.0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "O""CLOCK"
        intervals [3]:
            xmin = 0.5
            xmax = 1.5
            text = ""
"""


def spoken(*words: tuple[str, float, float], duration: float | None = None) -> Transcript:
    text = " ".join(word for word, _, _ in words)
    return Transcript("a", text, words=tuple(Word(*word) for word in words), duration=duration)


def cues(text: str) -> list[tuple[int, int, str]]:
    """Read a table of cues back."""
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return [(int(start), int(end), words) for start, end, words in rows]


def tiles(text: str) -> list[tuple[float, float, str]]:
    """Read the intervals of a TextGrid back."""
    pattern = r'intervals \[\d+\]:\n +xmin = (\S+)\n +xmax = (\S+)\n +text = "(.*)"\n'
    found = re.findall(pattern, text)
    return [(float(start), float(end), word.replace('""', '"')) for start, end, word in found]


@pytest.mark.parametrize(("name", "expected"), GOLDEN.items())
def test_each_format_is_as_written_by_hand(name: str, expected: str) -> None:
    assert FORMATS[name](TRANSCRIPT) == expected


@pytest.mark.parametrize(("name", "expected"), GOLDEN_OF_NOTHING.items())
def test_a_recording_without_speech_is_written_too(name: str, expected: str) -> None:
    assert FORMATS[name](EMPTY) == expected


def test_json_holds_everything() -> None:
    read = from_record(json.loads(FORMATS["json"](TRANSCRIPT)))

    assert read.words[2] == Word("SAID", 3661.02, 3661.5, 0.75)
    assert read == from_record(json.loads(FORMATS["json"](read)))
    assert FORMATS["json"](TRANSCRIPT).count("\n") == 1


def test_every_format_has_a_test_here() -> None:
    assert set(FORMATS) == {*GOLDEN, "json", "jsonl", "TextGrid"}


def test_a_textgrid_is_as_written_by_hand() -> None:
    written = FORMATS["TextGrid"](spoken(('O"CLOCK', 0.25, 0.5), duration=1.5))

    assert written == GOLDEN_TEXTGRID


def test_a_textgrid_of_silence_is_one_empty_interval() -> None:
    assert tiles(FORMATS["TextGrid"](EMPTY)) == [(0.0, 2.5, "")]


def test_the_intervals_of_a_textgrid_tile_the_recording() -> None:
    found = tiles(FORMATS["TextGrid"](TRANSCRIPT))

    assert found[0][0] == 0.0
    assert found[-1][1] == 3662.0
    assert all(left[1] == right[0] for left, right in pairwise(found))
    assert [word for _, _, word in found if word] == TRANSCRIPT.text.split()


@pytest.mark.parametrize(
    "transcript",
    [
        spoken(("A", 0.0, 1.0)),
        spoken(("A", 0.0, 0.0), duration=1.0),
        spoken(("A", 0.0, 0.6), ("B", 0.5, 1.0), duration=1.0),
        Transcript("a", "", duration=0.0),
    ],
    ids=["no duration", "no length", "overlap", "no recording"],
)
def test_words_that_a_textgrid_does_not_allow_are_refused(transcript: Transcript) -> None:
    with pytest.raises(DataError, match="transcript a: a TextGrid"):
        FORMATS["TextGrid"](transcript)


@pytest.mark.parametrize("name", TIMED)
def test_a_format_with_times_refuses_words_without_times(name: str) -> None:
    with pytest.raises(DataError, match="transcript a: this format needs the times"):
        FORMATS[name](Transcript("a", "SAID", duration=1.0))


def test_the_durations_of_a_ctm_meet_the_next_word_exactly() -> None:
    # the duration of A, 100.5 ms, rounded on its own would miss the beginning of B by 1 ms
    transcript = spoken(("A", 0.0004, 0.1009), ("B", 0.1009, 0.2))

    rows = [line.split() for line in FORMATS["ctm"](transcript).splitlines()]

    assert float(rows[0][2]) + float(rows[0][3]) == pytest.approx(float(rows[1][2]), abs=1e-9)


MARKUP = spoken(("-->", 0.0, 0.5), ("<b>", 0.5, 1.0), ("{x}", 1.0, 1.5), duration=1.5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("srt", "--› ‹b› (x)"),
        ("vtt", "--&gt; &lt;b&gt; {x}"),
        ("trn", "--> <b> [x] (a)"),
        ("stm", "a 1 unknown 0.000 1.500 --> <b> [x]"),
        ("ctm", "a 1 1.000 0.500 [x]"),
        ("TextGrid", '            text = "{x}"'),
    ],
)
def test_a_word_that_would_be_markup_is_harmless(name: str, expected: str) -> None:
    assert expected in FORMATS[name](MARKUP).splitlines()


@pytest.mark.parametrize("name", FORMATS)
def test_no_control_character_of_a_recordings_name_reaches_a_terminal(name: str) -> None:
    hostile = Transcript("a\x1b[31m\nb", "WORD", words=(Word("WORD", 0.1, 0.9),), duration=1.0)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", FORMATS[name](hostile))


def test_words_that_meet_at_half_a_millisecond_do_not_overlap() -> None:
    below, above = 0.4995 - 1e-9, 0.4995 + 1e-9

    found = tiles(FORMATS["TextGrid"](spoken(("A", 0.0, above), ("B", below, 1.0), duration=1.0)))

    assert found == [(0.0, 0.5, "A"), (0.5, 1.0, "B")]


@pytest.mark.parametrize(("name", "read"), [("tsv", cues), ("TextGrid", tiles)])
def test_written_times_never_go_back(
    name: str, read: Callable[[str], list[tuple[float, float, str]]]
) -> None:
    words = [("WORD", i * 0.2999, i * 0.2999 + 0.2999) for i in range(200)]

    spans = read(FORMATS[name](spoken(*words, duration=60.0)))

    times = [time for start, end, _ in spans for time in (start, end)]
    assert times == sorted(times)
    assert " ".join(text for _, _, text in spans if text).count("WORD") == 200


def test_an_stm_needs_the_duration() -> None:
    with pytest.raises(DataError, match="duration"):
        FORMATS["stm"](Transcript("a", "WORD"))
