"""Error section: the errors of one subset by speaker, by word and by utterance."""

from collections.abc import Sequence
from itertools import zip_longest

from asr.errors import counted
from asr.report.side_by_side import side_by_side
from asr.report.summary import Summary
from asr.text.markdown import block, count, escape, percent, table, visible
from asr.wer.confusions import alignments, confusions, worst_utterances
from asr.wer.score import Score, UtteranceScore

N_CONFUSIONS = 10
N_WORST = 3


def error_section(summaries: Sequence[Summary]) -> str:
    """Write the errors of a subset: WER by speaker, frequent errors, the worst utterances.

    Args:
        summaries: All of the subset, at least one. Words and utterances are those of the one with
            the lowest WER.
    """
    best = min(summaries, key=lambda summary: summary.total.wer)
    parts = [f"### {escape(best.score_file.subset)}", *_speakers(summaries, best), *_errors(best)]
    return "\n\n".join(parts)


def _speakers(summaries: Sequence[Summary], best: Summary) -> list[str]:
    """Show each speaker's WER under each condition; nothing if no speaker is known."""
    by_condition = [summary.score_file.score.by_speaker() for summary in summaries]
    speakers = best.score_file.score.by_speaker()
    if not speakers:
        return []
    headings = ["speaker", "utterances", "words", *[summary.key for summary in summaries]]
    rows = [
        [
            speaker,
            count(tally.n_utterances),
            count(tally.words.n_reference),
            *[percent(t[speaker].wer) if speaker in t else "–" for t in by_condition],
        ]
        for speaker, tally in sorted(speakers.items(), key=lambda item: -item[1].wer)
    ]
    return ["WER % by speaker, the worst first:", table(headings, rows)]


def _errors(best: Summary) -> list[str]:
    score = best.score_file.score
    worst = worst_utterances(score, N_WORST)
    if not worst:
        return [f"No errors in the recognised utterances of {best.key}."]
    return [
        f"The {N_CONFUSIONS} most frequent errors of each kind under {best.key}, the best "
        "condition:",
        _confusions(score),
        "Its worst utterances, by errors × WER:",
        *[_utterance(utterance, score.has_markup) for utterance in worst],
    ]


def _confusions(score: Score) -> str:
    found = confusions(score, alignments(score))
    columns = [
        [f"{count(n)} × {word} → {other}" for (word, other), n in found.substitutions],
        [f"{count(n)} × {word}" for word, n in found.deletions],
        [f"{count(n)} × {word}" for word, n in found.insertions],
    ]
    rows = list(zip_longest(*[column[:N_CONFUSIONS] for column in columns], fillvalue=""))
    return table(["substituted", "deleted", "inserted"], rows, n_text=3)


def _utterance(utterance: UtteranceScore, has_markup: bool) -> str:
    words = utterance.words
    speaker = f", speaker {utterance.speaker}" if utterance.speaker is not None else ""
    return block(
        f"{visible(utterance.id + speaker)}: {counted(words.errors, 'error')} in "
        f"{counted(words.n_reference, 'word')}\n\n"
        f"{side_by_side(utterance.reference, utterance.hypothesis or '', has_markup=has_markup)}"
    )
