#!/usr/bin/env python3
"""Trains small MLPs with PyTorch and records every step: what the engine is held against.

Writes sgd_trace.safetensors beside this script. For each data set SET and each model NAME it holds

    SET.samples         uint8 [n, features]   the network sees samples / 255
    SET.labels          int32 [n]
    NAME.init.0.weight  float32 [out, in]     and 0.bias, 2.weight, …: the state_dict before step 0
    NAME.final.…        float32               the state_dict after the last step
    NAME.loss           float32 [steps]       mean cross-entropy of each batch, before its update
    NAME.loss64         float64 [steps]       the same run in double precision

and, as text under NAME in the header's metadata, the model's options as JSON. Batches are taken in
file order, the last of an epoch being smaller.

Needs torch and numpy (Debian: python3-torch). Run it again only to change what is covered; numbers of
another PyTorch version differ in the last bits.
"""
import json
import pathlib
import struct

import numpy as np
import torch

EPOCHS = 3

# features, classes and samples of each data set
DATA = {"small": (20, 4, 90), "images": (784, 10, 300)}

# name: data set, hidden widths, batch, learning rate, momentum, weight decay
MODELS = {
    "linear": ("small", [], 16, 0.5, 0.0, 0.0),
    "one_hidden": ("small", [8], 16, 0.5, 0.0, 0.0),
    "two_hidden": ("small", [24, 13], 16, 0.2, 0.0, 0.0),
    "momentum": ("small", [8], 16, 0.1, 0.9, 0.0),
    "weight_decay": ("small", [8], 16, 0.5, 0.0, 1e-3),
    "momentum_and_decay": ("small", [17, 5], 32, 0.1, 0.9, 1e-3),
    "whole_set_a_batch": ("small", [8], 90, 0.5, 0.0, 0.0),
    "one_sample_a_batch": ("small", [8], 1, 0.02, 0.5, 0.0),
    "tutorial": ("images", [32], 64, 0.5, 0.0, 0.0),
}


def make_data(rng, features, classes, count):
    """Noisy copies of one pattern a class, most of it dark, as handwriting is."""
    patterns = rng.integers(0, 256, (classes, features)) * (rng.random((classes, features)) < 0.3)
    labels = rng.integers(0, classes, count)
    shown = np.where(rng.random(count) < 0.1, rng.integers(0, classes, count), labels)  # some mislabelled
    noise = rng.normal(0, 60, (count, features)) * (rng.random((count, features)) < 0.3)
    return np.clip(patterns[shown] + noise, 0, 255).astype(np.uint8), labels.astype(np.int32)


def make_model(features, hidden, classes):
    widths = [features, *hidden, classes]
    layers = []
    for fan_in, fan_out in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def train(model, samples, labels, batch, lr, momentum, weight_decay):
    """Losses of all steps; `model` is left trained."""
    dtype = next(model.parameters()).dtype
    inputs = torch.from_numpy(samples).to(dtype) / 255
    targets = torch.from_numpy(labels.astype(np.int64))
    optimizer = torch.optim.SGD(model.parameters(), lr, momentum=momentum, weight_decay=weight_decay)
    losses = []
    for _ in range(EPOCHS):
        for first in range(0, len(labels), batch):
            x, y = inputs[first : first + batch], targets[first : first + batch]
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def write_safetensors(path, tensors, metadata):
    """https://github.com/huggingface/safetensors, "Format": length, JSON header, data."""
    names = {"uint8": "U8", "int32": "I32", "float32": "F32", "float64": "F64"}
    header, offset = {"__metadata__": metadata}, 0
    ordered = sorted(tensors.items(), key=lambda item: -item[1].itemsize)  # keeps all of them aligned
    for name, value in ordered:
        header[name] = {"dtype": names[value.dtype.name], "shape": list(value.shape),
                        "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, value in ordered:
            file.write(value.astype(value.dtype.newbyteorder("<")).tobytes())


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    tensors, metadata = {}, {"torch": torch.__version__}
    for name, (features, classes, count) in DATA.items():
        tensors[f"{name}.samples"], tensors[f"{name}.labels"] = make_data(rng, features, classes, count)
    for name, (data, hidden, batch, lr, momentum, weight_decay) in MODELS.items():
        features, classes, _ = DATA[data]
        samples, labels = tensors[f"{data}.samples"], tensors[f"{data}.labels"]
        model = make_model(features, hidden, classes)
        double = make_model(features, hidden, classes).double()
        double.load_state_dict(model.state_dict())
        for key, value in model.state_dict().items():
            tensors[f"{name}.init.{key}"] = value.numpy().copy()
        options = (batch, lr, momentum, weight_decay)
        losses = train(model, samples, labels, *options)
        double_losses = train(double, samples, labels, *options)
        for key, value in model.state_dict().items():
            tensors[f"{name}.final.{key}"] = value.numpy()
        tensors[f"{name}.loss"] = np.array(losses, np.float32)
        tensors[f"{name}.loss64"] = np.array(double_losses, np.float64)
        metadata[name] = json.dumps({"data": data, "hidden": hidden, "batch": batch, "lr": lr,
                                     "momentum": momentum, "weight_decay": weight_decay, "epochs": EPOCHS})
        worst = np.max(np.abs(np.array(losses) - double_losses) / double_losses)
        drift = max(float((b - a.double()).abs().max()) for a, b in
                    zip(model.state_dict().values(), double.state_dict().values()))
        print(f"{name}: {len(losses)} steps, loss {losses[0]:.4f} -> {losses[-1]:.4f}, float32 differs from "
              f"float64 by {worst:.1e} of the loss, by {drift:.1e} in the weights")
    write_safetensors(pathlib.Path(__file__).parent / "sgd_trace.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
