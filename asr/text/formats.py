"""Formats: a transcript as text for people, players and scoring tools.

Each function returns whole lines, or nothing if the format has nothing for an empty transcript. All
but txt, json, trn, stm and text need the words' times, and raise `DataError` if these are unknown.
A file of txt, json, ctm, trn, stm or text may hold several transcripts. What would be markup in a
format, but is a word, is escaped, or replaced where the format has no escape.
"""

import json as json_library
from collections.abc import Callable

from asr.errors import DataError
from asr.text.cues import Interval, cues_of
from asr.text.markdown import visible
from asr.text.transcript import Transcript, Word, to_json


def txt(transcript: Transcript) -> str:
    """Write only the text, on one line."""
    return f"{transcript.text}\n"


def json(transcript: Transcript) -> str:
    """Write everything, as one line of JSON."""
    return f"{to_json(transcript)}\n"


def srt(transcript: Transcript) -> str:
    """Write SubRip subtitles. They have no escape: < > become ‹ ›, and { } become ( )."""
    return "\n".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        + "\n".join(cue.lines).translate(_SRT_MARKUP)
        + "\n"
        for number, cue in enumerate(cues_of(_timed_words(transcript)), start=1)
    )


def vtt(transcript: Transcript) -> str:
    """Write WebVTT subtitles.

    References:
        W3C, "WebVTT: The Web Video Text Tracks Format", section 4, "Syntax".
    """
    cues = [
        f"\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        + "\n".join(cue.lines).translate(_VTT_MARKUP)
        + "\n"
        for cue in cues_of(_timed_words(transcript))
    ]
    return "".join(["WEBVTT\n", *cues])


def tsv(transcript: Transcript) -> str:
    """Write a table of cues under a header: start and end in whole milliseconds, and text."""
    cues = cues_of(_timed_words(transcript))
    rows = [f"{cue.start}\t{cue.end}\t{cue.text}\n" for cue in cues]
    return "".join(["start\tend\ttext\n", *rows])


def whisper(transcript: Transcript) -> str:
    """Write JSON as Whisper does, a segment for each cue, without what only Whisper knows.

    References:
        Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022;
        github.com/openai/whisper, `transcribe` with `word_timestamps`.
    """
    words, segments = iter(transcript.words), []
    for number, cue in enumerate(cues_of(_timed_words(transcript))):
        segments.append(
            {
                "id": number,
                "start": cue.words[0].start / 1000,
                "end": max(word.end for word in cue.words) / 1000,
                "text": f" {cue.text}",
                "words": [_whisper_word(next(words), timed) for timed in cue.words],
            }
        )
    record = {"text": f" {transcript.text}".rstrip(), "segments": segments}
    return f"{json_library.dumps(record, ensure_ascii=False, allow_nan=False)}\n"


def ctm(transcript: Transcript) -> str:
    r"""Write NIST's time-marked words: recording, channel, start, duration, word, confidence.

    White space in the recording's name becomes `_`. Braces and parentheses in a word, which would
    mean alternatives, become brackets, and a semicolon, which would begin a tag, `\;`. The channel
    is always 1: a transcript is of one channel, or of all mixed down.

    References:
        NIST, SCTK, manual page of sclite, "ctm format".
    """
    confidences = [
        "" if word.confidence is None else f" {word.confidence:.3f}" for word in transcript.words
    ]
    name = in_column(transcript.id)
    return "".join(
        f"{name} 1 {word.start / 1000:.3f} {(word.end - word.start) / 1000:.3f} "
        f"{word.text.translate(_NIST_MARKUP)}{confidence}\n"
        for word, confidence in zip(_timed_words(transcript), confidences, strict=True)
    )


def trn(transcript: Transcript) -> str:
    """Write NIST's transcript line: the text, then the utterance's id in parentheses.

    White space in the id becomes `_`, parentheses brackets; the text is escaped as in `ctm`.

    References:
        NIST, SCTK, manual page of sclite, "trn format".
    """
    text = transcript.text.translate(_NIST_MARKUP)
    return f"{text} ({in_parentheses(transcript.id)})\n".lstrip()


