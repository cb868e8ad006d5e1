"""Text: from transcripts to token ids and back, and to the files that people read.

In reading order: `lines` (text files and JSON lines), `word_list` (words, one a line), `normalise`
(one spelling for one word), `omissions` (what that takes out of a text), `tokens` (characters and
their ids), `bpe` (pieces of words, by sentencepiece), `tokenizer` (the tokens that a configuration
asks for), `transcript` (what a user gets back), `cues` (its words as subtitles), `formats` (a
transcript as txt, srt, ctm and others) and `markdown` (tables, code, escaping).
"""
