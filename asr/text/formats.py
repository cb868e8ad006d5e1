"""Formats: a transcript as text for people, players and scoring tools.

Each function returns whole lines, or nothing if the format has nothing for an empty transcript. All
but txt, json, trn, stm and text need the words' times, and raise `DataError` if these are unknown.
A file of txt, json, ctm, trn, stm or text may hold several transcripts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from asr.errors import DataError
from asr.text.transcript import Transcript, to_json

# Limits of a cue that are common in subtitling.
MAX_CUE_CHARACTERS = 42
MAX_CUE_MILLISECONDS = 7000
MIN_PAUSE_MILLISECONDS = 1000  # a pause this long ends a cue


def txt(transcript: Transcript) -> str:
    """Write only the text, on one line."""
    return f"{transcript.text}\n"


def json(transcript: Transcript) -> str:
    """Write everything, as one line of JSON."""
    return f"{to_json(transcript)}\n"


def srt(transcript: Transcript) -> str:
    """Write SubRip subtitles."""
    return "\n".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(_cues(transcript), start=1)
    )


def vtt(transcript: Transcript) -> str:
    """Write WebVTT subtitles.

    References:
        W3C, "WebVTT: The Web Video Text Tracks Format", section 4, "Syntax".
    """
    cues = [
        f"\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escape_markup(cue.text)}\n"
        for cue in _cues(transcript)
    ]
    return "".join(["WEBVTT\n", *cues])


def tsv(transcript: Transcript) -> str:
    """Write a table of cues under a header: start and end in whole milliseconds, and text."""
    cues = [f"{cue.start}\t{cue.end}\t{cue.text}\n" for cue in _cues(transcript)]
    return "".join(["start\tend\ttext\n", *cues])


def ctm(transcript: Transcript) -> str:
    """Write NIST's time-marked words: recording, channel, start, duration, word, confidence.

    White space in the recording's name becomes `_`. The channel is always 1: a transcript is of one
    channel, or of all mixed down.

    References:
        NIST, SCTK, manual page of sclite, "ctm format".
    """
    confidences = [
        "" if word.confidence is None else f" {word.confidence:.3f}" for word in transcript.words
    ]
    return "".join(
        f"{_name(transcript)} 1 {word.start / 1000:.3f} {(word.end - word.start) / 1000:.3f} "
        f"{word.text}{confidence}\n"
        for word, confidence in zip(_timed_words(transcript), confidences, strict=True)
    )


def trn(transcript: Transcript) -> str:
    """Write NIST's transcript line: the text, then the utterance's id in parentheses.

    White space in the id becomes `_`.

    References:
        NIST, SCTK, manual page of sclite, "trn format".
    """
    return f"{transcript.text} ({_name(transcript)})\n".lstrip()


def stm(transcript: Transcript) -> str:
    """Write NIST's segment: recording, channel, speaker (unknown), begin, end, text.

    Raises:
        DataError: The duration is unknown.
    """
    if transcript.duration is None:
        raise DataError(f"transcript {transcript.id}: an stm needs the recording's duration")
    name, end = _name(transcript), transcript.duration
    return f"{name} 1 unknown 0.000 {end:.3f} {transcript.text}".rstrip() + "\n"


def kaldi(transcript: Transcript) -> str:
    """Write a line of Kaldi's file `text`: the id, then the words."""
    return f"{_name(transcript)} {transcript.text}".rstrip() + "\n"


def columns(transcript: Transcript) -> str:
    """Write the id, a tab, and the text."""
    return f"{_name(transcript)}\t{transcript.text}\n"


