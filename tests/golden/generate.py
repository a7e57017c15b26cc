#!/usr/bin/env python3
"""Trains small MLPs with PyTorch and records every step: what the engine is held against.

Writes sgd_trace.safetensors (plain layers, SGD) and options_trace.safetensors (other optimizers, batch
normalisation, dropout, label smoothing) beside this script, and matrix_trace.safetensors, which has the losses
alone of every optimizer with every schedule and with every kind of layer. For each data set SET and each model NAME it holds

    SET.samples         uint8 [n, features]   the network sees samples / 255
    SET.labels          int32 [n]
    NAME.init.0.weight  float32 [out, in]     and 0.bias, 2.weight, …: the state_dict before step 0
    NAME.final.…        float32               the state_dict after the last step
    NAME.final64.…      float32               the same of a run in double precision (options_trace alone)
    NAME.loss           float32 [steps]       mean cross-entropy of each batch, before its update
    NAME.loss64         float64 [steps]       the same run in double precision

matrix_trace holds NAME [steps], float32: the losses of the run in double precision on options_trace's data set,
rounded; of an average of the weights ("ema"), the loss of the whole set by it after each step. It begins with the
engine's own first parameters.

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

# The matrix: 34 epochs of 6 steps.
MATRIX_HIDDEN = [16, 12]
MATRIX_OPTIMIZERS = {
    "sgd": {"lr": 0.1, "momentum": 0.5, "weight_decay": 1e-3},
    "nesterov": {"lr": 0.05, "momentum": 0.8},
    "adam": {"lr": 0.002, "weight_decay": 1e-3, "eps": 1e-6},
    "adamw": {"lr": 0.002, "weight_decay": 0.02, "eps": 1e-6},
}
MATRIX_SCHEDULES = ("constant", "step", "cosine", "one-cycle", "warmup")
WARMUP_EPOCHS, STEP_EPOCHS, GAMMA = 3, 10, 0.3
ACTIVATIONS = {"relu": torch.nn.ReLU, "gelu": torch.nn.GELU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid,
               "leaky-relu": torch.nn.LeakyReLU}
# name: batch normalisation, dropout, label smoothing
MATRIX_LAYERS = {"plain": (False, 0.0, 0.0), "batch_norm": (True, 0.0, 0.0), "dropout": (False, 0.2, 0.0),
                 "smoothing": (False, 0.0, 0.1), "all": (True, 0.2, 0.1)}
CLIP_NORM, ACCUMULATE, EMA = 0.3, 3, 0.95
NORMED_RATE = 0.2


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


def make_model(features, hidden, classes, batch_norm=False, dropout=0.0, activation=torch.nn.ReLU):
    layers = []
    for number, (fan_in, fan_out) in enumerate(zip([features, *hidden], hidden)):
        layers += [torch.nn.Linear(fan_in, fan_out, bias=not batch_norm)]
        layers += [torch.nn.BatchNorm1d(fan_out)] if batch_norm else []
        layers += [activation()]
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
    write_matrix(samples, labels)


def first_parameters(model, seed):
    """What compute/tensors.h's initial_parameters() draws for PyTorch's initialisation, into `model`."""
    bound = 1.0
    state = {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    linear = False
    for number, (key, value) in enumerate(state.items()):
        linear = value.dim() == 2 or (linear and key.endswith(".bias"))
        if not linear:
            continue  # ones and zeros already
        if value.dim() == 2:
            bound = 1.0 / value.shape[1] ** 0.5
        blocks = np.arange((value.numel() + 3) // 4)
        words = philox([blocks, np.zeros_like(blocks), np.full_like(blocks, number),
                        np.full_like(blocks, 0x696E6974)], (seed, 0))
        units = (np.stack(words, 1).reshape(-1)[: value.numel()] >> np.uint64(8)).astype(np.float64) + 0.5
        drawn = ((2.0 * units / 2**24 - 1.0) * bound).astype(np.float32)
        value.copy_(torch.from_numpy(drawn.reshape(value.shape)).to(value.dtype))


def scheduled(name, optimizer, steps_per_epoch, steps):
    from torch.optim import lr_scheduler as torch_schedules
    warmup = WARMUP_EPOCHS * steps_per_epoch
    return {
        "constant": lambda: torch_schedules.LambdaLR(optimizer, lambda step: 1.0),
        "step": lambda: torch_schedules.StepLR(optimizer, STEP_EPOCHS * steps_per_epoch, GAMMA),
        "cosine": lambda: torch_schedules.CosineAnnealingLR(optimizer, steps),
        "one-cycle": lambda: torch_schedules.OneCycleLR(optimizer, optimizer.param_groups[0]["lr"], steps,
                                                        cycle_momentum=False),
        "warmup": lambda: torch_schedules.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / (warmup + 1))),
    }[name]()


def train_matrix(model, samples, labels, case):
    """The losses of one case of the matrix."""
    dtype = next(model.parameters()).dtype
    inputs = torch.from_numpy(samples).to(dtype) / 255
    targets = torch.from_numpy(labels.astype(np.int64))
    rows = 16 * case["accumulate"]
    per_epoch = (len(labels) + rows - 1) // rows
    steps = case["epochs"] * per_epoch
    options = {**MATRIX_OPTIMIZERS[case["optimizer"]], "lr": case["lr"]}
    optimizer = any_optimizer(model, case["optimizer"], options)
    schedule = scheduled(case["schedule"], optimizer, per_epoch, steps)
    average = {key: value.clone() for key, value in model.state_dict().items()}
    losses = []
    for step in range(steps):
        first = step % per_epoch * rows
        x, y = inputs[first : first + rows], targets[first : first + rows]
        optimizer.zero_grad()
        total = 0.0
        for part in range(0, len(y), 16):
            loss = torch.nn.functional.cross_entropy(model(x[part : part + 16]), y[part : part + 16], reduction="sum",
                                                     label_smoothing=case["label_smoothing"]) / len(y)
            loss.backward()
            total += loss.item()
        if case["clip_norm"]:
            torch.nn.utils.clip_grad_norm_(model.parameters(), case["clip_norm"])
        optimizer.step()
        schedule.step()
        if case["ema"]:
            decay = min(case["ema"], (2 + step) / (11 + step))
            for key, value in model.state_dict().items():
                if value.dtype == dtype:
                    average[key] += (1 - decay) * (value - average[key])
            kept_state = {key: value.clone() for key, value in model.state_dict().items()}
            model.load_state_dict({key: average[key] if value.dtype == dtype else value
                                   for key, value in kept_state.items()})
            model.eval()
            with torch.no_grad():
                total = torch.nn.functional.cross_entropy(model(inputs), targets).item()
            model.train()
            model.load_state_dict(kept_state)
        losses.append(total)
    return losses


def matrix_cases():
    def case(optimizer, schedule="constant", activation="relu", layers="plain", **more):
        batch_norm, dropout, smoothing = MATRIX_LAYERS[layers]
        options = MATRIX_OPTIMIZERS[optimizer]
        # Larger steps of a normalised net double a rounding error every few of them.
        rate = options["lr"] * (NORMED_RATE if batch_norm else 1.0)
        return {"optimizer": optimizer, "lr": rate, "momentum": options.get("momentum", 0.0),
                "weight_decay": options.get("weight_decay", 0.0), "epsilon": options.get("eps", 1e-8), "schedule": schedule, "activation": activation,
                "batch_norm": batch_norm, "dropout": dropout, "label_smoothing": smoothing, "clip_norm": 0.0,
                "accumulate": 1, "ema": 0.0, "epochs": OPTION_EPOCHS, **more}

    cases = {}
    for optimizer in MATRIX_OPTIMIZERS:
        for schedule in MATRIX_SCHEDULES:
            cases[f"{optimizer}.{schedule}"] = case(optimizer, schedule, "gelu")
        for activation in ACTIVATIONS:
            for layers in MATRIX_LAYERS:
                cases[f"{optimizer}.{activation}.{layers}"] = case(optimizer, activation=activation, layers=layers)
        cases[f"{optimizer}.clip_norm"] = case(optimizer, "cosine", layers="batch_norm", clip_norm=CLIP_NORM)
        cases[f"{optimizer}.accumulate"] = case(optimizer, "step", "gelu", "batch_norm", accumulate=ACCUMULATE,
                                                clip_norm=2 * CLIP_NORM, epochs=100)
        cases[f"{optimizer}.ema"] = case(optimizer, "one-cycle", "tanh", "batch_norm", ema=EMA)
    return cases


def write_matrix(samples, labels):
    features, classes, _ = DATA["small"]
    tensors, metadata, worst = {}, {"torch": torch.__version__}, 0.0
    for name, case in matrix_cases().items():
        losses = []
        for dtype in (torch.float64, torch.float32):
            model = make_model(features, MATRIX_HIDDEN, classes, case["batch_norm"], case["dropout"],
                               ACTIVATIONS[case["activation"]]).to(dtype)
            first_parameters(model, SEED)
            losses.append(np.array(train_matrix(model, samples, labels, case)))
        error = np.max(np.abs(losses[1] - losses[0]) / losses[0])
        worst = max(worst, error)
        if error > 3e-6:
            print(f"{name}: float32 differs from float64 by {error:.1e} of the loss")
        tensors[name] = losses[0].astype(np.float32)
        metadata[name] = json.dumps({**case, "hidden": MATRIX_HIDDEN, "batch": 16, "seed": SEED,
                                     "warmup": WARMUP_EPOCHS if case["schedule"] == "warmup" else 0,
                                     "step_epochs": STEP_EPOCHS, "gamma": GAMMA}, separators=(",", ":"))
    print(f"matrix: {len(tensors)} runs, float32 differs from float64 by at most {worst:.1e} of the loss")
    write_safetensors(pathlib.Path(__file__).parent / "matrix_trace.safetensors", tensors, metadata)


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
