"""Listing: the utterances of folders and lists in any form, before a recording is opened."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from asr.audio.source import find_recordings
from asr.corpus.foreign_list import JSON_LINES, TABLES, read_foreign_list
from asr.corpus.librispeech import list_librispeech
from asr.corpus.utterance import CorpusReport, Problem, Segment, Utterance
from asr.errors import DataError
from asr.text.lines import read_text


def list_corpora(sources: Sequence[Path]) -> CorpusReport:
    """List the utterances of corpora, each with an id, and their problems.

    Args:
        sources: Each a folder in LibriSpeech's layout; or a folder of recordings, each with its
            text in a file of the same name that ends in .txt; or a list, see `read_foreign_list`.

    Raises:
        DataError: One of them is missing, in no known form, or damaged.
    """
    listed = [_list_corpus(source) for source in sources]
    return CorpusReport(
        tuple(_with_ids([utterance for one in listed for utterance in one.utterances])),
        tuple(problem for one in listed for problem in one.problems),
    )


def _list_corpus(source: Path) -> CorpusReport:
    if not source.exists():
        raise DataError(
            f"{source}: no such file or folder; name a subset, such as LibriSpeech/dev-clean, "
            "a folder of recordings, or a list of them"
        )
    if not source.is_dir():
        if source.suffix.lower() in (*TABLES, *JSON_LINES):
            return read_foreign_list(source)
        endings = ", ".join((*TABLES, *JSON_LINES))
        raise DataError(f"{source}: expected a folder, or a list that ends in {endings}")
    if next(source.rglob("*.trans.txt"), None):
        return list_librispeech(source)
    return _list_folder(source)


def _list_folder(folder: Path) -> CorpusReport:
    """List recordings, however deep, with the texts beside them; if no text is there, without."""
    recordings = sorted(find_recordings(folder))
    if not recordings:
        raise DataError(
            f"{folder}: has no recordings; expected audio with a text in .txt beside each, or "
            "<speaker>/<chapter>/*.trans.txt as in LibriSpeech/dev-clean"
        )
    has_texts = any(recording.with_suffix(".txt").exists() for recording in recordings)
    return CorpusReport.of(
        _with_text_beside(recording) if has_texts else Utterance("", recording)
        for recording in recordings
    )


def _with_text_beside(recording: Path) -> Utterance | Problem:
    path = recording.with_suffix(".txt")
    if not path.exists():
        return Problem(str(recording), f"there is no {path.name} beside it")
    try:
        return Utterance("", recording, text=" ".join(read_text(path).split()))
    except DataError as error:
        return Problem(str(recording), str(error))


def _with_ids(utterances: Sequence[Utterance]) -> Iterator[Utterance]:
    """Give those without an id the end of their path, as much of it as tells recordings apart.

    Segments of one recording are numbered; copies of one share its number.
    """
    unnamed = [utterance for utterance in utterances if not utterance.id]
    name_of = distinct_names({utterance.audio_filepath for utterance in unnamed})
    numbers = defaultdict[Path | str, dict[Segment, int]](dict)
    for utterance in unnamed:
        own = numbers[utterance.audio_filepath]
        own.setdefault(utterance.segment, len(own) + 1)
    for utterance in utterances:
        path = utterance.audio_filepath
        if utterance.id:
            yield utterance
            continue
        number = f"#{numbers[path][utterance.segment]}" if len(numbers[path]) > 1 else ""
        yield replace(utterance, id=name_of[path] + number)


def distinct_names(sources: Collection[Path | str]) -> dict[Path | str, str]:
    """Name recordings by as few last parts of their paths, or URLs, as tell them apart.

    They have no endings, and none of what follows a `?` in a URL, unless they must.
    """
    n_most = max((1, *(len(Path(source).parts) for source in sources)))
    longer = product((False, True), (False, True), range(1, n_most + 1))
    for with_query, with_ending, n_parts in longer:
        names = {}
        for source in sources:
            if isinstance(source, str) and not with_query:
                path = Path(source.partition("?")[0])
            else:
                path = Path(source)
            whole = path if with_ending or not path.name else path.with_suffix("")
            names[source] = "/".join(whole.parts[-n_parts:]) or "."
        if len(set(names.values())) == len(names):
            break
    return names
