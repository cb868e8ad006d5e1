"""From a corpus to weights.

Read in this order:

- `config`: the tables `[train]`, `[optimiser]` and `[objective]`;
- `ranks`: the processes that train together;
- `data`: batches of features and tokens;
- `objective`: the loss that an update minimises;
- `shards`: the threads that share a batch;
- `precision`: bfloat16, if the processor has it;
- `step`: one update;
- `optimiser`: how far it goes;
- `validation`: loss and greedy WER of the dev set;
- `state`: the counters of a run;
- `run`: saves a run and resumes it;
- `origin`: what must be the same when it is resumed;
- `progress`: what a run reports;
- `loop`: all of it in order;
- `priors`: each token's share of the speech;
- `allocator`: keeps the memory that a step frees for the next one.
"""