def stm(transcript: Transcript) -> str:
    """Write NIST's segment: recording, channel, speaker (unknown), begin, end, text.

    Raises:
        DataError: The duration is unknown.
    """
    if transcript.duration is None:
        raise DataError(f"transcript {transcript.id}: an stm needs the recording's duration")
    name, text = in_column(transcript.id), transcript.text.translate(_NIST_MARKUP)
    return f"{name} 1 unknown 0.000 {transcript.duration:.3f} {text}".rstrip() + "\n"


def kaldi(transcript: Transcript) -> str:
    """Write a line of Kaldi's file `text`: the id, then the words."""
    return f"{in_column(transcript.id)} {transcript.text}".rstrip() + "\n"


def columns(transcript: Transcript) -> str:
    """Write the id, a tab, and the text."""
    return f"{in_column(transcript.id)}\t{transcript.text}\n"


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
    "jsonl": json,
    "whisper": whisper,
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


def ending(name: str) -> str:
    """Return what files of a format end in, without a dot."""
    return "whisper.json" if name == "whisper" else name  # so that none is taken for our own json


def in_column(name: str) -> str:
    r"""Write an id as a single column: white space becomes `_`, control characters are escaped.

    So does the first of two semicolons at its start, which would make the line a comment.

    Example:
        >>> in_column("my \x1b talk")
        'my_\\x1b_talk'
    """
    column = visible("_".join(name.split()))
    return f"_{column[1:]}" if column.startswith(";;") else column


def in_parentheses(name: str) -> str:
    """Write an id as `trn` has it: as a column, with brackets for its own parentheses.

    Example:
        >>> in_parentheses("talk (1)")
        'talk_[1]'
    """
    return in_column(name).translate(_PARENTHESES)


_SRT_MARKUP = str.maketrans("<>{}", "‹›()")
_VTT_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_PARENTHESES = str.maketrans("()", "[]")
_NIST_MARKUP = str.maketrans({"{": "[", "}": "]", "(": "[", ")": "]", ";": "\\;"})

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


def _timed_words(transcript: Transcript) -> list[Interval]:
    if transcript.text and not transcript.words:
        raise DataError(f"transcript {transcript.id}: this format needs the times of its words")
    words: list[Interval] = []
    now = 0
    for word in transcript.words:
        start, end = _milliseconds(word.start), _milliseconds(word.end)
        start = now if start == now - 1 else start  # rounding may have made them overlap by 1 ms
        words.append(Interval(word.text, start, max(start, end)))
        now = end
    return words


def _tiles(transcript: Transcript) -> list[Interval]:
    """Cover the whole recording with its words and the gaps between them."""
    end = _milliseconds(transcript.duration or 0.0)
    if not end:
        raise DataError(f"transcript {transcript.id}: a TextGrid needs the recording's duration")
    tiles: list[Interval] = []
    now = 0
    for word in _timed_words(transcript):
        if not now <= word.start < word.end:
            raise DataError(
                f"transcript {transcript.id}: a TextGrid cannot hold {word.text!r}, from "
                f"{word.start} to {word.end} ms after a word that ends at {now} ms"
            )
        tiles += [Interval("", now, word.start)] if now < word.start else []
        tiles.append(word)
        now = word.end
    return [*tiles, Interval("", now, end)] if now < end else tiles


def _whisper_word(word: Word, timed: Interval) -> dict[str, object]:
    record = {"word": f" {word.text}", "start": timed.start / 1000, "end": timed.end / 1000}
    if word.confidence is None:
        return record
    return {**record, "probability": round(word.confidence, 3)}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(milliseconds: int, decimal_sign: str) -> str:
    """Write a time as hours:minutes:seconds and milliseconds."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_sign}{milliseconds:03}"


def _quote(text: str) -> str:
    """Quote a text as Praat does, doubling quotation marks."""
    return '"' + text.replace('"', '""') + '"'
