"""Writes the TorchScript module that tests/adapters/torch/torch_test.cpp trains: a model defined in Python, with a branch.

Usage: python3 scripts/torchscript_model.py [FILE]     (Debian: python3-torch; written with PyTorch 1.13)
"""
import sys

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 8)
        self.scale = nn.BatchNorm1d(8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        h = self.scale(self.hidden(x))
        if x.dim() == 2 and bool(x.shape[0] > 1):
            h = torch.relu(h)
        return self.out(h)


torch.manual_seed(1)
torch.jit.script(Model()).save(sys.argv[1] if len(sys.argv) > 1 else "tests/adapters/torch/model.pt")
