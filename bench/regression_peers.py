"""Libraries of others that learn numbers or labels, as bench/regression.py races them.

Each function trains 10-HIDDEN-1, or of labels 10-HIDDEN-5, on the CPU by plain SGD, with all cores as the library takes
them: float32, batch 128, learning rate 0.05, or of labels 0.5, a new random order each epoch. It returns the seconds of
each epoch of training and the score of the test samples.
"""
import os

import numpy

from network_peers import BATCH, timed

SIZES = (50_000, 10_000)


def drawn():
    """Pairs of features [n, 10], uniform from 0 to 1, and noise [n], of deviation 1: to train and to test on."""
    draw = numpy.random.default_rng(0)
    for size in SIZES:
        x = draw.random((size, 10))
        yield x, draw.normal(size=size)


class Regression:
    """Friedman's first function of ten variables, five of which are of no use (Multivariate Adaptive Regression
    Splines, 1991), by the mean squared error of the standardised target; the score is R²."""

    name = "regression"
    rate = 0.05
    outputs = 1
    torch_loss = "mse_loss"

    def keras_loss(self):
        return "mse"

    def samples(self):
        for x, noise in drawn():
            y = 10 * numpy.sin(numpy.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
            yield x.astype(numpy.float32), (y + noise).astype(numpy.float32)

    def prepared(self):
        """The same, with the targets that others than us have to be given, [n, 1]."""
        train, test = self.samples()
        mean, deviation = train[1].mean(), train[1].std()
        return tuple((x, ((y - mean) / deviation)[:, None]) for x, y in (train, test))

    def score(self, truth, outputs):
        return float(1 - ((truth - outputs) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())

    def scikit_learn(self, **options):
        """Its loss is half the square: twice the rate."""
        from sklearn.neural_network import MLPRegressor

        model = MLPRegressor(learning_rate_init=2 * self.rate, **options)
        return lambda x, y: model.partial_fit(x, y[:, 0]), lambda x: model.predict(x)[:, None]


class Multilabel:
    """Five labels, each where a function of a few of the variables, with noise, is above its median, by binary
    cross-entropy; the score is the accuracy of all labels."""

    name = "multilabel"
    rate = 0.5
    outputs = 5
    torch_loss = "binary_cross_entropy_with_logits"

    def keras_loss(self):
        import keras

        return keras.losses.BinaryCrossentropy(from_logits=True)

    def samples(self):
        for x, noise in drawn():
            y = numpy.stack([numpy.sin(numpy.pi * x[:, 0] * x[:, 1]), (x[:, 2] - 0.5) ** 2 * 4, x[:, 3] + x[:, 4],
                             x[:, 5] * x[:, 6], abs(x[:, 7] - x[:, 8])], 1) + 0.05 * noise[:, None]
            yield x.astype(numpy.float32), (y > numpy.median(y, axis=0)).astype(numpy.float32)

    def prepared(self):
        return tuple(self.samples())

    def score(self, truth, outputs):
        """Of logits."""
        return float(((outputs >= 0) == (truth == 1)).mean())

    def scikit_learn(self, **options):
        """Its loss is the sum over the labels: a fifth of the rate."""
        from sklearn.neural_network import MLPClassifier

        model = MLPClassifier(learning_rate_init=self.rate / self.outputs, **options)
        labels = list(range(self.outputs))
        return lambda x, y: model.partial_fit(x, y, classes=labels), lambda x: model.predict(x) - 0.5


TASKS = {task.name: task for task in (Regression, Multilabel)}


def millrace_python(task, hidden, epochs):
    """Our own, from Python."""
    import millrace

    train, test = task.samples()
    run = millrace.train(train, test=test, task=task.name, hidden=hidden, epochs=epochs, batch=BATCH, lr=task.rate,
                         val_size=0, device="cpu")
    return [epoch["train_s"] for epoch in run.epochs], run.test_r2 if run.test_acc is None else run.test_acc


def keras_jax(task, hidden, epochs):
    """Keras on JAX, by `fit`."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    (train_x, train_y), (test_x, test_y) = task.prepared()
    model = keras.Sequential([keras.Input((train_x.shape[1],)),
                              *(keras.layers.Dense(units, activation="relu") for units in hidden),
                              keras.layers.Dense(task.outputs)])
    model.compile(optimizer=keras.optimizers.SGD(task.rate), loss=task.keras_loss())
    seconds = timed(epochs, lambda: model.fit(train_x, train_y, batch_size=BATCH, epochs=1, verbose=0))
    return seconds, task.score(test_y, model.predict(test_x, batch_size=1000, verbose=0))


def pytorch(task, hidden, epochs):
    """PyTorch with the whole data set in one tensor, and no DataLoader."""
    import torch

    (train_x, train_y), (test_x, test_y) = task.prepared()
    data_x, data_y = torch.tensor(train_x), torch.tensor(train_y)
    sizes = [data_x.shape[1], *hidden, task.outputs]
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(model.parameters(), task.rate)
    loss = getattr(torch.nn.functional, task.torch_loss)

    def epoch():
        for rows in torch.randperm(len(data_y)).split(BATCH):
            loss(model(data_x[rows]), data_y[rows]).backward()
            optimizer.step()
            optimizer.zero_grad()

    seconds = timed(epochs, epoch)
    with torch.no_grad():
        return seconds, task.score(test_y, model(torch.tensor(test_x)).numpy())


def scikit_learn(task, hidden, epochs):
    """scikit-learn's MLPRegressor or MLPClassifier, one epoch by each `partial_fit`."""
    train, (test_x, test_y) = task.prepared()
    fit, predict = task.scikit_learn(hidden_layer_sizes=hidden, solver="sgd", batch_size=BATCH, momentum=0, alpha=0)
    seconds = timed(epochs, lambda: fit(*train))
    return seconds, task.score(test_y, predict(test_x))
