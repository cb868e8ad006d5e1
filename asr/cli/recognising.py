"""Recognising the utterances of a manifest, with a bar and the names of those that failed."""

import sys
from collections.abc import Callable, Iterable, Sequence

from tqdm import tqdm

from asr.cli.messages import tell
from asr.corpus.utterance import Utterance
from asr.errors import AsrError, StoppedError, counted
from asr.recognizer import Recognizer
from asr.text.markdown import visible
from asr.text.transcript import Transcript


def recognise(
    recognizer: Recognizer,
    utterances: Sequence[Utterance],
    *,
    must_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Transcript]:
    """Recognise the shortest first, with a bar; name unreadable audio on stderr.

    Returns:
        Transcripts by id, of the utterances that could be read.

    Raises:
        StoppedError: `must_stop` returned True.
    """
    results = recognizer.transcribe_all(by_duration(utterances))
    return collect(results, len(utterances), must_stop=must_stop)


def by_duration(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Sort utterances by duration, so that batches have the least padding."""
    return sorted(utterances, key=lambda utterance: utterance.duration or 0.0)


def collect(
    results: Iterable[tuple[Utterance, Transcript | AsrError]],
    n_utterances: int,
    *,
    must_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Transcript]:
    """Collect transcripts by id, with a bar; name on stderr the utterances without one.

    Raises:
        StoppedError: `must_stop` returned True.
    """
    transcripts = {}
    with tqdm(results, total=n_utterances, unit="utt", disable=None) as bar:
        for utterance, result in bar:
            if isinstance(result, AsrError):
                bar.write(visible(f"asr: {utterance.id}: {result}"), file=sys.stderr)
            else:
                transcripts[utterance.id] = result
            if must_stop():
                raise StoppedError("stopped while recognising; the same command starts that again")
    return transcripts


def report_failures(n_utterances: int, n_recognised: int) -> int:
    """Report on stderr how many are missing, if any; return the exit status."""
    n_failed = n_utterances - n_recognised
    if not n_failed:
        return 0
    tell(f"{n_failed:,} of {counted(n_utterances, 'utterance')} could not be decoded")
    return 1
