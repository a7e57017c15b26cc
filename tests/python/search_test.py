"""millrace.search(): which options are best, from Python."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import types
import unittest
import warnings

import interop

interop.packages("numpy")

import millrace  # noqa: E402  (it needs NumPy)
import numpy  # noqa: E402


TOOLS = pathlib.Path(os.environ["MILLRACE_TRAINER"]).with_name("tools")
MANUAL = pathlib.Path(__file__).resolve().parents[2] / "docs/python.md"


def samples(count, seed=0):
    draw = numpy.random.default_rng(seed)
    x = draw.normal(size=(count, 6)).astype("float32")
    return x, (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype("int32")


COMMON = {"val_size": 60, "batch": 16, "epochs": 3, "device": "cpu"}


class Search(unittest.TestCase):
    data = samples(300)

    def test_tries_all_of_lists_and_names_the_best(self):
        found = millrace.search(self.data, {"lr": [0.01, 0.3], "hidden": [[8], [16, 8]], "batch_norm": [True, False]}, **COMMON)
        self.assertEqual(len(found.trials), 8)
        self.assertEqual(sorted(t["trial"] for t in found.trials), list(range(1, 9)))
        scores = [t["score"] for t in found.trials]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertIs(found.best, found.trials[0]["options"])
        self.assertEqual({(t["options"]["lr"], tuple(t["options"]["hidden"]), t["options"]["batch_norm"])
                          for t in found.trials},
                         {(lr, hidden, norm) for lr in (0.01, 0.3) for hidden in ((8,), (16, 8)) for norm in (True, False)})
        # The best one's options are keywords, and its run is train()'s.
        run = millrace.train(self.data, **COMMON, **found.best)
        self.assertEqual(found.trials[0]["runs"][0]["weights_hash"], run.model.weights_hash())
        self.assertEqual(found.trials[0]["score"], max(e["val_acc"] for e in run.epochs))

    def test_draws_from_ranges(self):
        over = {"lr": "0.001..1:log", "batch": "8..64", "activation": numpy.array(["relu", "tanh"])}
        found = millrace.search(self.data, over, trials=12, search_seed=3, val_size=60, epochs=1)
        self.assertEqual(len(found.trials), 12)
        for trial in found.trials:
            options = trial["options"]
            self.assertIsInstance(options["lr"], float)
            self.assertTrue(0.001 <= options["lr"] <= 1)
            self.assertIsInstance(options["batch"], int)
            self.assertIn(options["activation"], ("relu", "tanh"))
        again = millrace.search(self.data, over, trials=12, search_seed=3, val_size=60, epochs=1, parallel=1)
        self.assertEqual([t["options"] for t in again.trials], [t["options"] for t in found.trials])
        self.assertEqual([t["score"] for t in again.trials], [t["score"] for t in found.trials])
        self.assertEqual(len(millrace.search(self.data, {"lr": "0.1..1"}, val_size=60, epochs=1).trials), 20)

    def test_halves_and_folds_and_keeps_a_journal(self):
        with tempfile.TemporaryDirectory() as folder:
            journal = pathlib.Path(folder) / "j.jsonl"
            found = millrace.search(self.data, {"lr": numpy.logspace(-3, 0, 4)}, halving=2, epochs=4, folds=3,
                                    journal=journal, batch=16)
            self.assertEqual([t["epochs"] for t in found.trials], [4, 2, 1, 1])
            self.assertEqual([r["fold"] for r in found.trials[0]["runs"]], [1, 2, 3])
            self.assertAlmostEqual(found.trials[0]["score"], numpy.mean([r["score"] for r in found.trials[0]["runs"]]))
            lines = journal.read_text().splitlines()
            self.assertEqual(len(lines), 3 * (4 + 2 + 1))
            self.assertEqual(sum("until" in json.loads(line) for line in lines), 3 * 6)
            again = millrace.search(self.data, {"lr": numpy.logspace(-3, 0, 4)}, halving=2, epochs=4, folds=3,
                                    journal=journal, batch=16)
            self.assertEqual(again.trials, found.trials)
            self.assertEqual(len(journal.read_text().splitlines()), len(lines))

    def test_says_what_diverged(self):
        found = millrace.search(self.data, {"lr": [1e30, 0.1]}, **COMMON)
        self.assertEqual(found.best, {"lr": 0.1})
        self.assertIsNone(found.trials[1]["score"])
        self.assertTrue(found.trials[1]["runs"][0]["diverged"])
        self.assertIsNone(millrace.search(self.data, {"lr": [1e30, 1e31]}, **COMMON).best)

    def test_of_other_tasks_and_open_data(self):
        x, labels = self.data
        data = millrace.from_arrays(x, x[:, :2] * 3 + 1, task="regression")
        found = millrace.search(data, {"lr": [0.001, 0.1]}, **COMMON)
        self.assertEqual(found.best, {"lr": 0.1})
        own = millrace.search((x, labels), {"lr": [0.1, 0.3]}, validation=samples(50, seed=1), epochs=1, batch=16)
        run = millrace.train((x, labels), validation=samples(50, seed=1), epochs=1, batch=16, **own.best)
        self.assertEqual(run.epochs[0]["val_acc"], own.trials[0]["score"])

    def test_tells_what_cannot_be(self):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = millrace.search(self.data, {"optimizer": ["sgd", "adam"], "momentum": [0, 0.9]}, **COMMON)
        self.assertEqual(len(found.trials), 3)
        self.assertIn("1 of 4 combinations cannot be, and are left out: optimizer=adam momentum=0.9 (momentum: expected",
                      str(told[0].message))
        for over, keywords, error, message in (
                ({}, {}, ValueError, "expected what to try"),
                (["lr"], {}, TypeError, "over: expected a dict of options and what to try for them, found list"),
                ({1: [2]}, {}, TypeError, "over: expected names of options, found int"),
                ({"--lr": [2]}, {}, ValueError, "over: expected names of options, found '--lr'"),
                ({"lr": 0.1}, {}, TypeError, "lr: expected a list of values"),
                ({"lr": b"0.1"}, {}, TypeError, "lr: expected a list of values, or text"),
                ({"lr": ["0.1..0.2"]}, {}, ValueError, "lr: expected values in the list, found '0.1..0.2'"),
                ({"weight_decay": "1..0"}, {}, ValueError, "weight_decay: expected two numbers"),
                ({"lr": [0.1]}, {"resume": True}, ValueError, "resume: expected journal, by which a search goes on"),
                ({"lr": [0.1]}, {"checkpoint_dir": "c"}, ValueError, "checkpoint_dir: it is of one run"),
                ({"lr": [0.1]}, {"report": "r"}, ValueError, "report: it is of one run"),
                ({"lr": [0.1]}, {"folds": 3, "validation": self.data}, ValueError, "folds and validation: expected one"),
                ({"lr": []}, {}, ValueError, "lr: expected values with / between"),
                ({"lr": [0.1, object()]}, {}, TypeError, "lr: expected a number, text"),
                ({"lr": ["x"]}, {}, ValueError, "lr: expected a finite number"),
                ({"learning_rate": [1]}, {}, ValueError, "unknown option learning_rate; did you mean lr"),
                ({"threads": [1, 2]}, {}, ValueError, "threads: expected an option of the model"),
                ({"lr": [0.1]}, {"metrics": "m.jsonl"}, ValueError, "metrics: it is the program's, not of search()"),
                ({"lr": [0.1]}, {"val_size": 0}, ValueError, "val_size: expected validation samples")):
            with self.assertRaises(error) as raised:
                millrace.search(self.data, over, **keywords)
            self.assertTrue(str(raised.exception).startswith(message), str(raised.exception))
        with self.assertRaisesRegex(ValueError, "folds, repeat"):
            millrace.train(self.data, folds=3)

    def test_the_manual_s_example_searches(self):
        section = MANUAL.read_text(encoding="utf-8").partition("## Which options are best\n")[2].partition("\n## ")[0]
        example = section.partition("```python\n")[2].partition("```")[0]
        told = io.StringIO()
        names = {}
        with contextlib.redirect_stdout(told):
            exec(compile(example, MANUAL, "exec"), names)
        self.assertEqual(len(told.getvalue().splitlines()), 3)
        self.assertEqual(max(e["val_acc"] for e in names["run"].epochs), names["search"].trials[0]["score"])

    def test_warnings_as_errors_come_before_much_is_trained(self):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            journal = pathlib.Path(folder) / "j.jsonl"
            with self.assertRaisesRegex(UserWarning, "validation takes 50 of 300"):
                millrace.search(self.data, {"seed": list(range(500))}, epochs=50, batch=16, journal=journal)
            self.assertLess(journal.read_text().count("\n"), 500)

    def test_a_stream_is_another_order(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([TOOLS, "synth", folder + "/digits", "--count", "600", "--test-count", "100"], check=True,
                           stdout=subprocess.DEVNULL)
            common = {"epochs": 1, "val_size": 100, "hidden": [8], "journal": folder + "/j.jsonl"}
            hashes = [millrace.search(millrace.open(folder + "/digits", stream=stream), {"lr": [0.1]}, **common)
                      .trials[0]["runs"][0]["weights_hash"] for stream in (False, True)]
            self.assertNotEqual(*hashes)
            del common["journal"]
            data = millrace.open(folder + "/digits", stream=True)
            self.assertEqual(hashes[1], millrace.train(data, lr=0.1, **common).model.weights_hash())

    def test_takes_any_mapping(self):
        over = types.MappingProxyType({"lr": (0.01, 0.3), "seed": range(2)})
        found = millrace.search(self.data, over, **COMMON)
        self.assertEqual(len(found.trials), 4)
        self.assertEqual(found.best["lr"], 0.3)

    def test_other_threads_run_beside_it(self):
        seen = []
        done = threading.Event()

        def beside():
            while not done.wait(0.005):
                seen.append(1)

        thread = threading.Thread(target=beside)
        thread.start()
        try:
            millrace.search(self.data, {"seed": list(range(100))}, epochs=60, val_size=60, batch=16)
        finally:
            done.set()
            thread.join()
        self.assertGreater(len(seen), 5)

    def test_ctrl_c_ends_it_and_the_journal_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            journal = pathlib.Path(folder) / "j.jsonl"
            program = ("import sys, numpy, millrace\n"
                       "x = numpy.random.default_rng(0).normal(size=(2000, 20))\n"
                       "millrace.search((x, x[:, 0] > 0), {'seed': list(range(1000))}, epochs=20, journal=sys.argv[1])\n")
            run = subprocess.Popen([sys.executable, "-c", program, journal], stderr=subprocess.PIPE, text=True)
            while not journal.exists() or journal.read_text().count("\n") < 3:
                self.assertIsNone(run.poll(), "the search ended by itself")
            run.send_signal(signal.SIGINT)
            error = run.communicate(timeout=60)[1]
            self.assertIn("KeyboardInterrupt", error)
            self.assertIn(run.returncode, (1, 130, -signal.SIGINT))
            # What had ended is not run again.
            ended = journal.read_text().splitlines()
            seeds = [json.loads(line)["run"]["seed"] for line in ended]
            self.assertGreaterEqual(len(seeds), 3)
            again = program.replace("list(range(1000))", repr(seeds))
            subprocess.run([sys.executable, "-W", "ignore", "-c", again, journal], check=True, timeout=60)
            self.assertEqual(journal.read_text().splitlines(), ended)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONFAULTHANDLER", "1")
    unittest.main()
