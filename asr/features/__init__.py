"""From waveforms to what the model sees.

Read in this order:

- `config`: the choices, the table `[features]`;
- `padding`: sequences of unequal length in one tensor;
- `fbank`: log-mel filter bank energies, by Kaldi's definition;
- `mfcc`: cepstra of them;
- `deltas`: their derivatives over time;
- `cmvn`: normalisation over the corpus or over an utterance;
- `window_cmvn`: normalisation over a few seconds, whatever the level and the context;
- `front_end`: all of it as one module.
"""
