"""Search: from what the model says of every frame to the sequences of tokens it may have meant.

In reading order: `hypothesis` (what a search returns), `emission` (what it is given, checked),
`greedy` (the best path), `alignment` (the best path of given tokens) and `prefix_beam` (the best
tokens, summed over their paths), which keeps its prefixes in a `prefix_tree`.

Tensors come in by one door, `emission`; behind it all is numpy, one utterance at a time, so that
no answer depends on a batch.
"""
