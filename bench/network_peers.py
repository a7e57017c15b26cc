"""Libraries of others that train multilayer perceptrons, as bench/networks.py races them.

Each function trains 784-HIDDEN-10 on the CPU by plain SGD, with all cores as the library takes them: float32, softmax
cross-entropy, batch 128, learning rate 0.5, a new random order each epoch. It returns the seconds of each epoch of
training, validation left out, and the share of the test samples that the network then gets right.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy

from mnist import digits

BATCH = 128
RATE = 0.5
CLASSES = 10


def split_samples(folder):
    """Those to train on, five of six, and those to test on: features [n, 784] from 0 to 1 in float32, labels [n]."""

    def arrays(split):
        images, labels = digits(folder, split)
        return images.reshape(len(images), -1).astype(numpy.float32) / 255, labels.astype(numpy.int32)

    features, labels = arrays("train")
    kept = numpy.random.default_rng(0).permutation(len(labels))[len(labels) // 6:]
    return (features[kept], labels[kept]), arrays("t10k")


def timed(epochs, epoch):
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        seconds.append(time.perf_counter() - start)
    return seconds


def millrace_python(folder, hidden, epochs):
    """Our own, from Python."""
    import millrace

    train, test = split_samples(folder)
    run = millrace.train(train, test=test, hidden=hidden, epochs=epochs, batch=BATCH, lr=RATE, val_size=0, device="cpu")
    return [epoch["train_s"] for epoch in run.epochs], run.test_acc


def with_keras(backend, folder, hidden, epochs, **compiled):
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    (train_x, train_y), (test_x, test_y) = split_samples(folder)
    model = keras.Sequential([keras.Input((train_x.shape[1],)),
                              *(keras.layers.Dense(units, activation="relu") for units in hidden),
                              keras.layers.Dense(CLASSES)])
    model.compile(optimizer=keras.optimizers.SGD(RATE), metrics=["accuracy"],
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), **compiled)
    seconds = timed(epochs, lambda: model.fit(train_x, train_y, batch_size=BATCH, epochs=1, verbose=0))
    return seconds, model.evaluate(test_x, test_y, batch_size=1000, verbose=0)[1]


def keras_tensorflow(folder, hidden, epochs):
    """Keras on TensorFlow, its default, by `fit` on arrays in memory."""
    return with_keras("tensorflow", folder, hidden, epochs)


def keras_tensorflow_tuned(folder, hidden, epochs):
    """The same with XLA and 100 steps for each return to Python."""
    return with_keras("tensorflow", folder, hidden, epochs, jit_compile=True, steps_per_execution=100)


def keras_jax(folder, hidden, epochs):
    """Keras on JAX, by `fit`."""
    return with_keras("jax", folder, hidden, epochs)


def jax_scan(folder, hidden, epochs):
    """JAX as its adepts write it: an epoch is one compiled program, which gathers its batches itself."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    (train_x, train_y), (test_x, test_y) = split_samples(folder)
    draw = numpy.random.default_rng(0)
    sizes = [train_x.shape[1], *hidden, CLASSES]
    layers = [(jnp.asarray(draw.uniform(-1, 1, (a, b)).astype(numpy.float32) / numpy.sqrt(a)), jnp.zeros(b))
              for a, b in zip(sizes, sizes[1:])]
    data_x, data_y = jnp.asarray(train_x), jnp.asarray(train_y)

    def logits(network, x):
        for weights, bias in network[:-1]:
            x = jax.nn.relu(x @ weights + bias)
        return x @ network[-1][0] + network[-1][1]

    def loss(network, x, y):
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(network, x)), y[:, None], 1))

    def step(network, rows):
        slopes = jax.grad(loss)(network, data_x[rows], data_y[rows])
        return jax.tree.map(lambda value, slope: value - RATE * slope, network, slopes), None

    @jax.jit
    def steps(network, order):
        return jax.lax.scan(step, network, order)[0]

    network = layers
    whole = len(data_y) // BATCH * BATCH

    def epoch():
        nonlocal network
        order = draw.permutation(len(data_y)).astype(numpy.int32)
        network = steps(network, order[:whole].reshape(-1, BATCH))
        if whole < len(order):
            network = steps(network, order[None, whole:])
        jax.block_until_ready(network)

    seconds = timed(epochs, epoch)
    return seconds, float((numpy.asarray(logits(network, test_x)).argmax(1) == test_y).mean())


def with_pytorch(folder, hidden, epochs, wrap):
    import torch

    (train_x, train_y), (test_x, test_y) = split_samples(folder)
    data_x, data_y = torch.tensor(train_x), torch.tensor(train_y, dtype=torch.int64)
    sizes = [data_x.shape[1], *hidden, CLASSES]
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    loss = wrap(torch, lambda x, y: torch.nn.functional.cross_entropy(model(x), y))

    def epoch():
        for rows in torch.randperm(len(data_y)).split(BATCH):
            loss(data_x[rows], data_y[rows]).backward()
            optimizer.step()
            optimizer.zero_grad()

    seconds = timed(epochs, epoch)
    with torch.no_grad():
        return seconds, float((model(torch.tensor(test_x)).argmax(1).numpy() == test_y).mean())


def pytorch(folder, hidden, epochs):
    """PyTorch with the whole data set in one tensor, and no DataLoader."""
    return with_pytorch(folder, hidden, epochs, lambda _, loss: loss)


def pytorch_compiled(folder, hidden, epochs):
    """The same with forward, loss and their gradients by `torch.compile`."""
    return with_pytorch(folder, hidden, epochs, lambda torch, loss: torch.compile(loss))


def scikit_learn(folder, hidden, epochs):
    """scikit-learn's MLPClassifier, one epoch by each `partial_fit`."""
    from sklearn.neural_network import MLPClassifier

    (train_x, train_y), (test_x, test_y) = split_samples(folder)
    model = MLPClassifier(hidden, solver="sgd", batch_size=BATCH, learning_rate_init=RATE, momentum=0, alpha=0)
    seconds = timed(epochs, lambda: model.partial_fit(train_x, train_y, classes=numpy.arange(CLASSES)))
    return seconds, float(model.score(test_x, test_y))


def mlpack(folder, hidden, epochs):
    """mlpack's FFN in C++ (bench/mlpack/net.cpp), on the arrays that the others get, in Armadillo's own files."""
    arrays = [array for split in split_samples(folder) for array in split]
    with tempfile.TemporaryDirectory() as scratch:
        for name, array in zip(("train_x", "train_y", "test_x", "test_y"), arrays):
            columns = array.reshape(len(array), -1).astype(numpy.float32)  # Armadillo's columns are NumPy's rows
            with open(pathlib.Path(scratch) / f"{name}.bin", "wb") as file:
                file.write(b"ARMA_MAT_BIN_FN004\n%d %d\n" % columns.shape[::-1])
                columns.tofile(file)
        command = ["mlpack_net", scratch, ",".join(map(str, hidden)), epochs, BATCH, RATE]
        # All cores for the products alone: OpenMP's threads and OpenBLAS's together make it two to three times slower.
        cores = str(len(os.sched_getaffinity(0)))
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": cores})
    found = json.loads(done.stdout)
    return found["seconds"], found["accuracy"]
