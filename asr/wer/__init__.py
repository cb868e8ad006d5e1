"""Scoring: count the errors of hypotheses against references.

In reading order: `alignment` (the errors of a hypothesis, counted, or paired with the words of its
reference; below it, `network` turns texts into arrays, and `trellis` finds the cheapest alignment
of two), `texts` (references and hypotheses from files of this and other tools; `nist` reads NIST's
formats, `glm` its spelling rules), `score` (a subset: counts of every utterance, totals, speakers,
missing hypotheses), `interval` (bootstrap confidence intervals), `significance` (whether one system
is better than another), `score_file` (a score and the record of its decoding run, on disk) and
`confusions` (the most frequent errors, the worst utterances).
"""
