#!/usr/bin/env python3
"""Weights between PyTorch and gal, in both directions (Debian: python3-torch; written with PyTorch 1.13).

Usage: python3 tests/safetensors/torch_files.py write [DIRECTORY]   what tests/safetensors_test.cpp reads
       python3 tests/safetensors/torch_files.py check DIRECTORY     what that test wrote there

`write` trains two networks for a few steps and writes their weights to NAME.safetensors, and inputs and outputs in
evaluation to expected.json. `check` loads the files that gal wrote into the same networks, every name and shape
demanded, and compares the outputs with those that gal computed. The format is read and written here from its
description, https://github.com/huggingface/safetensors: no module for it is needed.
"""
import json
import math
import pathlib
import struct
import sys

import numpy
import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent
TYPES = {torch.float32: ("F32", 4), torch.float64: ("F64", 8), torch.int64: ("I64", 8)}
READ = {"F32": numpy.float32, "F64": numpy.float64, "I64": numpy.int64, "U64": numpy.uint64}


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Gate(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x * self.body(x)[:, :, None, None]


def networks():
    """Name, network in its type, size of the input with the samples first."""
    yield "mlp", nn.Sequential(
        nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)).float(), (6, 3)
    yield "cnn", nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
        Residual(nn.Sequential(nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2), nn.SiLU()),
                 nn.Sequential(nn.Conv2d(4, 6, (1, 2), stride=2, padding=(0, 1)))),
        nn.Conv2d(6, 6, 3, padding=1, groups=6), nn.BatchNorm2d(6),
        Gate(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3), nn.SiLU(), nn.Linear(3, 6),
                           nn.Sigmoid())),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24, 3, bias=False)).double(), (5, 2, 7, 8)


def wave(phase, size, kind):
    values = [math.sin(phase + 1.7 * i + 0.01 * i * i) for i in range(math.prod(size))]
    return torch.tensor(values, dtype=torch.float64).to(kind).reshape(size)


def write_safetensors(path, tensors):
    order = {"F32": 0, "F64": 1, "I64": 2}
    names = sorted(tensors, key=lambda name: (-order[TYPES[tensors[name].dtype][0]], name))
    header = {"__metadata__": {"format": "pt"}}
    data = b""
    for name in names:
        tensor = tensors[name].detach().contiguous()
        raw = tensor.numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype][0], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    data = raw[8 + length:]
    header.pop("__metadata__", None)
    result = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], dtype=READ[entry["dtype"]])
        result[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return result


def write(directory):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    cases = {}
    for name, network, size in networks():
        kind = next(network.parameters()).dtype
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
        for step in range(5):  # so that the running statistics are not what they begin with
            optimizer.zero_grad()
            y = network(wave(step, size, kind) + 0.3 * step)
            (y - 0.5).square().mean().backward()
            optimizer.step()
        network.eval()
        x = wave(9.0, size, kind)
        write_safetensors(directory / f"{name}.safetensors", network.state_dict())
        cases[name] = {"input": x.flatten().tolist(), "output": network(x).flatten().tolist()}
    (directory / "expected.json").write_text(json.dumps(cases) + "\n")


def check(directory):
    cases = json.loads((directory / "gal_outputs.json").read_text())
    for name, network, size in networks():
        kind = next(network.parameters()).dtype
        network.load_state_dict(read_safetensors(directory / f"gal_{name}.safetensors"), strict=True)
        network.eval()
        y = network(wave(9.0, size, kind)).flatten().double()
        difference = (y - torch.tensor(cases[name], dtype=torch.float64)).abs().max().item()
        limit = 1e-12 if kind == torch.float64 else 1e-5
        print(f"{name}: {len(network.state_dict())} tensors, largest difference of the outputs {difference:.2e}")
        if not difference <= limit:
            sys.exit(f"{name}: expected at most {limit}")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "check":
        check(pathlib.Path(sys.argv[2]))
    elif len(sys.argv) in (2, 3) and sys.argv[1] == "write":
        write(pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else HERE)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
