"""Libraries of others that learn numbers, as bench/regression.py races them.

Each function trains 10-HIDDEN-1 on the CPU by plain SGD, with all cores as the library takes them: float32, mean
squared error of the standardised target, batch 128, learning rate 0.05, a new random order each epoch. It returns the
seconds of each epoch of training and the R² of the test samples.
"""
import os

import numpy

from network_peers import BATCH, timed

RATE = 0.05
SIZES = (50_000, 10_000)


def samples():
    """Friedman's first function of ten variables, five of which are of no use (Multivariate Adaptive Regression
    Splines, 1991), with noise of deviation 1: pairs of features [n, 10] and targets [n], to train and to test on."""
    draw = numpy.random.default_rng(0)

    def part(size):
        x = draw.random((size, 10))
        y = 10 * numpy.sin(numpy.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
        return x.astype(numpy.float32), (y + draw.normal(size=size)).astype(numpy.float32)

    return part(SIZES[0]), part(SIZES[1])


def standardised():
    """The same, with the targets that others than us have to be given."""
    train, test = samples()
    mean, deviation = train[1].mean(), train[1].std()
    return tuple((x, (y - mean) / deviation) for x, y in (train, test))


def r2(truth, predicted):
    return float(1 - ((truth - predicted) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def millrace_python(hidden, epochs):
    """Our own, from Python."""
    import millrace

    train, test = samples()
    run = millrace.train(train, test=test, task="regression", hidden=hidden, epochs=epochs, batch=BATCH, lr=RATE,
                         val_size=0, device="cpu")
    return [epoch["train_s"] for epoch in run.epochs], run.test_r2


def keras_jax(hidden, epochs):
    """Keras on JAX, by `fit`."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    (train_x, train_y), (test_x, test_y) = standardised()
    model = keras.Sequential([keras.Input((train_x.shape[1],)),
                              *(keras.layers.Dense(units, activation="relu") for units in hidden),
                              keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
    seconds = timed(epochs, lambda: model.fit(train_x, train_y, batch_size=BATCH, epochs=1, verbose=0))
    return seconds, r2(test_y, model.predict(test_x, batch_size=1000, verbose=0)[:, 0])


def pytorch(hidden, epochs):
    """PyTorch with the whole data set in one tensor, and no DataLoader."""
    import torch

    (train_x, train_y), (test_x, test_y) = standardised()
    data_x, data_y = torch.tensor(train_x), torch.tensor(train_y[:, None])
    sizes = [data_x.shape[1], *hidden, 1]
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), RATE)

    def epoch():
        for rows in torch.randperm(len(data_y)).split(BATCH):
            torch.nn.functional.mse_loss(model(data_x[rows]), data_y[rows]).backward()
            optimizer.step()
            optimizer.zero_grad()

    seconds = timed(epochs, epoch)
    with torch.no_grad():
        return seconds, r2(test_y, model(torch.tensor(test_x)).numpy()[:, 0])


def scikit_learn(hidden, epochs):
    """scikit-learn's MLPRegressor, one epoch by each `partial_fit`. Its loss is half the square: twice the rate."""
    from sklearn.neural_network import MLPRegressor

    train, (test_x, test_y) = standardised()
    model = MLPRegressor(hidden_layer_sizes=hidden, solver="sgd", batch_size=BATCH, learning_rate_init=2 * RATE, momentum=0, alpha=0)
    seconds = timed(epochs, lambda: model.partial_fit(*train))
    return seconds, r2(test_y, model.predict(test_x))
