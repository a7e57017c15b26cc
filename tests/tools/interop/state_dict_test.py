"""Models go to PyTorch and come from it: checkpoints load as state_dict, and a state_dict that PyTorch saved trains on.

Run as: state_dict_test.py TRAINER TOOLS. Skipped without the packages numpy, safetensors and torch.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

numpy, arrays, safetensors, torch = interop.packages("numpy", "safetensors.numpy", "safetensors.torch", "torch")


def network(hidden, batch_norm=False, dropout=0.0):
    """The module that Millrace's names are those of."""
    layers, width = [], 784
    for wide in hidden:
        layers.append(torch.nn.Linear(width, wide, bias=not batch_norm))
        layers.extend([torch.nn.BatchNorm1d(wide)] if batch_norm else [])
        layers.append(torch.nn.ReLU())
        layers.extend([torch.nn.Dropout(dropout)] if dropout else [])
        width = wide
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, 10))


def options_of(hidden, batch_norm, dropout):
    return ["--hidden", ",".join(map(str, hidden)) or "none", "--batch-norm", "on" if batch_norm else "off", "--dropout",
            str(dropout)]


NETWORKS = [((), False, 0.0), ((32,), False, 0.0), ((48, 16), False, 0.25), ((48, 16), True, 0.0), ((24,), True, 0.25)]


class StateDict(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.train_set = self.samples(programs.TRAIN_IMAGES, programs.TRAIN_LABELS)
        self.test_set = self.samples(programs.TEST_IMAGES, programs.TEST_LABELS)

    def samples(self, images, labels):
        pixels = numpy.frombuffer((self.digits / images).read_bytes()[16:], numpy.uint8).reshape(-1, 784)
        classes = numpy.frombuffer((self.digits / labels).read_bytes()[8:], numpy.uint8)
        return torch.from_numpy(pixels.astype(numpy.float32) / 255), torch.from_numpy(classes.astype(numpy.int64))

    def outputs(self):
        done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.digits, "--outputs", "o")
        self.assertEqual(done.returncode, 0, done.stderr)
        return torch.from_numpy(arrays.load_file(self.top / "o")["logits"])

    def checkpoint(self):
        tensors = safetensors.load_file(self.top / "c/last.safetensors")
        return {name: t for name, t in tensors.items() if not name.startswith("optimizer.")}

    def test_ours_goes_to_pytorch(self):
        for shape in NETWORKS:
            for optimizer in ("sgd", "adamw"):
                with self.subTest(shape=shape, optimizer=optimizer):
                    self.train(*options_of(*shape), "--epochs", "2", "--optimizer", optimizer, "--lr", "0.01", "--momentum",
                               "0.9" if optimizer == "sgd" else "0", "--checkpoint-dir", "c", "--force")
                    model = network(*shape)
                    model.load_state_dict(self.checkpoint())
                    with torch.no_grad():
                        found = model.eval()(self.test_set[0])
                    self.assertLess((found - self.outputs()).abs().max(), 1e-5)

    def test_theirs_comes_to_us_bit_for_bit(self):
        for shape in NETWORKS:
            with self.subTest(shape=shape):
                torch.manual_seed(5)
                model = network(*shape)
                model(self.train_set[0][:100])  # so that running statistics are of some use
                safetensors.save_file(model.state_dict(), self.top / "theirs.safetensors")
                self.train(*options_of(*shape), "--init", "theirs.safetensors", "--epochs", "1", "--lr", "0",
                           "--checkpoint-dir", "c", "--force")
                ours = self.checkpoint()
                for name, values in model.state_dict().items():
                    if "running_" not in name and "num_batches" not in name:
                        self.assertTrue(torch.equal(ours[name], values), name)

    def test_theirs_trains_on_as_pytorch_would(self):
        images, labels = self.train_set
        for shape in NETWORKS:
            if shape[2]:  # which outputs are dropped is each one's own dice
                continue
            with self.subTest(shape=shape):
                torch.manual_seed(6)
                model = network(*shape)
                safetensors.save_file(model.state_dict(), self.top / "theirs.safetensors")
                optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
                model.train()
                for _ in range(2):
                    for start in range(0, 1200, 100):
                        optimizer.zero_grad()
                        loss = torch.nn.functional.cross_entropy(model(images[start:start + 100]), labels[start:start + 100])
                        loss.backward()
                        optimizer.step()
                self.train(*options_of(*shape), "--init", "theirs.safetensors", "--epochs", "2", "--batch", "100", "--lr",
                           "0.1", "--momentum", "0.9", "--shuffle", "off", "--val-size", "0", "--checkpoint-dir", "c", "--force")
                ours = self.checkpoint()
                for name, values in model.state_dict().items():
                    if "num_batches" not in name:
                        self.assertLess((ours[name] - values).abs().max() / values.abs().max(), 1e-4, name)
                with torch.no_grad():
                    self.assertLess((model.eval()(self.test_set[0]) - self.outputs()).abs().max(), 1e-4)

    def test_a_state_dict_of_another_network_is_refused(self):
        safetensors.save_file(network((32,), True).state_dict(), self.top / "theirs.safetensors")
        line = self.refuses(1, "--data", self.digits, "--val-size", "200", "--init", "theirs.safetensors")
        self.assertIn("theirs.safetensors: expected ", line)


if __name__ == "__main__":
    programs.main()
