"""From a corpus to weights.

In reading order: `config` (its settings), `ranks` (the processes that train together), `data`
(batches of features and tokens), `objective` (the loss that an update minimises), `shards` (the
threads that share a batch), `step` (one update), `optimiser` (how far it goes), `validation` (loss
and greedy WER of the dev set), `state` (the counters of a run), `run` (saves a run and resumes it),
`origin` (what must be the same then),
`loop` (puts them in order), `progress` (what a run reports), `priors` (each token's share of the
speech), `allocator` (keeps the memory that a step frees for the next one), `precision` (bfloat16,
if the processor has it).
"""
