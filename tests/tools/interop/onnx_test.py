"""trainer export against ONNX's own checker and ONNX Runtime: the same outputs as the trainer's own engine, of a whole
data set and of pictures.

Run as: onnx_test.py TRAINER TOOLS. Skipped without the packages numpy, onnx, onnxruntime, pillow and safetensors.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

numpy, onnx, onnxruntime, Image, safetensors = interop.packages("numpy", "onnx", "onnxruntime", "PIL.Image",
                                                                "safetensors.numpy")
TYPES = {"uint8": numpy.uint8, "float": numpy.float32}
MODELS = [["--hidden", "none"], ["--hidden", "32"], ["--hidden", "48,16"],
          ["--hidden", "48,16", "--batch-norm", "on", "--dropout", "0.2", "--optimizer", "adam", "--lr", "0.003"]]
MODELS += [["--hidden", "24,16", "--activation", name] for name in ("gelu", "tanh", "sigmoid", "leaky-relu")]


def softmax(logits):
    shares = numpy.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


class Onnx(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        raw = (self.digits / programs.TEST_IMAGES).read_bytes()
        self.images = numpy.frombuffer(raw[16:], numpy.uint8).reshape(-1, 28, 28)

    def exported(self, *arguments):
        done = self.call("export", "--checkpoint", "c/last.safetensors", "--onnx", "m.onnx", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        model = onnx.load(self.top / "m.onnx")
        onnx.checker.check_model(model, full_check=True)
        return onnxruntime.InferenceSession(str(self.top / "m.onnx"), providers=["CPUExecutionProvider"])

    def test_gives_our_outputs(self):
        for options in MODELS:
            self.train("--epochs", "2", "--checkpoint-dir", "c", "--force", *options)
            done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.digits, "--outputs",
                             "o.safetensors", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            ours = safetensors.load_file(self.top / "o.safetensors")
            self.assertEqual(ours["samples"].tolist(), list(range(200)))
            logits = ours["logits"].astype(numpy.float64)
            expected = {"logits": logits, "probabilities": softmax(logits)}
            for kind, dtype in TYPES.items():
                for output, values in expected.items():
                    with self.subTest(options=options, input=kind, output=output):
                        session = self.exported("--input", kind, "--output", output)
                        (found,) = session.run([output], {"samples": self.images.astype(dtype)})
                        self.assertEqual(found.shape, (200, 10))
                        self.assertLess(abs(found - values).max(), 1e-5)
                        (one,) = session.run(None, {"samples": self.images[:1].astype(dtype)})
                        self.assertLess(abs(one - values[:1]).max(), 1e-5)
            accuracy = (logits.argmax(1) == ours["labels"]).mean()
            self.assertEqual(accuracy, json.loads(done.stdout)["accuracy"])

    def test_standardises_its_own_input(self):
        draw = numpy.random.default_rng(3)
        labels = numpy.arange(300) % 3
        scales, shifts = [1, 1e4, 1e-3, 5, 1, 0], [0, 3e5, 0, 1, 1, 4]
        tables = {"float": draw.normal(size=(300, 6)) * scales + shifts + numpy.outer(labels, [1, 9e3, 2e-3, 0, 0, 0]),
                  "uint8": draw.integers(0, 200, (300, 6)) + numpy.outer(labels, [25, 0, 9, 0, 0, 0])}
        for kind, table in tables.items():
            table = table.astype(TYPES[kind])
            data = self.top / kind
            data.mkdir()
            numpy.save(data / "x_train.npy", table)
            numpy.save(data / "y_train.npy", labels)
            self.train("--epochs", "9", "--val-size", "60", "--standardize", "on", "--checkpoint-dir", "c", "--force",
                       data=data)
            done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", data, "--split", "train",
                             "--outputs", "o.safetensors")
            self.assertEqual(done.returncode, 0, done.stderr)
            ours = safetensors.load_file(self.top / "o.safetensors")
            seen = table[ours["samples"]]
            (found,) = self.exported("--output", "logits").run(["logits"], {"samples": seen})
            self.assertLess(abs(found - ours["logits"]).max(), 1e-5)
            tensors = safetensors.load_file(self.top / "c" / "last.safetensors")
            deviation = seen.std(0, dtype=numpy.float64)
            self.assertTrue(numpy.allclose(tensors["input.mean"], seen.mean(0, dtype=numpy.float64), 1e-6, 1e-9))
            self.assertTrue(numpy.allclose(tensors["input.std"], numpy.where(deviation == 0, 1, deviation), 1e-6))

    def test_gives_targets_in_their_own_units(self):
        draw = numpy.random.default_rng(5)
        data = self.top / "numbers"
        data.mkdir()
        x = draw.normal(size=(400, 5)).astype(numpy.float32)
        y = numpy.stack([3000 + 500 * x[:, 0] * x[:, 1], x[:, 2] / 100, x[:, 3]], 1)
        numpy.save(data / "x_train.npy", x)
        numpy.save(data / "y_train.npy", y)
        for scaled in ("on", "off"):
            self.train("--task", "regression", "--epochs", "5", "--val-size", "50", "--lr", "0.05", "--standardize-targets",
                       scaled, "--optimizer", "adam", "--checkpoint-dir", "c", "--force", data=data)
            done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", data, "--split", "train",
                             "--outputs", "o.safetensors")
            self.assertEqual(done.returncode, 0, done.stderr)
            ours = safetensors.load_file(self.top / "o.safetensors")
            (found,) = self.exported().run(["targets"], {"samples": x[ours["samples"]]})
            self.assertTrue(numpy.allclose(found, ours["predictions"], 1e-5, 1e-5))
            self.assertTrue(numpy.array_equal(ours["targets"], y.astype(numpy.float32)[ours["samples"]]))
            tensors = safetensors.load_file(self.top / "c" / "last.safetensors")
            self.assertEqual("target.mean" in tensors, scaled == "on")
            if scaled == "on":
                learnt = y[ours["samples"]]
                self.assertTrue(numpy.allclose(tensors["target.mean"], learnt.mean(0), 1e-5, 1e-7))
                self.assertTrue(numpy.allclose(tensors["target.std"], learnt.std(0), 1e-5))

    def test_gives_the_probability_of_each_label(self):
        draw = numpy.random.default_rng(5)
        data = self.top / "labels"
        data.mkdir()
        x = draw.normal(size=(400, 5)).astype(numpy.float32)
        y = (x[:, :3] + x[:, 1:4] > 0.5).astype(numpy.uint8)
        numpy.save(data / "x_train.npy", x)
        numpy.save(data / "y_train.npy", y)
        self.train("--task", "multilabel", "--epochs", "5", "--val-size", "50", "--checkpoint-dir", "c", data=data)
        done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", data, "--split", "train", "--outputs",
                         "o.safetensors")
        self.assertEqual(done.returncode, 0, done.stderr)
        ours = safetensors.load_file(self.top / "o.safetensors")
        seen = x[ours["samples"]]
        (logits,) = self.exported("--output", "logits").run(["logits"], {"samples": seen})
        self.assertTrue(numpy.allclose(logits, ours["logits"], 1e-5, 1e-5))
        self.assertTrue(numpy.array_equal(ours["targets"], y[ours["samples"]]))
        (found,) = self.exported().run(["probabilities"], {"samples": seen})
        self.assertTrue(numpy.allclose(found, 1 / (1 + numpy.exp(-logits)), 1e-5, 1e-6))

    def test_says_of_pictures_what_predict_says(self):
        self.train("--epochs", "3", "--checkpoint-dir", "c", *MODELS[-1])
        evaluated = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.digits, "--json")
        (expected,) = self.exported().run(["probabilities"], {"samples": self.images})
        folder = self.top / "pictures"
        folder.mkdir()
        for i, pixels in enumerate(self.images):
            # As people have them: of one channel, of three, with a palette; dark on light too.
            picture = Image.fromarray(255 - pixels if i % 2 else pixels)
            picture.convert(("L", "RGB", "P")[i % 3]).save(folder / f"{i:03}.png")
        done = self.call("predict", "--checkpoint", "c/last.safetensors", "--json", "--top", "10", folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(lines), 200)
        for line, shares in zip(lines, expected):
            self.assertEqual(line["top"][0]["class"], shares.argmax())
            for guess in line["top"]:
                self.assertLess(abs(guess["probability"] - shares[guess["class"]]), 1e-5)
        labels = (self.digits / programs.TEST_LABELS).read_bytes()[8:]
        right = sum(line["top"][0]["class"] == label for line, label in zip(lines, labels))
        self.assertEqual(right / 200, json.loads(evaluated.stdout)["accuracy"])


if __name__ == "__main__":
    programs.main()
