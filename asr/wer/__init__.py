"""Scoring: count the errors of hypotheses against references.

In reading order: `alignment` (one hypothesis: its errors, counted and paired, by `network`, the
words of a text, and `trellis`, the cheapest alignment of two), `texts` (references and hypotheses
of this and other tools; `nist` has NIST's formats, `glm` its spelling rules), `score` (a subset:
counts of every utterance, totals, speakers, missing hypotheses), `interval` (bootstrap confidence
intervals), `significance` (whether one system is better than another), `score_file` (a score and
the record of its decoding run, on disk) and `confusions` (the most frequent errors, the worst
utterances).
"""
