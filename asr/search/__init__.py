"""Search: from what the model says of every frame to the sequences of tokens it may have meant.

In reading order: `hypothesis` (what a search returns), `emission` (what it is given, checked),
`greedy` (the best path), `alignment` (the best path of given tokens, found by `viterbi`), and the
beam search (the best tokens, summed over their paths): `beam` (its settings), `beam_search` (what
is called), `prefix_beam` (the loop over frames), whose `state` has the prefixes in a `prefix_tree`
and what may come next in a `pool`. What it knows beside the emission is a `language`: a `lexicon`,
an `ngram` model, `hotwords`. Its inner functions are `asr.compiled`.

Tensors come in by one door, `emission`; behind it all is numpy, one utterance at a time, so that
no answer depends on a batch.
"""