def textgrid(transcript: Transcript) -> str:
    """Write a Praat TextGrid with one tier of words and empty intervals between them.

    Raises:
        DataError: The duration is unknown, or a word overlaps the previous one or rounds to no
            milliseconds, which a tier does not allow.

    References:
        Boersma and Weenink, "Praat", manual page "TextGrid file formats".
    """
    intervals = _tiles(transcript)
    head = _TEXTGRID_HEAD.format(end=intervals[-1].end / 1000, size=len(intervals))
    entries = [
        f"        intervals [{number}]:\n"
        f"            xmin = {interval.start / 1000}\n"
        f"            xmax = {interval.end / 1000}\n"
        f"            text = {_quote(interval.text)}\n"
        for number, interval in enumerate(intervals, start=1)
    ]
    return "".join([head, *entries])


FORMATS: dict[str, Callable[[Transcript], str]] = {
    "txt": txt,
    "json": json,
    "srt": srt,
    "vtt": vtt,
    "tsv": tsv,
    "ctm": ctm,
    "trn": trn,
    "stm": stm,
    "text": kaldi,
    "TextGrid": textgrid,
}

# Formats of a file of hypotheses, which asr score reads.
HYPOTHESES: dict[str, Callable[[Transcript], str]] = {
    "jsonl": json,
    "trn": trn,
    "ctm": ctm,
    "stm": stm,
    "text": kaldi,
    "tsv": columns,
}

_TEXTGRID_HEAD = """\
File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = {end}
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = {end}
        intervals: size = {size}
"""


@dataclass(frozen=True, slots=True)
class _Interval:
    """A text and its half-open time in whole milliseconds, so that sums are exact."""

    text: str
    start: int
    end: int


def _timed_words(transcript: Transcript) -> list[_Interval]:
    if transcript.text and not transcript.words:
        raise DataError(f"transcript {transcript.id}: this format needs the times of its words")
    words: list[_Interval] = []
    now = 0
    for word in transcript.words:
        start, end = _milliseconds(word.start), _milliseconds(word.end)
        start = now if start == now - 1 else start  # rounding may have made them overlap by 1 ms
        words.append(_Interval(word.text, start, max(start, end)))
        now = end
    return words


def _cues(transcript: Transcript) -> list[_Interval]:
    cues: list[_Interval] = []
    for word in _timed_words(transcript):
        if cues and _fits(cues[-1], word):
            cue = cues.pop()
            cues.append(_Interval(f"{cue.text} {word.text}", cue.start, max(cue.end, word.end)))
        else:
            cues.append(word)
    return cues


def _fits(cue: _Interval, word: _Interval) -> bool:
    """Check whether a word may be added to a cue."""
    return (
        len(cue.text) + 1 + len(word.text) <= MAX_CUE_CHARACTERS
        and word.end - cue.start <= MAX_CUE_MILLISECONDS
        and word.start - cue.end < MIN_PAUSE_MILLISECONDS
    )


def _tiles(transcript: Transcript) -> list[_Interval]:
    """Cover the whole recording with its words and the gaps between them."""
    end = _milliseconds(transcript.duration or 0.0)
    if not end:
        raise DataError(f"transcript {transcript.id}: a TextGrid needs the recording's duration")
    tiles: list[_Interval] = []
    now = 0
    for word in _timed_words(transcript):
        if not now <= word.start < word.end:
            raise DataError(
                f"transcript {transcript.id}: a TextGrid cannot hold {word.text!r}, from "
                f"{word.start} to {word.end} ms after a word that ends at {now} ms"
            )
        tiles += [_Interval("", now, word.start)] if now < word.start else []
        tiles.append(word)
        now = word.end
    return [*tiles, _Interval("", now, end)] if now < end else tiles


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(milliseconds: int, decimal_sign: str) -> str:
    """Write a time as hours:minutes:seconds and milliseconds."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_sign}{milliseconds:03}"


def _name(transcript: Transcript) -> str:
    """Return the id without white space, which would split its column."""
    return "_".join(transcript.id.split())


def _escape_markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _quote(text: str) -> str:
    """Quote a text as Praat does, doubling quotation marks."""
    return '"' + text.replace('"', '""') + '"'
