"""Search: from log probabilities of tokens in frames to tokens, and to words.

In reading order: `hypothesis` (what a search returns), `emission` (what it gets, checked),
`greedy` (the most probable alignment), `alignment` (that of given tokens, found by `viterbi`), and
the beam search, which sums over alignments: `beam` (its settings), `beam_search` (what is called),
`prefix_beam` (the loop over frames). Its `state` has the prefixes, in a `prefix_tree`, and the
candidates for the next beam, in a `pool`, as arrays of `records`. Its `language` is a `lexicon`, an
n-gram model and `hotwords`; `fusion` reads these from files, `agreement` refuses those that are
spelled otherwise, and `kept_fusion` finds what was made of the same files before. Sentences are
searched one by one, with an end at each of the `pauses`. A recording that arrives in pieces is
searched by `running` (greedily) and `running_beam`. `words` turns hypotheses into a transcript.

All is numpy, one utterance at a time, so that no result depends on a batch. The inner loops are
compiled (`asr.compiled`).
"""
