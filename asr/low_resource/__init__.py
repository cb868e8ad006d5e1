"""Learning from little: a model adapts to recordings that nobody has transcribed.

`pseudo_labels` turns what a model recognised into utterances to learn from, and `adaptation`
recognises, trains on that, and writes the adapted model.
"""
