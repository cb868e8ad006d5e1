"""From a corpus to weights.

In reading order: `config` is what the configuration says of it, `ranks` are the processes that
train together, `data` makes batches of features and tokens, `objective` is what an update
minimises, `step` is one update, `optimiser` says how far it goes, `validation` is loss and greedy
WER on the dev set, `state` is what a resumed run needs, `run` saves it in time, `loop` puts them in
order, `progress` is what a run reports, `priors` are how much of the speech each token takes in the
end. `allocator` keeps the memory that a step frees for the next one, and `precision` tells whether
the processor has the numbers that a configuration asks for.
"""
