import pytest
import torch
from torch import Tensor

from asr.features.padding import zero_padding
from asr.lengths import subsampled_lengths
from asr.model.config import TIME_STRIDES
from asr.model.subsampling import ConvSubsampling

LENGTHS = torch.tensor([13, 9, 2])


def make(factor: int) -> ConvSubsampling:
    torch.manual_seed(0)
    return ConvSubsampling(10, factor=factor, n_channels=4, size=6)


def plain(layer: ConvSubsampling, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the same with a mask and a rectifier that autograd knows, nothing in place."""
    x = zero_padding(features, lengths)[:, None]
    for convolution, stride in zip(layer.convolutions, layer.strides, strict=True):
        lengths = subsampled_lengths(lengths, stride)
        x = torch.relu(convolution(x)).transpose(1, 2)
        x = zero_padding(x, lengths).transpose(1, 2)
    return layer.norm(layer.projection(x.transpose(1, 2).flatten(2))), lengths


@pytest.mark.parametrize("factor", TIME_STRIDES)
def test_output_and_gradient_are_those_of_masks_and_rectifiers(factor: int) -> None:
    layer, features = make(factor), torch.randn(3, 13, 10, requires_grad=True)
    inputs = [features, *layer.parameters()]
    frames, lengths = layer(features, LENGTHS)
    expected, expected_lengths = plain(layer, features, LENGTHS)
    weights = torch.randn_like(frames)

    gradients = torch.autograd.grad((frames * weights).sum(), inputs)

    assert lengths.tolist() == expected_lengths.tolist()
    assert torch.allclose(frames, expected, atol=1e-6)
    references = torch.autograd.grad((expected * weights).sum(), inputs)
    for gradient, reference in zip(gradients, references, strict=True):
        assert torch.allclose(gradient, reference, atol=1e-5)
