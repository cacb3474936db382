"""LeNet on images of 1 x 28 x 28 in PyTorch, eager, on the processor: a step at batch 64 and an epoch of 60,000 images in
a new order, with one thread and two, medians of nine. Writes them in the form of Google Benchmark's results.

Usage: python3 bench/lenet_peer.py RESULTS.json
"""

import json
import statistics
import sys
import time

import torch

IMAGES, BATCH = 60_000, 64


def lenet():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def median_microseconds(work, repetitions):
    work()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(1e6 * (time.perf_counter() - start))
    return statistics.median(times)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: lenet_peer.py RESULTS.json")
    torch.manual_seed(1)
    images, labels = torch.rand(IMAGES, 1, 28, 28), torch.arange(IMAGES) % 10
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        model = lenet()
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

        def step(x, y):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

        def epoch():
            for chosen in torch.randperm(IMAGES).split(BATCH):
                step(images[chosen], labels[chosen])

        x, y = images[:BATCH], labels[:BATCH]
        for name, work, repetitions in (
            (f"batch:{BATCH}", lambda: step(x, y), 500),
            ("epoch", epoch, 9),
        ):
            time_taken = median_microseconds(work, repetitions)
            results.append(
                {
                    "run_name": f"pytorch/lenet-28/{name}/threads:{threads}",
                    "cpu_time": time_taken,
                    "real_time": time_taken,
                }
            )
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"context": {"pytorch": torch.__version__}, "benchmarks": results}, file, indent=1)


main()
