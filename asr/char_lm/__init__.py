"""A recurrent language model over characters, which rescores n-best lists.

In reading order: `config` is one part per table of the configuration, `characters` turns text into
ids, `network` scores the next character, `scores` adds that up over segments, and `language_model`
is all three and their directory. `streams` cuts a long text into rows, `step` is one update,
`progress` is what a run reports, `loop` trains, and `experiment` makes a model directory of texts
and a configuration. `rescoring` reorders n-best lists, and `sampling` draws text.
"""
