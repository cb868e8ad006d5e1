"""Error section: the errors of one subset by speaker, by word and by utterance."""

from collections.abc import Sequence
from itertools import zip_longest

from asr.report.side_by_side import side_by_side
from asr.text.markdown import block, count, escape, percent, table, visible
from asr.wer.confusions import confusions, worst_utterances
from asr.wer.score import Score, UtteranceScore
from asr.wer.score_file import ScoreFile

N_CONFUSIONS = 10
N_WORST = 3


def error_section(scores: Sequence[ScoreFile]) -> str:
    """Write the errors of a subset: WER by speaker, frequent errors, the worst utterances.

    Args:
        scores: All of the subset, at least one. Words and utterances are those of the one with the
            lowest WER.
    """
    best = min(scores, key=lambda score_file: score_file.score.total.wer)
    parts = [f"### {escape(best.subset)}", *_speakers(scores, best), *_errors(best)]
    return "\n\n".join(parts)


def _speakers(scores: Sequence[ScoreFile], best: ScoreFile) -> list[str]:
    """Show each speaker's WER under each condition; nothing if no speaker is known."""
    by_condition = [score_file.score.by_speaker() for score_file in scores]
    speakers = best.score.by_speaker()
    if not speakers:
        return []
    headings = ["speaker", "utterances", "words", *[s.condition for s in scores]]
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


def _errors(best: ScoreFile) -> list[str]:
    worst = worst_utterances(best.score, N_WORST)
    condition = escape(best.condition)
    if not worst:
        return [f"No errors in the recognised utterances ({condition})."]
    return [
        f"The {N_CONFUSIONS} most frequent errors of each kind under the best condition "
        f"({condition}):",
        _confusions(best.score),
        "Its worst utterances, by errors × WER:",
        *[_utterance(utterance, best.score.has_markup) for utterance in worst],
    ]


def _confusions(score: Score) -> str:
    found = confusions(score)
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
        f"{visible(utterance.id + speaker)}: {words.errors} errors in {words.n_reference} words\n\n"
        f"{side_by_side(utterance.reference, utterance.hypothesis or '', has_markup=has_markup)}"
    )
