"""Language models: how probable a word is behind others, learned from text.

In reading order: `segments` (text files), `vocabulary` (words and their ids), `text` (segments as
ids); `levels` (the n-grams of each order, as arrays) and `counts` (found in a text); `ngram` (the
model, flat arrays), `kneser_ney` (from counts to a model) and `pruning` (to a smaller one);
`arpa` (the model as text), `arpa_reader` and `assembly` (text of any tool as a model), `binary`
(the arrays as a file) and `files` (one of these by a file's name); `perplexity` (how well a
model predicts a text).

The recurrent model over characters: `characters` (their ids), `character_model` (the network),
`character_scores` (how probable a text is) and `sampling` (text that the model writes).

A trigram over phones, for training an acoustic model: `dense_trigram`.

N-grams are numpy. Word ids, nodes and natural logs are what other parts need to know.
"""
