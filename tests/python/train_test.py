"""Training from Python: the program's own bits, events, interrupts, models, and what is refused."""

import decimal
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

import interop

(numpy,) = interop.packages("numpy")

import millrace  # noqa: E402  (it needs NumPy)

QUICK = {"batch": 32, "epochs": 3, "val_size": 60, "device": "cpu"}


def patterns(count, seed):
    """Four patterns under noise, 6x5 bytes."""
    random = numpy.random.default_rng(seed)
    means = numpy.random.default_rng(0).integers(0, 120, (4, 6, 5)).astype(numpy.uint8)
    y = random.integers(0, 4, count).astype(numpy.uint8)
    return means[y] + random.integers(0, 120, (count, 6, 5)).astype(numpy.uint8), y


class TrainTest(unittest.TestCase):
    def setUp(self):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.train, self.test = patterns(660, 1), patterns(200, 2)

    def hash_of(self, data, **options):
        return millrace.train(data, **{**QUICK, **options}).summary["weights_hash"]

    def write(self):
        """A folder of .npy files."""
        data = self.folder / "data"
        data.mkdir()
        for name, (x, y) in (("train", self.train), ("test", self.test)):
            numpy.save(data / f"x_{name}.npy", x)
            numpy.save(data / f"y_{name}.npy", y)
        return data

    # Runs

    def test_every_form_of_data_gives_the_same_bits(self):
        folder = self.write()
        run = millrace.train(folder, **QUICK)
        self.assertGreater(run.test_acc, 0.9)
        wanted = run.summary["weights_hash"]
        opened = millrace.open(folder)
        strided = numpy.concatenate([self.train[0]] * 2, axis=2)[:, :, :5].astype(">i2").astype(numpy.uint8)
        for data in (str(folder), opened, opened.train, self.train, (strided, self.train[1].astype(">i4")),
                     millrace.from_arrays(*self.train)):
            self.assertEqual(self.hash_of(data), wanted)

    def test_it_is_the_program_s_run(self):
        trainer = os.environ["MILLRACE_TRAINER"]
        folder, metrics = self.write(), self.folder / "m.jsonl"
        subprocess.run([trainer, "--data", folder, "--metrics", metrics, "--hidden", "16,8", "--batch", "32",
                        "--epochs", "2", "--batch-norm", "on", "--optimizer", "adam", "--lr", "1e-2", "--shift", "1",
                        "--device", "cpu", "--quiet"], check=True, stderr=subprocess.DEVNULL)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            run = millrace.train(folder, hidden=(16, 8), batch=numpy.int64(32), epochs=2, batch_norm=True,
                                 optimizer="adam", lr=numpy.float64(0.01), shift=1, device="cpu")
        self.assertEqual([str(warning.message) for warning in told],
                         ["validation takes 110 of 660 samples; val_size says otherwise"])
        self.assertIn(run.summary["weights_hash"], metrics.read_text())

    def test_says_what_became_of_it(self):
        seen = []
        run = millrace.train(self.train, test=self.test, on_epoch=seen.append, **QUICK)
        self.assertEqual(seen, run.epochs)
        self.assertEqual([epoch["epoch"] for epoch in seen], [0, 1, 2])
        self.assertLess(run.epochs[2]["val_loss"], run.epochs[0]["val_loss"])
        self.assertEqual((run.summary["test_acc"], run.summary["widths"]), (run.test_acc, [30, 32, 4]))
        self.assertNotIn("peak_rss_mb", run.summary)
        self.assertEqual((run.stopped, run.checkpoint), (False, None))
        self.assertIn("bound", run.verdict)

    def test_validation_is_what_is_given(self):
        options = {key: value for key, value in QUICK.items() if key != "val_size"}
        run = millrace.train(self.train, validation=self.test, **options)
        self.assertEqual((run.summary["train_samples"], run.summary["val_samples"]), (660, 200))
        with self.assertRaisesRegex(ValueError, "val_size and validation: expected one of them"):
            millrace.train(self.train, validation=self.test, **QUICK)

    def test_streams_what_was_opened_as_a_stream(self):
        run = millrace.train(millrace.open(self.write(), stream=True), **QUICK)
        self.assertEqual(run.summary["residency"], "stream")

    def test_a_recipe_is_options_too(self):
        recipe = self.folder / "r.toml"
        recipe.write_text("hidden = [8]\nepochs = 9\n")
        run = millrace.train(self.train, config=recipe, **QUICK)
        self.assertEqual((run.summary["widths"], len(run.epochs)), ([30, 8, 4], 3))
        recipe.write_text("lr = 0.1\nhiden = [8]\n")
        with self.assertRaisesRegex(ValueError, f"^{recipe}:2: unknown option hiden; did you mean hidden"):
            millrace.train(self.train, config=recipe)

    def test_names_the_samples_that_cannot_be_read(self):
        for name in ("cat", "dog"):
            (self.folder / name).mkdir()
            for i in range(20):
                (self.folder / name / f"{i:02}.pgm").write_bytes(b"P5 4 2 255\n" + bytes([i] * 8))
        (self.folder / "dog" / "03.pgm").write_bytes(b"P5 4 2 255\n" + bytes(5))
        options = {**QUICK, "val_size": 4, "batch": 8}
        with self.assertRaisesRegex(millrace.DataError, "dog/03.pgm"):
            millrace.train(self.folder, **options)
        with self.assertWarnsRegex(UserWarning, "bad samples: 1, which Run.bad names"):
            run = millrace.train(self.folder, on_bad="skip", bad_budget=2, **options)
        with self.assertRaisesRegex(millrace.DataError, r"the budget \(bad_budget\) is 0"):
            millrace.train(self.folder, on_bad="skip", bad_budget=0, **options)
        ((dataset, number, reason),) = run.bad
        self.assertEqual((dataset, number), (str(self.folder), 23))
        self.assertIn("dog/03.pgm", reason)

    # Ends before the end

    def test_goes_on_where_on_epoch_stopped_it(self):
        wanted = self.hash_of(self.train, epochs=6)
        kept = {"checkpoint_dir": self.folder / "c", "epochs": 6}
        run = millrace.train(self.train, **{**QUICK, **kept}, on_epoch=lambda epoch: epoch["epoch"] == 2)
        self.assertTrue(run.stopped)
        self.assertLess(len(run.epochs), 6)
        self.assertEqual(run.checkpoint.parent, self.folder / "c")
        with self.assertRaisesRegex(ValueError, "checkpoint_dir .*: expected no checkpoints of another run"):
            self.hash_of(self.train, **kept)
        self.assertEqual(self.hash_of(self.train, resume=True, **kept), wanted)
        self.assertEqual(self.hash_of(self.train, force=True, **kept), wanted)

    def test_an_error_of_on_epoch_ends_it(self):
        def fail(_):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            millrace.train(self.train, on_epoch=fail, checkpoint_dir=self.folder, **QUICK)
        self.assertTrue((self.folder / "last.safetensors").exists())

    def test_an_interrupt_ends_it_after_a_checkpoint(self):
        def interrupt(epoch):
            if epoch["epoch"] == 1:
                os.kill(os.getpid(), signal.SIGINT)

        kept = {**QUICK, "epochs": 10**9, "checkpoint_dir": self.folder}
        with self.assertRaises(KeyboardInterrupt):
            millrace.train(self.train, on_epoch=interrupt, **kept)
        self.assertTrue((self.folder / "last.safetensors").exists())
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            millrace.train(self.train, resume=True, **kept)

    def test_a_warning_that_is_an_error_ends_it(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with self.assertRaisesRegex(UserWarning, "validation takes 110 of 660"):
                millrace.train(self.train, epochs=1)

    def test_threads_train_side_by_side(self):
        wanted, found = self.hash_of(self.train), []
        threads = [threading.Thread(target=lambda: found.append(self.hash_of(self.train))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, [wanted] * 3)

    def test_a_fork_in_on_epoch_is_told_and_ends(self):
        parent, children = os.getpid(), []

        def fork(epoch):
            if epoch["epoch"] == 0 and os.getpid() == parent:
                children.append(os.fork())
                if children[0] == 0:
                    signal.alarm(60)

        wanted, status = self.hash_of(self.train), 1
        try:
            found = self.hash_of(self.train, on_epoch=fork)
        except RuntimeError as error:
            status = 0 if "belongs to the process that started it" in str(error) else 2
        finally:
            if os.getpid() != parent:
                os._exit(status)
        self.assertEqual(os.waitpid(children[0], 0)[1], 0)
        self.assertEqual(found, wanted)

    def test_the_interpreter_s_end_meets_daemon_threads(self):
        code = """if True:
            import sys, threading, time
            import millrace, train_test
            data, begun = train_test.patterns(660, 1), threading.Event()
            samples = millrace.from_arrays(*data)
            model = millrace.train(data, epochs=1, val_size=60, device="cpu").model
            def train(on_epoch=None):
                begun.set()
                millrace.train(data, epochs=10**9, val_size=60, device="cpu", on_epoch=on_epoch)
            def told():
                train(lambda epoch: [time.sleep(0.001) for _ in range(100)] and None)
            def predict():
                while True:
                    model.predict(data[0])
                    begun.set()
            def load():
                for _ in iter(lambda: len(list(millrace.Loader(samples))), 0):
                    begun.set()
            threading.Thread(target=globals()[sys.argv[1]], daemon=True).start()
            begun.wait()
            time.sleep(0.2)"""
        for what in ("train", "told", "predict", "load"):
            done = subprocess.run([sys.executable, "-B", "-c", code, what], cwd=pathlib.Path(__file__).parent, timeout=60,
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), what)

    # Models

    def test_a_model_says_what_it_sees(self):
        model = millrace.train(self.train, **QUICK).model
        x, y = self.test
        logits = model.logits(x)
        self.assertEqual((logits.dtype, logits.shape), (numpy.float32, (200, 4)))
        shares = numpy.exp(logits - logits.max(axis=1, keepdims=True))
        numpy.testing.assert_allclose(model.probabilities(x), shares / shares.sum(axis=1, keepdims=True), rtol=1e-5)
        numpy.testing.assert_array_equal(model.predict(x), logits.argmax(axis=1))
        numpy.testing.assert_array_equal(model.predict(millrace.from_arrays(x, y)), model.predict(x))
        found = model.evaluate((x, y))
        self.assertEqual((found["samples"], found["accuracy"]), (200, (model.predict(x) == y).mean()))
        self.assertEqual(found["confusion"].sum(), 200)
        self.assertEqual(found["confusion"].trace(), (model.predict(x) == y).sum())
        train, validation = millrace.split(millrace.from_arrays(x, y), 50)
        self.assertEqual(model.evaluate((x, y), subset=validation)["samples"], 50)
        self.assertEqual((model.widths, model.shape, repr(model)), ([30, 32, 4], (6, 5), "<millrace.Model 30-32-4>"))

    def test_its_parameters_are_the_network(self):
        model = millrace.train(self.train, **QUICK).model
        weights = model.parameters()
        self.assertEqual(list(weights), ["0.weight", "0.bias", "2.weight", "2.bias"])
        x = self.test[0].reshape(200, 30).astype(numpy.float32) / 255
        hidden = numpy.maximum(x @ weights["0.weight"].T + weights["0.bias"], 0)
        numpy.testing.assert_allclose(hidden @ weights["2.weight"].T + weights["2.bias"],
                                      model.logits(self.test[0]), atol=1e-4)

    def test_classes_have_weights(self):
        plain = self.hash_of(self.train)
        self.assertEqual(self.hash_of(self.train, class_weights=numpy.ones(4)), plain)
        counts = numpy.bincount(self.train[1])
        weights = (660 / (4 * counts)).astype(numpy.float32)
        balanced = self.hash_of(self.train, class_weights="balanced")
        self.assertEqual(self.hash_of(self.train, class_weights=weights), balanced)
        self.assertNotEqual(balanced, plain)

    def test_a_model_standardises_what_it_is_given(self):
        self.assertIsNone(millrace.train(self.train, **QUICK).model.standardizer)
        table = lambda part: (part[0].reshape(-1, 30).astype(numpy.float32) * 900 + 1e5, part[1])
        run = millrace.train(table(self.train), test=table(self.test), standardize=True, **QUICK)
        self.assertGreater(run.test_acc, 0.9)
        mean, deviation = run.model.standardizer
        self.assertEqual((mean.shape, deviation.dtype), ((30,), numpy.float32))
        x, y = table(self.test)
        self.assertEqual((run.model.predict(x) == y).mean(), run.test_acc)
        # A run on what was standardised before is the same one.
        before = lambda part: ((table(part)[0] - mean) / deviation, part[1])
        plain = millrace.train(before(self.train), **QUICK).model
        self.assertEqual(plain.weights_hash(), run.model.weights_hash())
        numpy.testing.assert_array_equal(plain.logits(before(self.test)[0]), run.model.logits(x))
        run.model.save(self.folder / "m.safetensors")
        numpy.testing.assert_array_equal(millrace.load(self.folder / "m.safetensors").logits(x), run.model.logits(x))
        with self.assertRaisesRegex(ValueError, "^standardize: expected samples that are no images"):
            millrace.train(self.train, standardize=True, **QUICK)

    def test_a_model_works_in_a_fork(self):
        model = millrace.train(self.train, **QUICK).model
        wanted = model.predict(self.test[0])
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            same = numpy.array_equal(model.predict(self.test[0]), wanted)
            del model
            os._exit(0 if same else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        numpy.testing.assert_array_equal(model.predict(self.test[0]), wanted)

    def test_a_saved_model_is_the_same(self):
        run = millrace.train(self.train, checkpoint_dir=self.folder / "c", **QUICK)
        run.model.save(self.folder / "m.safetensors")
        loaded = millrace.load(self.folder / "m.safetensors", device="cpu", threads=1)
        self.assertEqual(loaded.weights_hash(), run.summary["weights_hash"])
        numpy.testing.assert_array_equal(loaded.logits(self.test[0]), run.model.logits(self.test[0]))
        best = max(run.epochs, key=lambda epoch: (epoch["val_acc"], -epoch["val_loss"]))
        kept = millrace.load(self.folder / "c").evaluate(self.train, subset=millrace.split(
            millrace.from_arrays(*self.train), 60)[1])
        self.assertAlmostEqual(kept["accuracy"], best["val_acc"])
        run.model.save_onnx(self.folder / "m.onnx")
        self.assertGreater((self.folder / "m.onnx").stat().st_size, 30 * 32 * 4)

    def test_class_names_come_along(self):
        data = millrace.from_arrays(*self.train, class_names=["oak", "elm", "fir", "yew"])
        self.assertEqual(millrace.train(data, **QUICK).model.class_names, ["oak", "elm", "fir", "yew"])
        with self.assertRaisesRegex(millrace.DataError, "y: .*label"):
            millrace.from_arrays(*self.train, class_names=["oak", "elm"])

    # What goes wrong

    def test_values_are_taken_for_what_they_are(self):
        wanted = self.hash_of(self.train, lr=0.25, hidden=[8], shuffle=False)
        for options in ({"lr": numpy.array(0.25), "hidden": numpy.array([8]), "shuffle": numpy.False_},
                        {"lr": decimal.Decimal("0.25"), "hidden": numpy.array(8), "shuffle": False,
                         "resume": numpy.False_}):
            self.assertEqual(self.hash_of(self.train, **options), wanted)
        endless = []
        endless.append(endless)
        for message, options in (("lr: expected a number, text, .*, found bytes", {"lr": b"1"}),
                                 ("lr: expected a number, text, .*, found complex", {"lr": 1j}),
                                 ("hidden: expected a number, text, .*, found list", {"hidden": endless}),
                                 ("checkpoint_dir: expected a path, found bool", {"checkpoint_dir": True}),
                                 ("checkpoint_dir: expected a path, found bytes", {"checkpoint_dir": b"x"}),
                                 ("resume: expected a path, True or False, found int", {"resume": 1}),
                                 ("gray: expected True or False, found int", {"gray": 0}),
                                 ("x: expected an array without a mask", {"test": self.masked()})):
            with self.assertRaisesRegex(TypeError, f"^{message}"):
                self.hash_of(self.train, **options)
        for options in ({"config": "a\0b"}, {"checkpoint_dir": "\ud800"}):
            with self.assertRaises(ValueError):
                self.hash_of(self.train, **options)

        class Unwilling:
            def __float__(self):
                raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            self.hash_of(self.train, lr=Unwilling())

    def masked(self):
        x, y = self.test
        return numpy.ma.masked_greater(x, 100), y

    def test_paths_may_be_any_bytes(self):
        folder = self.folder / os.fsdecode(b"caf\xe9")
        run = millrace.train(self.train, checkpoint_dir=folder, **QUICK)
        self.assertEqual(run.checkpoint.parent, folder)
        with self.assertRaises(ValueError) as raised:
            self.hash_of(self.train, checkpoint_dir=str(folder))
        self.assertIn(str(folder), str(raised.exception))
        self.assertEqual(self.hash_of(self.train, resume=folder / "last.safetensors"), run.summary["weights_hash"])

    def test_options_are_named_as_they_were_given(self):
        for message, options in (("unknown option lrr; did you mean lr?", {"lrr": 1}),
                                 ("lr: expected a finite number of at least 0, found -1", {"lr": -1}),
                                 ("label_smoothing: expected .*, found 2", {"label_smoothing": 2}),
                                 ("class_weights: expected 4 numbers, .*, found 2", {"class_weights": [1, 2]}),
                                 ("val_size: expected .*, found 660", {"val_size": 660}),
                                 ("optimizer nesterov: expected momentum with it", {"optimizer": "nesterov"}),
                                 ("beta1: expected optimizer adam or adamw with it, found sgd", {"beta1": 0.5}),
                                 ("device: expected auto, cpu, cuda or cuda:N, found 'tpu'", {"device": "tpu"})):
            with self.assertRaisesRegex(ValueError, f"^{message}"):
                millrace.train(self.train, **{**QUICK, **options})
        for message, options in (("metrics: it is the program's", {"metrics": "m"}),
                                 ("image_size, resize, .*: expected a path or a DataFrame to open with them", {"resize": "3x3"})):
            with self.assertRaisesRegex(ValueError, f"^{message}"):
                millrace.train(self.train, **QUICK, **options)
        for message, options in (("lr: expected a number, text, .*, found dict", {"lr": {}}),
                                 ("on_epoch: expected a function, found int", {"on_epoch": 3}),
                                 ("test: expected a Dataset or a pair of arrays", {"test": self.test[0]})):
            with self.assertRaisesRegex(TypeError, f"^{message}"):
                millrace.train(self.train, **QUICK, **options)

    def test_data_that_do_not_fit_are_named(self):
        x, y = self.train
        for message, error, pair in (("y: expected 660 labels, .* found 3", millrace.DataError, (x, y[:3])),
                                     ("y: .*-1", millrace.DataError, (x, y.astype(int) - 1)),
                                     ("x: expected an array of numbers, found one of <U1", TypeError, (["a"], [0])),
                                     ("x", millrace.DataError, (numpy.float32(3), [0]))):
            with self.assertRaisesRegex(error, f"^{message}"):
                millrace.train(pair, **QUICK)
        model = millrace.train(self.train, **QUICK).model
        for other in (x.astype(numpy.float32), x[:, :5], millrace.from_arrays(x.reshape(660, 30), y)):
            with self.assertRaisesRegex(millrace.DataError, "does not go with the data: samples: model 6x5 uint8"):
                model.predict(other)
        bad = x.astype(numpy.float32)
        bad[7, 3, 2] = numpy.nan
        floats = millrace.train((x.astype(numpy.float32) / 255, y), **QUICK).model
        for ask in (lambda: floats.evaluate((bad, y)), lambda: floats.predict(bad), lambda: floats.probabilities(bad)):
            with self.assertRaisesRegex(millrace.DataError, "sample 7, element 17: expected a number that is finite"):
                ask()

    def test_errors_have_types_of_their_own(self):
        with self.assertRaisesRegex(millrace.DivergedError, "its loss is not finite"):
            millrace.train(self.train, **QUICK, lr=1e30)
        with self.assertRaisesRegex(millrace.DataError, "nowhere"):
            millrace.train(self.folder / "nowhere", **QUICK)
        with self.assertRaisesRegex(millrace.DataError, "nowhere"):
            millrace.load(self.folder / "nowhere")
        with self.assertRaisesRegex(ValueError, "^device: expected auto, cpu, cuda or cuda:N, found 'tpu'"):
            millrace.load(self.folder / "nowhere", device="tpu")


if __name__ == "__main__":
    unittest.main()
