"""What bench/latency.py asks about a few samples: Millrace's models, and the same network in the libraries of others.

Each function makes 784-HIDDEN-10, whose weights are of no consequence, and returns what to call and the type of its
samples. A call takes samples [n, 784] in one piece, as the library likes them, and returns their logits.
"""
import pathlib
import tempfile

import numpy

FEATURES = 784
CLASSES = 10


def trained(hidden, dtype=numpy.float32, **options):
    import millrace

    random = numpy.random.default_rng(0)
    features = random.random((64, FEATURES), numpy.float32) if dtype is numpy.float32 else (
        random.integers(0, 256, (64, FEATURES), dtype))
    return millrace.train((features, random.integers(0, CLASSES, 64)), hidden=hidden, epochs=1, val_size=0,
                          device="cpu", **options).model


def millrace(hidden):
    return trained(hidden).logits, numpy.asarray


def millrace_bytes(hidden):
    return trained(hidden, numpy.uint8).logits, lambda samples: (samples * 255).astype(numpy.uint8)


def millrace_bf16(hidden):
    return trained(hidden, precision="bf16").logits, numpy.asarray


def millrace_batch_norm(hidden):
    return trained(hidden, batch_norm=True).logits, numpy.asarray


def torch_module(hidden):
    import torch

    widths = (FEATURES, *hidden, CLASSES)
    layers = []
    for width, following in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(width, following), torch.nn.ReLU()]
    torch.inference_mode(True).__enter__()
    return torch.nn.Sequential(*layers[:-1]).eval()


def pytorch(hidden):
    import torch

    return torch_module(hidden), torch.from_numpy


def pytorch_compiled(hidden):
    import torch

    return torch.compile(torch_module(hidden)), torch.from_numpy


def onnxruntime(hidden):
    """Of the file that Millrace writes."""
    import onnxruntime as runtime

    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "model.onnx"
        trained(hidden).save_onnx(path)
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda samples: session.run(None, {name: samples})[0], numpy.asarray
