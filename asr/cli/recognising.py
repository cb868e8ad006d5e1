"""Recognising a manifest: what `asr decode` and `asr adapt` share."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asr.corpus.utterance import Utterance
    from asr.recognizer import Recognizer
    from asr.text.transcript import Transcript


def recognise(
    recognizer: "Recognizer",
    utterances: "Sequence[Utterance]",
    *,
    must_stop: Callable[[], bool] = lambda: False,
) -> "dict[str, Transcript]":
    """Recognise in order of length, for the least padding; name unreadable audio on stderr.

    Returns:
        Transcripts by id, of the utterances that could be read.

    Raises:
        StoppedError: `must_stop` returned True.
    """
    from tqdm import tqdm

    from asr.errors import AudioError, StoppedError

    transcripts = {}
    by_length = sorted(utterances, key=lambda utterance: utterance.duration or 0.0)
    with tqdm(total=len(utterances), unit="utt", disable=None) as bar:
        for utterance, result in recognizer.transcribe_all(by_length):
            if isinstance(result, AudioError):
                bar.write(f"asr: {utterance.id}: {result}", file=sys.stderr)
            else:
                transcripts[utterance.id] = result
            bar.update()
            if must_stop():
                raise StoppedError("stopped while recognising; the same command starts that again")
    return transcripts


def report_failures(n_utterances: int, n_recognised: int) -> int:
    """Report on stderr how many are missing, if any; return the exit status."""
    n_failed = n_utterances - n_recognised
    if not n_failed:
        return 0
    print(
        f"asr: {n_failed} of {n_utterances} utterances could not be decoded and are missing",
        file=sys.stderr,
    )
    return 1
