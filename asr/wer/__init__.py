"""Scoring: count the errors of hypotheses against references.

In reading order: `alignment` (one hypothesis: its errors, counted and paired), `score` (a subset:
counts of every utterance, totals, speakers, missing hypotheses), `interval` (the bootstrap
confidence interval of a WER), `score_file` (a score and the record of its decoding run, on disk)
and `confusions` (the most frequent errors, the worst utterances).
"""
