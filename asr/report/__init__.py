"""Reports: scores, grids and training runs as Markdown, JSON, HTML and SVG for people.

In reading order: `summary` (the figures of each score and all that they depend on), from which
`results` writes Markdown with `error_section` (errors by speaker, word and utterance) and
`side_by_side` (a hypothesis aligned with its reference), `numbers` writes JSON, `picture` an SVG
file, and `page` HTML.

The page's parts: `material` (what is known about the utterances besides their texts), `breakdown`
(error rates of parts of a subset), `acoustics` (level and noise), `figures` (all in pictures),
`closer_look` with `spectrogram` (some utterances in full), `listing` (all of them, packed).

Beside them: `grid_search` (the WER at every combination of a search's weights), `grid` (the same as
a table and a picture), `learning_curve` (loss and WER by epoch).
"""
