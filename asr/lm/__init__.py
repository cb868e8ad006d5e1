"""Language models: how probable a word is after others, learned from text.

In reading order: `segments` (text files), `vocabulary` (words and their ids), `text` (segments as
ids); `levels` (the n-grams of each order, as arrays) and `counts` (those of a text); `ngram` (a
model, as flat arrays), `backoff` (its probabilities, in compiled code); `kneser_ney` (from counts
to a model) and `pruning` (to a smaller one); `arpa` (a model as text), `arpa_reader` and
`assembly` (text by any tool as a model), `soundness` (what compiled code relies on), `array_file`
(arrays as a file), `compact` (a model in a fifth of the bytes), `binary` (either as a file) and
`files` (text or binary, by the file's content); `perplexity` (how well a model predicts a text).

The inner loops are compiled (`asr.compiled`).
"""
