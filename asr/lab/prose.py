"""Prose: the explanations of the page, and a model's memory in one sentence."""

from asr.lab.curve import Curve
from asr.lab.measurement import Memory
from asr.model.config import ModelConfig

LEVEL = 0.01  # relative norm down to which a gradient counts


def describe_network(config: ModelConfig) -> str:
    """Describe a network briefly, as in `2 × 172 LSTM, two directions`."""
    directions = "two directions" if config.bidirectional else "one direction"
    return f"{config.n_layers} × {config.size} {config.cell.upper()}, {directions}"


def summary(memory: Memory) -> str:
    """Sum up in one sentence how far the gradient of a model reaches."""
    after, before = (
        "{} s back and {} s ahead".format(*reach(curve))
        for curve in (memory.trained, memory.untrained)
    )
    return (
        f"half of the gradient lies within {memory.trained.half:.2f} s; "
        f"1 % reaches {after} (before training {before})"
    )


def reach(curve: Curve) -> tuple[str, str]:
    """Write how many seconds 1 % reaches back and ahead; `+` where the measurement ends first."""
    back, ahead = (
        f"{seconds:.2f}{'+' * is_beyond}"
        for seconds, is_beyond in zip(curve.reach(LEVEL), curve.is_beyond(LEVEL), strict=True)
    )
    return back, ahead


UNDER_THE_TABLE = """\
<p>Half within: seconds to either side of an output frame that hold half of its gradient, summed
over the input. 1 % back and ahead: the farthest input that still has a hundredth of the gradient
of the input right under the frame; a + means that it has more where the measurement ends. Arrows
lead from before training to after it. WER and CER are those of this speech with the search named
below.</p>"""

HOW_TO_READ = """\
<p>Take one moment of a network’s output, and ask of each stretch of its input: if this were
nudged a little, how far would the output move? The answer is a derivative. The picture shows its
size by the distance between the two, relative to that of the input right under the output frame.
To the left is the past, to the right the future, of which a network that reads in one direction
sees only the frames that it reads at once. The scale is logarithmic: where a curve falls along a
straight line, every step forgets the same fraction.</p>
<p>(The size is the Frobenius norm of the derivative of all tokens’ log-probabilities by all
features under the output frame at that distance: the root mean square over output frames and
utterances.)</p>"""

WHY_IT_FADES = """\
<p>A plain recurrent layer makes each state from the one before,
<i>h<sub>t</sub></i> = tanh(<i>W h</i><sub><i>t</i>−1</sub> + <i>U x<sub>t</sub></i> + <i>b</i>).
A nudge of the state <i>k</i> steps ago arrives here multiplied by <i>k</i> matrices, one per step:
each is <i>W</i>, its rows scaled by the slopes of tanh, which are at most 1. Where a step shrinks
what passes through it, <i>k</i> steps shrink it exponentially, and the gradient <b>vanishes</b>;
where a step stretches it, the gradient <b>explodes</b>. There is no stable middle: a hundred
factors of 0.9 make 0.00003, and a hundred of 1.1 make 14 000.</p>
<p>Hochreiter (1991) found that this keeps recurrent networks from learning over long times.
Bengio, Simard and Frasconi (1994) showed that it is no accident: to keep a piece of information
safe from noise, the state must stay where the network draws neighbouring states together, and
there gradients vanish. Pascanu, Mikolov and Bengio (2013) show when each of the two happens, and
what helps against one of them: a gradient that is too long is <b>clipped</b>, scaled down to a
fixed norm before the weights are changed. That keeps an explosion from derailing training. It
does not bring back what has vanished.</p>"""

ONE_FACTOR = """\
<p>Here is one network, with the random weights that training started from, on the same speech.
Only the weights from one state to the next are multiplied by a factor, and a network that forgets
becomes one that explodes. The flat ends of tanh, whose slope is zero, limit an explosion: where
states are driven there, even large weights let nothing through.</p>"""

WHAT_GATES_DO = """\
<p>An LSTM keeps a second memory, the cell, and changes it by adding:
<i>c<sub>t</sub></i> = <i>f<sub>t</sub> c</i><sub><i>t</i>−1</sub> + <i>i<sub>t</sub>
g<sub>t</sub></i>. Along this path one step multiplies a gradient only by the gate
<i>f<sub>t</sub></i>, a number between 0 and 1 for each unit, which the network sets anew at every
step: as long as it stays open, the content of the cell stays, and so does the gradient (Hochreiter
and Schmidhuber, 1997; Gers, Schmidhuber and Cummins, 2000). A GRU mixes its old state and its new
one with a single gate, to the same effect (Cho and others, 2014).</p>
<p>A gate alone is not yet a memory. With random weights it is half open: an untrained LSTM loses
about half of its cell with every step, and its curve falls along a straight line, too. Gates
change what training can make of it: compare the curves before and after.</p>"""

WHAT_CONTEXT_IS_WORTH = """\
<p>A gradient tells what the output depends on, not whether that helps. So take speech away: each
output frame is computed from its own window, which ends so many seconds to either side, and the
network starts anew at the window’s edges. Only that one frame of the output is kept. (Features are
normalised over the whole utterance as always, and the search reads the whole output.) Where a curve
turns flat, the rest of the utterance no longer helps. A network trained on whole utterances has not
learned to start in the middle of one, which causes part of the errors at the left.</p>"""

REFERENCES = """\
<ul>
<li>S. Hochreiter: Untersuchungen zu dynamischen neuronalen Netzen. Diploma thesis, Technische
Universität München, 1991.</li>
<li>Y. Bengio, P. Simard, P. Frasconi: Learning long-term dependencies with gradient descent is
difficult. IEEE Transactions on Neural Networks 5 (2), 1994.</li>
<li>S. Hochreiter, J. Schmidhuber: Long short-term memory. Neural Computation 9 (8), 1997.</li>
<li>F. Gers, J. Schmidhuber, F. Cummins: Learning to forget: continual prediction with LSTM.
Neural Computation 12 (10), 2000.</li>
<li>R. Pascanu, T. Mikolov, Y. Bengio: On the difficulty of training recurrent neural networks.
ICML 2013.</li>
<li>K. Cho and others: Learning phrase representations using RNN encoder–decoder for statistical
machine translation. EMNLP 2014.</li>
</ul>"""
