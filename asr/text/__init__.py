"""Text: from transcripts to token ids and back, and to the files that a person reads.

In reading order: `normalise` (one spelling for one word), `tokens` (characters and their ids),
`bpe` (pieces of words, by sentencepiece), `tokenizer` (which of the two a configuration asks for),
`lines` (files that a person writes),
`pronunciations` (how a lexicon says words, and texts in its phones),
`transcript` (what a user gets back) and `formats` (the same as txt, srt, ctm and others).
"""
