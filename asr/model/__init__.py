"""From features to log-probabilities of tokens, and their losses.

Read in this order:

- `config`: the shape of the network, the table `[model]`;
- `subsampling`: fewer, richer frames;
- `recurrent`: layers that read them in one or both directions;
- `partner`: two threads compute such a layer together;
- `acoustic`: the network: both of these and a head for each kind of tokens;
- `ctc`: the loss that trains it;
- `forward_backward`: that loss on a CPU, for one utterance;
- `exponents`: its numbers beyond the range of a float;
- `dense_trigram`: how probable each token is after any two others;
- `denominator`: what CTC-CRF adds to the loss: all token sequences compete;
- `crf_lattice`: that sum, for one utterance;
- `known_gradient`: how both join torch's autograd.
"""
