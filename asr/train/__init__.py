"""From a corpus to weights.

`optimiser` says how far each step goes, `step` is one update, `validation` is greedy WER on the dev
set, `state` is what a resumed run needs, `loop` puts them in order, `progress` is what a run reports.
"""
