#!/usr/bin/env python3
"""Trains small MLPs with PyTorch and records every step: what the engine is held against.

Writes sgd_trace.safetensors (plain layers, SGD) and options_trace.safetensors (other optimizers, batch
normalisation, dropout, label smoothing) beside this script. For each data set SET and each model NAME it holds

    SET.samples         uint8 [n, features]   the network sees samples / 255
    SET.labels          int32 [n]
    NAME.init.0.weight  float32 [out, in]     and 0.bias, 2.weight, …: the state_dict before step 0
    NAME.final.…        float32               the state_dict after the last step
    NAME.final64.…      float32               the same of a run in double precision (options_trace alone)
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
OPTION_EPOCHS = 34  # of 6 steps
SEED = 7  # of dropout

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

# name: batch normalisation, dropout, label smoothing, optimizer, and its options. All with two hidden layers
# on the small data set.
OPTIONS = {
    "nesterov": (False, 0.0, 0.0, "nesterov", {"lr": 0.02, "momentum": 0.9, "weight_decay": 1e-3}),
    "adam": (False, 0.0, 0.0, "adam", {"lr": 0.003, "weight_decay": 1e-3}),
    "adamw": (False, 0.0, 0.0, "adamw", {"lr": 0.002, "weight_decay": 0.05, "betas": (0.8, 0.98), "eps": 1e-6}),
    "label_smoothing": (False, 0.0, 0.1, "sgd", {"lr": 0.1, "momentum": 0.5}),
    "dropout": (False, 0.3, 0.0, "sgd", {"lr": 0.1}),
    "batch_norm": (True, 0.0, 0.0, "sgd", {"lr": 0.03, "momentum": 0.5, "weight_decay": 1e-3}),
    "batch_norm_nesterov": (True, 0.0, 0.05, "nesterov", {"lr": 0.02, "momentum": 0.8}),
    "everything": (True, 0.2, 0.05, "adamw", {"lr": 0.002, "weight_decay": 0.02}),
}
OPTION_HIDDEN = [40, 24]


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., SC 2011) on arrays."""
    c, (k0, k1) = [np.asarray(word, np.uint64) for word in counter], key
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def kept(step, layer, rows, width, rate):
    """The activations that compute/cpu/norm.h keeps: 16 bits each, by step, layer, row and column."""
    row, column = np.meshgrid(np.arange(rows), np.arange(width), indexing="ij")
    panel, within = column // 32, column % 32
    words = philox([row * 4 + within // 8, np.full_like(row, 0x64726F70), np.full_like(row, step),
                    layer << 20 | panel], (SEED, 0))
    place = within % 8
    word = np.choose(place % 4, words)
    number = np.where(place < 4, word & np.uint64(0xFFFF), word >> np.uint64(16))
    return number >= int(rate * 65536 + 0.5)


class Dropout(torch.nn.Module):
    """torch.nn.Dropout with masks that others can make too."""

    def __init__(self, layer, rate):
        super().__init__()
        self.layer, self.rate, self.step = layer, rate, 0

    def forward(self, x):
        self.step += 1
        mask = kept(self.step, self.layer, *x.shape, self.rate)
        return x * torch.from_numpy(mask).to(x.dtype) / (1 - self.rate)


def make_data(rng, features, classes, count):
    """Noisy copies of one pattern a class, most of it dark, as handwriting is."""
    patterns = rng.integers(0, 256, (classes, features)) * (rng.random((classes, features)) < 0.3)
    labels = rng.integers(0, classes, count)
    shown = np.where(rng.random(count) < 0.1, rng.integers(0, classes, count), labels)  # some mislabelled
    noise = rng.normal(0, 60, (count, features)) * (rng.random((count, features)) < 0.3)
    return np.clip(patterns[shown] + noise, 0, 255).astype(np.uint8), labels.astype(np.int32)


def make_model(features, hidden, classes, batch_norm=False, dropout=0.0):
    layers = []
    for number, (fan_in, fan_out) in enumerate(zip([features, *hidden], hidden)):
        layers += [torch.nn.Linear(fan_in, fan_out, bias=not batch_norm)]
        layers += [torch.nn.BatchNorm1d(fan_out)] if batch_norm else []
        layers += [torch.nn.ReLU()]
        layers += [Dropout(number, dropout)] if dropout else []
    return torch.nn.Sequential(*layers, torch.nn.Linear([features, *hidden][-1], classes))


