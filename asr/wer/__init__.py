"""Scoring: count the errors of hypotheses against references.

In reading order: `alignment` (one hypothesis: its errors, counted and paired, by `network`, the
words of a text, and `trellis`, the cheapest alignment of two), `score` (a subset: counts of every
utterance, totals, speakers, missing hypotheses), `interval` (bootstrap confidence intervals),
`score_file` (a score and the record of its decoding run, on disk) and `confusions` (the most
frequent errors, the worst utterances).
"""
