#!/usr/bin/env python3
"""Writes tests/data/sklearn.json: what scikit-learn makes of small samples: splits, folds, and measures of a classifier.

Usage: python3 scripts/golden_sklearn.py [FILE]     (Debian: python3-sklearn; written with scikit-learn 1.2.1)

The expected calibration error, which scikit-learn does not have, is computed here from its definition by NumPy.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
from sklearn import metrics, model_selection

warnings.filterwarnings("ignore")  # a fold without a sample of a small class


def lists(split):
    return {"train": [int(i) for i in split[0]], "test": [int(i) for i in split[1]]}


def splits():
    result = []
    for samples, classes, seed in ((24, 3, 0), (57, 4, 1), (100, 10, 7), (31, 2, 12345)):
        random = np.random.RandomState(seed + 1)
        labels = np.concatenate([np.arange(classes), np.arange(classes), random.randint(0, classes, samples - 2 * classes) ** 2 // classes])
        labels = random.permutation(labels)
        entry = {"labels": labels.tolist(), "seed": seed, "splits": [], "folds": []}
        for fraction in (0.25, 0.4):
            split = model_selection.train_test_split(
                np.arange(samples), test_size=fraction, random_state=seed, stratify=labels)
            entry["splits"].append({"test_fraction": fraction, **lists(split)})
        for folds in (2, 3, 5):
            for shuffle in (False, True):
                state = seed if shuffle else None
                plain = model_selection.KFold(folds, shuffle=shuffle, random_state=state)
                stratified = model_selection.StratifiedKFold(folds, shuffle=shuffle, random_state=state)
                entry["folds"].append({
                    "folds": folds, "shuffle": shuffle,
                    "plain": [lists(s) for s in plain.split(labels)],
                    "stratified": [lists(s) for s in stratified.split(labels, labels)],
                })
        result.append(entry)
    return result


def calibration_error(probabilities, labels, bins):
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def measures():
    result = []
    for samples, classes, seed in ((40, 3, 1), (200, 10, 2), (60, 2, 3), (25, 6, 4)):
        random = np.random.RandomState(seed)
        labels = random.randint(0, classes - (classes == 6), samples)  # of six classes one has no sample
        logits = np.round(1.5 * random.randn(samples, classes), 4)
        logits[np.arange(samples), labels] += 1.0
        probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        answers = logits.argmax(axis=1)
        every = list(range(classes))
        precision, recall, f1, support = metrics.precision_recall_fscore_support(labels, answers, labels=every)
        macro = metrics.precision_recall_fscore_support(labels, answers, average="macro")
        positive = (labels == 1).astype(int)
        scores = np.round(logits[:, 1], 1)  # with ties
        result.append({
            "logits": logits.tolist(), "labels": labels.tolist(),
            "confusion": metrics.confusion_matrix(labels, answers, labels=every).tolist(),
            "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(), "support": support.tolist(),
            "accuracy": metrics.accuracy_score(labels, answers),
            "micro_f1": metrics.f1_score(labels, answers, average="micro"),
            "macro": list(macro[:3]),
            "top_k": [metrics.top_k_accuracy_score(labels, logits if classes > 2 else logits[:, 1] - logits[:, 0], k=k, labels=every)
                      for k in range(1, classes)],
            "log_loss": metrics.log_loss(labels, probabilities, labels=every),
            "scores": scores.tolist(), "area": metrics.roc_auc_score(positive, scores),
            "calibration": [calibration_error(probabilities, labels, bins) for bins in (1, 10, 15)],
        })
    return result


default = pathlib.Path(__file__).parent.parent / "tests" / "data" / "sklearn.json"
path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
path.write_text(json.dumps({"splits": splits(), "measures": measures()}, separators=(",", ":")) + "\n")