def sgd(model, lr, momentum, weight_decay):
    return torch.optim.SGD(model.parameters(), lr, momentum=momentum, weight_decay=weight_decay)


def any_optimizer(model, name, options):
    if name in ("sgd", "nesterov"):
        return torch.optim.SGD(model.parameters(), nesterov=name == "nesterov", **options)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](model.parameters(), **options)


def train(model, samples, labels, batch, optimizer, epochs=EPOCHS, label_smoothing=0.0):
    """Losses of all steps; `model` is left trained."""
    dtype = next(model.parameters()).dtype
    inputs = torch.from_numpy(samples).to(dtype) / 255
    targets = torch.from_numpy(labels.astype(np.int64))
    losses = []
    for _ in range(epochs):
        for first in range(0, len(labels), batch):
            x, y = inputs[first : first + batch], targets[first : first + batch]
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y, label_smoothing=label_smoothing)
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


def compare(name, model, double, losses, double_losses):
    worst = np.max(np.abs(np.array(losses) - double_losses) / double_losses)
    drift = max(float((b - a.double()).abs().max()) for a, b in
                zip(model.state_dict().values(), double.state_dict().values()))
    print(f"{name}: {len(losses)} steps, loss {losses[0]:.4f} -> {losses[-1]:.4f}, float32 differs from "
          f"float64 by {worst:.1e} of the loss, by {drift:.1e} in the weights")


def write_options(rng):
    features, classes, count = DATA["small"]
    samples, labels = make_data(rng, features, classes, count)
    tensors, metadata = {"small.samples": samples, "small.labels": labels}, {"torch": torch.__version__}
    for name, (batch_norm, dropout, smoothing, kind, options) in OPTIONS.items():
        model = make_model(features, OPTION_HIDDEN, classes, batch_norm, dropout)
        double = make_model(features, OPTION_HIDDEN, classes, batch_norm, dropout).double()
        double.load_state_dict(model.state_dict())

        def keep(when, state):
            for key, value in state.items():
                if not key.endswith("num_batches_tracked"):
                    tensors[f"{name}.{when}.{key}"] = value.float().numpy().copy()

        keep("init", model.state_dict())
        runs = [train(m, samples, labels, 16, any_optimizer(m, kind, options), OPTION_EPOCHS, smoothing)
                for m in (model, double)]
        keep("final", model.state_dict())
        keep("final64", double.state_dict())
        tensors[f"{name}.loss"] = np.array(runs[0], np.float32)
        tensors[f"{name}.loss64"] = np.array(runs[1], np.float64)
        beta1, beta2 = options.get("betas", (0.9, 0.999))
        metadata[name] = json.dumps({
            "data": "small", "hidden": OPTION_HIDDEN, "batch": 16, "epochs": OPTION_EPOCHS, "lr": options["lr"],
            "momentum": options.get("momentum", 0.0), "weight_decay": options.get("weight_decay", 0.0),
            "optimizer": kind, "beta1": beta1, "beta2": beta2, "epsilon": options.get("eps", 1e-8),
            "batch_norm": batch_norm, "dropout": dropout, "label_smoothing": smoothing, "seed": SEED})
        compare(name, model, double, *runs)
    write_safetensors(pathlib.Path(__file__).parent / "options_trace.safetensors", tensors, metadata)


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
        losses = train(model, samples, labels, batch, sgd(model, *options[1:]))
        double_losses = train(double, samples, labels, batch, sgd(double, *options[1:]))
        for key, value in model.state_dict().items():
            tensors[f"{name}.final.{key}"] = value.numpy()
        tensors[f"{name}.loss"] = np.array(losses, np.float32)
        tensors[f"{name}.loss64"] = np.array(double_losses, np.float64)
        metadata[name] = json.dumps({"data": data, "hidden": hidden, "batch": batch, "lr": lr,
                                     "momentum": momentum, "weight_decay": weight_decay, "epochs": EPOCHS})
        compare(name, model, double, losses, double_losses)
    write_safetensors(pathlib.Path(__file__).parent / "sgd_trace.safetensors", tensors, metadata)
    write_options(np.random.default_rng(2))


if __name__ == "__main__":
    main()
