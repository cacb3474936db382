#!/usr/bin/env python3
"""Writes tests/golden/cnn/layers.json: what PyTorch makes of small convolutional networks, in double.

Usage: python3 scripts/golden_cnn.py [FILE]     (Debian: python3-torch; written with PyTorch 1.13.1)

Of every network: the outputs in training, the gradients of <gradient, outputs> with respect to all parameters, the
running statistics after that pass, and the outputs in evaluation after it. Inputs, parameters and the outer
gradient are waves that the test computes again: number i of wave p is sin(p + 1.7 i + 0.01 i^2).
"""
import json
import math
import pathlib
import sys

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Gate(nn.Module):
    def __init__(self, channels, inner):
        super().__init__()
        self.first = nn.Linear(channels, inner)
        self.second = nn.Linear(inner, channels)

    def forward(self, x):
        gate = self.second(nn.functional.silu(self.first(x.mean((2, 3)))))
        return x * torch.sigmoid(gate)[:, :, None, None]


def convolution(*sizes, **options):
    return nn.Conv2d(*sizes, **options)


def networks():
    """Name, network, size of the input with the samples first. A pool or an activation has a convolution before it, so
    that its way back shows in parameters."""
    yield "convolution", convolution(3, 4, 3), (2, 3, 6, 5)
    yield "convolution_padded", convolution(2, 3, 5, padding=2), (3, 2, 7, 5)
    yield "convolution_chained", nn.Sequential(
        convolution(2, 3, 2), convolution(3, 2, (3, 2), stride=(2, 3), padding=(2, 1), dilation=(1, 2)),
        convolution(2, 2, 3, padding=1, groups=2)), (2, 2, 7, 6)
    yield "convolution_strided", convolution(2, 3, 3, stride=2, padding=1), (2, 2, 7, 8)
    yield "convolution_dilated", convolution(2, 3, 3, padding=2, dilation=2), (2, 2, 7, 6)
    yield "convolution_uneven", convolution(2, 3, (1, 4), stride=(3, 2), padding=(0, 3), dilation=(1, 2)), (1, 2, 7, 9)
    yield "convolution_without_bias", convolution(2, 5, 1, stride=2, bias=False), (2, 2, 5, 5)
    yield "convolution_in_groups", convolution(4, 6, 3, padding=1, groups=2), (2, 4, 4, 5)
    yield "depthwise", convolution(3, 3, 3, stride=2, padding=1, groups=3), (2, 3, 5, 6)
    yield "batch_normalization", nn.BatchNorm2d(3), (4, 3, 3, 2)
    yield "batch_normalization_flat", nn.Sequential(nn.BatchNorm2d(3, momentum=0.3, eps=1e-3), nn.Flatten(),
                                                    nn.BatchNorm1d(6)), (5, 3, 1, 2)
    for name, layer in (("relu", nn.ReLU()), ("silu", nn.SiLU()), ("max_pool", nn.MaxPool2d(2)),
                        ("max_pool_overlapping", nn.MaxPool2d(3, stride=2, padding=1)),
                        ("average_pool", nn.AvgPool2d(2)),
                        ("average_pool_overlapping", nn.AvgPool2d((3, 2), stride=(1, 2), padding=1)),
                        ("global_average_pool", nn.AdaptiveAvgPool2d(1))):
        yield name, nn.Sequential(convolution(2, 3, 3, padding=1), layer), (2, 2, 5, 6)
    yield "linear", nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), (3, 2, 2, 3)
    yield "residual", Residual(convolution(3, 3, 3, padding=1)), (2, 3, 4, 4)
    yield "residual_projected", Residual(
        nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), convolution(2, 4, 3, stride=2, padding=1, bias=False)),
        convolution(2, 4, 1, stride=2, bias=False)), (3, 2, 5, 5)
    yield "channel_gate", Gate(4, 2), (2, 4, 3, 3)
    yield "lenet", nn.Sequential(
        convolution(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), convolution(4, 6, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(24, 7), nn.ReLU(), nn.Linear(7, 3)), (4, 1, 8, 8)
    yield "mobile", nn.Sequential(
        convolution(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.SiLU(),
        Residual(nn.Sequential(
            convolution(4, 8, 1, bias=False), nn.BatchNorm2d(8), nn.SiLU(),
            convolution(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.SiLU(), Gate(8, 2),
            convolution(8, 4, 1, bias=False), nn.BatchNorm2d(4))),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), (3, 2, 5, 5)


def wave(phase, count):
    return torch.tensor([math.sin(phase + 1.7 * i + 0.01 * i * i) for i in range(count)])


def numbers(tensors):
    return [float(f"{x:.15g}") for t in tensors for x in t.detach().flatten().tolist()]


def case(name, network, size):
    with torch.no_grad():
        count = 0
        for p in network.parameters():
            p.copy_(wave(2.0 + count, p.numel()).reshape(p.shape))
            count += p.numel()
    x = wave(1.0, math.prod(size)).reshape(size)
    y = network(x)
    if count > 0:
        y.backward(wave(3.0, y.numel()).reshape(y.shape))
    statistics = [t for m in network.modules() if hasattr(m, "running_mean")
                  for t in (m.running_mean, m.running_var)]
    result = {
        "name": name,
        "input": list(size),
        "output": numbers([y]),
        "parameter_gradients": numbers(p.grad for p in network.parameters()),
        "statistics": numbers(statistics),
    }
    network.eval()
    result["evaluated"] = numbers([network(x)])
    return result


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "cnn" / "layers.json"
    file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    file.parent.mkdir(parents=True, exist_ok=True)
    cases = [json.dumps(case(*network)) for network in networks()]
    temporary = file.with_suffix(".part")
    temporary.write_text("[\n" + ",\n".join(cases) + "\n]\n")
    temporary.replace(file)


if __name__ == "__main__":
    main()
