#!/usr/bin/env python3
"""Predicts from the file that predictor_test.cpp wrote, with what the file says alone, and compares.

Usage: python3 tests/predict/read_predictor.py DIRECTORY
The file is read by the package safetensors where that is installed with NumPy, else by the few lines below."""
import json
import math
import struct
import sys


def read_file(path):
    """Tensors, as flat lists of numbers with their shapes, and the metadata."""
    try:
        from safetensors import safe_open
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            print("read by safetensors")
            return {n: (t.flatten().tolist(), list(t.shape)) for n, t in tensors.items()}, file.metadata()
    except ImportError:
        print("read without safetensors")
    with open(path, "rb") as file:
        data = file.read()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        kind, size = {"F32": ("f", 4), "F64": ("d", 8)}[entry["dtype"]]
        numbers = struct.unpack(f"<{(last - first) // size}{kind}", data[end + first:end + last])
        tensors[name] = (list(numbers), entry["shape"])
    return tensors, metadata


def run(layer, place, x, shape, tensors):
    """A layer of the test's network on x, the numbers of an image of that shape."""
    def numbers(name):
        return tensors[f"network.{place}.{name}"][0]

    channels, height, width = shape
    if layer["layer"] == "convolution":
        assert layer["stride"] == [1, 1] and layer["dilation"] == [1, 1] and layer["groups"] == 1 and layer["bias"]
        (rows, columns), (above, left) = layer["kernel"], layer["padding"]
        assert tensors[f"network.{place}.weight"][1] == [layer["channels"], channels, rows, columns]
        out = []
        for o in range(layer["channels"]):
            for i in range(height + 2 * above - rows + 1):
                for j in range(width + 2 * left - columns + 1):
                    total = numbers("bias")[o]
                    for c in range(channels):
                        for p in range(rows):
                            for q in range(columns):
                                y, z = i + p - above, j + q - left
                                if 0 <= y < height and 0 <= z < width:
                                    weight = numbers("weight")[((o * channels + c) * rows + p) * columns + q]
                                    total += weight * x[(c * height + y) * width + z]
                    out.append(total)
        return out, (layer["channels"], height + 2 * above - rows + 1, width + 2 * left - columns + 1)
    if layer["layer"] == "batch_normalization":
        parts = zip(*(numbers(n) for n in ("weight", "bias", "running_mean", "running_var")))
        area = height * width
        return [scale * (v - mean) / math.sqrt(variance + layer["epsilon"]) + shift
                for c, (scale, shift, mean, variance) in enumerate(parts)
                for v in x[c * area:(c + 1) * area]], shape
    if layer["layer"] == "activation":
        assert layer["function"] == "relu"
        return [max(v, 0.0) for v in x], shape
    if layer["layer"] == "flatten":
        return x, (len(x), 1, 1)
    assert layer["layer"] == "linear" and layer["bias"]
    assert tensors[f"network.{place}.weight"][1] == [layer["outputs"], len(x)]
    weight = numbers("weight")
    return [b + sum(w * v for w, v in zip(weight[k * len(x):], x))
            for k, b in enumerate(numbers("bias"))], (layer["outputs"], 1, 1)


def main():
    folder = sys.argv[1]
    tensors, metadata = read_file(f"{folder}/cnn.safetensors")
    assert metadata["gal"] == "predictor 1" and metadata["format"] == "pt", metadata
    assert json.loads(metadata["classes"]) == ["Katze", "H\u00fcndin"], metadata["classes"]
    structure = json.loads(metadata["structure"])
    assert structure["network"] == "cnn"
    shape = tuple(structure["input"][side] for side in ("channels", "height", "width"))
    with open(f"{folder}/expected.json") as file:
        expected = json.load(file)
    mean, deviation = tensors["inputs.mean"][0], tensors["inputs.deviation"][0]
    outputs = []
    for first in range(0, len(expected["inputs"]), len(mean)):
        raw = expected["inputs"][first:first + len(mean)]
        x, at = [(v - m) / d for v, m, d in zip(raw, mean, deviation)], shape
        for place, layer in enumerate(structure["layers"]):
            x, at = run(layer, place, x, at, tensors)
        outputs += x
    assert len(outputs) == len(expected["outputs"]) == 4, outputs
    for ours, theirs in zip(outputs, expected["outputs"]):
        assert abs(ours - theirs) < 1e-5 * max(1.0, abs(theirs)), (outputs, expected["outputs"])
    print("Python predicts", outputs)


main()
