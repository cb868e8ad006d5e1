"""The part of a report that shows what goes wrong on one subset: speakers, words, utterances."""

from collections.abc import Sequence
from itertools import zip_longest

from asr.report.markdown import block, count, percent, table
from asr.report.side_by_side import side_by_side
from asr.wer.confusions import confusions, worst_utterances
from asr.wer.score import Score, UtteranceScore
from asr.wer.score_file import Condition

N_CONFUSIONS = 10
N_WORST = 3


def error_section(conditions: Sequence[Condition]) -> str:
    """Write what goes wrong on a subset: by speaker, by word, and the worst utterances.

    Args:
        conditions: All of the subset, at least one. Words and utterances are shown of the one
            with the lowest WER.
    """
    best = min(conditions, key=lambda condition: condition.score.total.wer)
    parts = [f"### {best.subset}", *_speakers(conditions, best), *_errors(best)]
    return "\n\n".join(parts)


def _speakers(conditions: Sequence[Condition], best: Condition) -> list[str]:
    """Show each speaker's WER under each condition, the worst first; nothing if none is known."""
    by_condition = [condition.score.by_speaker() for condition in conditions]
    speakers = best.score.by_speaker()
    if not speakers:
        return []
    headings = ["speaker", "utterances", "words", *[f"{c.name}, WER %" for c in conditions]]
    rows = [
        [
            speaker,
            count(tally.n_utterances),
            count(tally.words.n_reference),
            *[
                percent(tallies[speaker].wer) if speaker in tallies else "–"
                for tallies in by_condition
            ],
        ]
        for speaker, tally in sorted(speakers.items(), key=lambda item: -item[1].wer)
    ]
    return ["By speaker, the worst first:", table(headings, rows)]


def _errors(best: Condition) -> list[str]:
    """Show the errors of one condition."""
    worst = worst_utterances(best.score, N_WORST)
    if not worst:
        return [f"No errors in what was recognised ({best.name})."]
    return [
        f"The {N_CONFUSIONS} most frequent errors of each kind ({best.name}):",
        _confusions(best.score),
        f"The worst utterances, by errors × WER ({best.name}):",
        *map(_utterance, worst),
    ]


def _confusions(score: Score) -> str:
    """Show the most frequent errors of each kind side by side."""
    found = confusions(score)
    columns = [
        [
            f"{count(n)} × {spoken} → {recognised}"
            for (spoken, recognised), n in found.substitutions
        ],
        [f"{count(n)} × {word}" for word, n in found.deletions],
        [f"{count(n)} × {word}" for word, n in found.insertions],
    ]
    rows = list(zip_longest(*[column[:N_CONFUSIONS] for column in columns], fillvalue=""))
    return table(["substituted", "deleted", "inserted"], rows, n_text=3)


def _utterance(utterance: UtteranceScore) -> str:
    """Show an utterance's alignment below its id and errors."""
    words = utterance.words
    speaker = f", speaker {utterance.speaker}" if utterance.speaker is not None else ""
    return block(
        f"{utterance.id}{speaker}: {words.errors} errors in {words.n_reference} words\n\n"
        f"{side_by_side(utterance.reference, utterance.hypothesis or '')}"
    )
