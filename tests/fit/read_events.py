#!/usr/bin/env python3
"""Reads event files with a second implementation, and compares them with what was written.

Usage: python3 tests/fit/read_events.py DIRECTORY

DIRECTORY holds a folder of event files for every run, and expected.csv: run, name, step, value. Both sums of every
record are checked; the sum is computed bit by bit, without a table. Fields of the messages Event, Summary and
Summary.Value that are not expected, or of another wire type, are errors.
"""
import csv
import pathlib
import struct
import sys
import time


def crc32c(data):
    remainder = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            carry = (remainder ^ (byte >> bit)) & 1
            remainder = (remainder >> 1) ^ (0x82F63B78 if carry else 0)
    return remainder ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def records(raw):
    at = 0
    while at < len(raw):
        (length,) = struct.unpack_from("<Q", raw, at)
        (length_sum,) = struct.unpack_from("<I", raw, at + 8)
        assert length_sum == masked(raw[at:at + 8]), f"the sum of the length at byte {at}"
        data = raw[at + 12:at + 12 + length]
        assert len(data) == length, f"a record at byte {at} that ends too early"
        (data_sum,) = struct.unpack_from("<I", raw, at + 12 + length)
        assert data_sum == masked(data), f"the sum of the record at byte {at}"
        yield data
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def fields(data, known):
    """Number and value of the fields of a message; `known` gives the wire type of each."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        assert known.get(number) == kind, f"field {number} of wire type {kind}"
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            (value,) = struct.unpack_from("<d", data, at)
            at += 8
        elif kind == 5:
            (value,) = struct.unpack_from("<f", data, at)
            at += 4
        else:
            length, at = varint(data, at)
            value = data[at:at + length]
            assert len(value) == length
            at += length
        yield number, value


def scalars(path):
    first = True
    for record in records(path.read_bytes()):
        event = list(fields(record, {1: 1, 2: 0, 3: 2, 5: 2}))
        numbers = dict(event)
        assert len(numbers) == len(event), "a field twice"
        assert abs(numbers[1] - time.time()) < 3600.0, f"the time {numbers[1]}"
        assert first == (3 in numbers) and first != (5 in numbers)
        if first:
            assert numbers[3] == b"brain.Event:2", numbers[3]
            first = False
            continue
        for number, summary in fields(numbers[5], {1: 2}):
            value = dict(fields(summary, {1: 2, 2: 5}))
            yield value[1].decode(), numbers[2], value[2]
    assert not first, f"{path} is empty"


def single(text):
    return struct.unpack("<f", struct.pack("<f", float(text)))[0]


def main():
    directory = pathlib.Path(sys.argv[1])
    expected = {}
    with open(directory / "expected.csv", encoding="utf-8") as file:
        for run, name, step, value in csv.reader(file):
            expected.setdefault(run, set()).add((name, int(step), single(value)))
    for run, wanted in expected.items():
        files = sorted((directory / run).iterdir())
        assert files and all("tfevents" in f.name for f in files)
        found = [s for f in files for s in scalars(f)]
        assert len(found) == len(set(found)), "a scalar twice"
        missing = wanted - set(found)
        assert not missing, f"{run}: {sorted(missing)[:3]} are missing"
        names = {name for name, _, _ in wanted}
        others = set(found) - wanted
        assert not {o for o in others if o[0] in names}, f"{run}: {sorted(others)[:3]} is what nobody computed"
        known = {"loss/step", "loss/training", "learning_rate"}
        assert {name for name, _, _ in others if not name.startswith(("epoch/", "step/"))} <= known, others
        print(f"{run}: {len(files)} files, {len(found)} scalars, {len(wanted)} of them compared")


if __name__ == "__main__":
    main()
