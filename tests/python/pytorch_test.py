"""Targets and labels are learnt as PyTorch learns them, from the same first weights and batches: losses, and weights after
some steps."""

import unittest

import interop

numpy, torch = interop.packages("numpy", "torch")

import millrace  # noqa: E402  (it needs NumPy)

LOSSES = {"mse": torch.nn.MSELoss, "mae": torch.nn.L1Loss, "huber": torch.nn.HuberLoss}
LABELS = {"task": "multilabel", "loss": None}
BATCH, EPOCHS = 24, 4  # 100 samples: the fifth batch has 4


def network(widths, weights, activation):
    """The module that Millrace's names are those of, with these weights."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(inputs, outputs), activation()]
    model = torch.nn.Sequential(*layers[:-1])
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    return model


class PyTorchTest(unittest.TestCase):
    def setUp(self):
        random = numpy.random.default_rng(3)
        self.x = random.normal(size=(100, 7)).astype(numpy.float32)
        # Some errors on either side of Huber's bend, and none that is 0, where an absolute one has no slope.
        y = numpy.tanh(self.x @ random.normal(size=(7, 3))) * [30.0, 0.5, 2.0] + [400.0, -1.0, 0.3]
        self.y = y.astype(numpy.float32)

    def same(self, y, loss, epochs=EPOCHS, activation="relu", modules=torch.nn.ReLU, **options):
        run = {"task": "regression", "loss": loss, "hidden": [16, 9], "batch": BATCH, "shuffle": False, "val_size": 0,
               "device": "cpu", "activation": activation, **(LABELS if loss == "bce" else {})}
        first = millrace.train((self.x, y), **run, epochs=1, **{**options, "lr": 0})
        found = millrace.train((self.x, y), **run, epochs=epochs, **options)

        targets = torch.from_numpy(y).reshape(100, -1)
        if (scales := found.model.target_scales) is not None:
            wanted = [targets.mean(dim=0).numpy(), targets.std(dim=0, correction=0).numpy()]
            numpy.testing.assert_allclose(scales, wanted, rtol=1e-5)
            mean, deviation = map(torch.from_numpy, scales)
            targets = (targets - mean) / deviation
        model = network(found.model.widths, first.model.parameters(), modules)
        sgd = {key: options[key] for key in ("lr", "momentum", "weight_decay") if key in options}
        optimizer = torch.optim.SGD(model.parameters(), **sgd)
        criterion, losses = torch.nn.BCEWithLogitsLoss() if loss == "bce" else LOSSES[loss](), []
        for _ in range(epochs):
            total = 0.0
            for begin in range(0, 100, BATCH):
                x, wanted = torch.from_numpy(self.x[begin:begin + BATCH]), targets[begin:begin + BATCH]
                optimizer.zero_grad()
                value = criterion(model(x), wanted)
                value.backward()
                optimizer.step()
                total += value.item() * len(x)
            losses.append(total / 100)

        numpy.testing.assert_allclose([epoch["train_loss"] for epoch in found.epochs], losses, rtol=1e-5)
        ours = found.model.parameters()
        for name, values in model.state_dict().items():
            numpy.testing.assert_allclose(ours[name], values.numpy(), atol=1e-5, err_msg=name)
            self.assertGreater(abs(ours[name] - first.model.parameters()[name]).max(), 1e-3, name)  # it was trained
        with torch.no_grad():
            outputs = model.eval()(torch.from_numpy(self.x))
        if loss == "bce":
            numpy.testing.assert_allclose(found.model.logits(self.x), outputs.numpy(), rtol=1e-4, atol=1e-4)
            return
        if scales is not None:
            outputs = outputs * deviation + mean
        numpy.testing.assert_allclose(found.model.predict(self.x).reshape(100, -1), outputs.numpy(), rtol=1e-4, atol=1e-4)

    def test_each_loss_of_one_target_and_of_several(self):
        for loss in LOSSES:
            for y in (self.y, self.y[:, 0], self.y[:, 1:2]):
                with self.subTest(loss=loss, shape=y.shape):
                    self.same(y, loss, lr=0.1)

    def test_labels(self):
        labels = (self.y > numpy.median(self.y, axis=0)).astype(numpy.float32)
        for y in (labels, labels[:, 0], labels[:, 1:]):
            with self.subTest(shape=y.shape):
                self.same(y, "bce", lr=0.5)
        self.same(labels, "bce", lr=0.2, momentum=0.9, weight_decay=1e-3, activation="tanh", modules=torch.nn.Tanh)

    def test_one_step(self):
        for loss in LOSSES:
            with self.subTest(loss=loss):
                self.same(self.y, loss, epochs=1, lr=0.5)

    def test_targets_as_they_are(self):
        for loss in LOSSES:
            with self.subTest(loss=loss):
                self.same(self.y[:, 1:], loss, lr=0.1, standardize_targets=False)

    def test_momentum_decay_and_other_activations(self):
        for loss in LOSSES:
            with self.subTest(loss=loss):
                self.same(self.y, loss, lr=0.05, momentum=0.9, weight_decay=1e-3, activation="tanh", modules=torch.nn.Tanh)


if __name__ == "__main__":
    unittest.main()
