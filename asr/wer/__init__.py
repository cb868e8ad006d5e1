"""Scoring: hypotheses against references, by counts.

In reading order: `alignment` (errors of one text, counted and paired), `score` (a subset: counts of
every utterance, totals, speakers, what is missing), `interval` (how far a WER could be chance),
`condition` (a score with all that it depends on, and its file), `confusions` (what goes wrong),
`side_by_side` (a reference above its hypothesis), `markdown`, `error_section` and `report`
(RESULTS.md); `surface` (the WER over two weights).
"""
