"""Reports: scores, grids and training runs as Markdown and SVG for people.

In reading order: `results` (RESULTS.md: a row per score and all that it depends on),
`error_section` (its errors by speaker, word and utterance), `side_by_side` (a hypothesis aligned
with its reference); `grid_search` (the WER at every pair of two weights), `grid` (the same as a
table and a picture); `learning_curve` (loss and WER by epoch).
"""
