"""Scoring: hypotheses against references, by counts.

In reading order:

    alignment     errors of one text, counted and paired, by words or characters
    score         a subset's utterances, each with its counts; totals, speakers, what is missing
    interval      how far the WER could be chance: the bootstrap
    condition     a score with all that it depends on: `score.json`, one utterance a line
    confusions    which words are mistaken for which, and the worst utterances
    report        RESULTS.md from scores
"""
