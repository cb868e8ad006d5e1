"""From features to log-probabilities of tokens.

`subsampling` shortens the frames, `asr.model.recurrent` reads them in both directions, `acoustic` puts
the two and a projection together, `ctc` is the loss that trains them, which `forward_backward`
computes on a CPU; `denominator` lets token sequences compete as wholes, which `all_sequences` sums.
`sensitivity` and `window` ask what such a network remembers: by its gradient, and by taking away.
"""
