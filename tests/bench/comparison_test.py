"""bench/compare.py, latency.py, loaders.py, networks.py, regression.py, report.py and plot_width.py, with programs that
answer at once in place of the trainer, the bench programs and what they are raced against."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import contestants  # noqa: E402
import loaders  # noqa: E402
import networks  # noqa: E402
import plot_width  # noqa: E402
import report  # noqa: E402

TRAINER = """
import json, os, sys
option = lambda name: sys.argv[sys.argv.index(name) + 1]
epoch = (0.04 if option("--threads") == "1" else 0.02) / (2 if option("--precision") == "bf16" else 1)
with open(option("--metrics"), "w") as file:
    file.write(json.dumps({"epoch": 0}) + "\\n")
    file.write(json.dumps({"summary": True, "epoch_s": epoch, "test_acc": 0.97}) + "\\n")
"""
TRAIN_BENCH = """
import json, sys
precision = sys.argv[sys.argv.index("--precision") + 1]
print(json.dumps({"gflops": 160, "peak_gflops": 200, "ratio": 0.8, "precision": precision}))
"""
LOADER_BENCH = """
print('{"ratio": 0.4}')
"""
WIDTH_BENCH = """
import json
rows = [{"width": w, "threads": t, "precision": p, "step_us": w * 3.0 / t, "gflops": 90.0 * t, "peak_gflops": 100.0,
         "ratio": 0.9} for w in (32, 256, 4096) for t in (1, 2) for p in ("fp32", "bf16")]
print(json.dumps({"batch": 128, "engine": "stand-in", "rows": rows}))
"""
PEER = """
import json, sys
option = lambda name: sys.argv[sys.argv.index(name) + 1]
tuned = 0.16 if option("--threads") == "1" else 0.3
print("Epoch [0], val_loss: 1.0")
print(json.dumps({"torch": "9.9", "epoch_s": tuned if option("--mode") == "tuned" else 4.0}))
"""


class Comparison(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        (self.top / "build" / "bin").mkdir(parents=True)
        self.data = self.top / "data"
        self.data.mkdir()
        contestants.random_idx_files(self.data, 60, 10)
        for name, text in (("trainer", TRAINER), ("train_bench", TRAIN_BENCH), ("loader_bench", LOADER_BENCH),
                           ("width_bench", WIDTH_BENCH)):
            self.program(name, text)
        # Stands before the real interpreter for `import torch`: any Python will do for the stand-in peer.
        (self.top / "torch.py").touch()
        (self.top / "numpy.py").touch()
        self.peer = self.top / "peer.py"
        self.peer.write_text(PEER, encoding="utf-8")

    def program(self, name, text):
        path = self.top / "build" / "bin" / name
        path.write_text(f"#!{sys.executable} -IS\n{text}", encoding="utf-8")
        path.chmod(0o755)

    def compare(self, *arguments):
        out = self.top / "results.json"
        environment = {**os.environ, "MILLRACE_PYTORCH_PEER": str(self.peer), "PYTHONPATH": str(self.top)}
        done = subprocess.run([sys.executable, "-B", ROOT / "bench" / "compare.py", "--build", self.top / "build", "--out",
                               out, *arguments], capture_output=True, text=True, env=environment, timeout=100, check=False)
        return done, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None

    def full(self, rounds=1):
        done, results = self.compare("--data", self.data, "--rounds", str(rounds))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done, results

    @staticmethod
    def row(results, what, precision="fp32", model="784-32-10"):
        found = [r for r in results["rows"] if r["what"].startswith(what) and (r["precision"], r["model"]) == (precision, model)]
        assert len(found) == 1, (what, precision, model, found)
        return found[0]

    def test_ratios_are_of_the_faster_thread_counts_of_both(self):
        if len(contestants.all_cores()) != 2:
            self.skipTest("the stand-ins know of 1 and 2 threads")
        done, results = self.full(rounds=2)
        self.assertEqual(results["notes"], [])
        tuned = self.row(results, "Epoch, PyTorch tuned")
        self.assertAlmostEqual(tuned["value"], 0.16 / 0.02)
        self.assertIs(tuned["met"], True)  # 8 of 7
        bfloat16 = self.row(results, "Epoch, PyTorch tuned", "bf16")
        self.assertAlmostEqual(bfloat16["value"], 0.16 / 0.01)
        tutorial = self.row(results, "Epoch, PyTorch tutorial")
        self.assertAlmostEqual(tutorial["value"], 4.0 / 0.02)
        self.assertEqual(self.row(results, "FMA peak")["value"], 0.8)
        self.assertEqual(results["torch"], "9.9")
        self.assertIn("MISSED", done.stdout)  # the loader, 40 of 50 %
        self.assertEqual(len(results["raw"]["epochs"]["ours 32 fp32, 1 thread"]), 2)

    def test_goes_on_without_pytorch_and_says_so(self):
        self.peer.unlink()
        done, results = self.full()
        self.assertIn(str(self.peer), results["notes"][0])
        self.assertIn("PyTorch was not measured", done.stderr)
        self.assertIsNone(self.row(results, "Epoch, PyTorch tuned")["value"])
        self.assertIsNone(self.row(results, "Epoch, PyTorch tuned")["met"])
        self.assertIsNotNone(self.row(results, "Epoch, PyTorch tuned")["ours"])

    def test_a_contestant_that_fails_is_named_with_its_last_words(self):
        self.program("train_bench", "import sys\nsys.exit('no such width')")
        _, results = self.full()
        self.assertIsNone(self.row(results, "FMA peak")["value"])
        self.assertTrue(any("train_bench" in note and "no such width" in note for note in results["notes"]))

    def test_a_precision_that_fell_back_is_not_reported_as_the_one_asked_for(self):
        self.program("train_bench", TRAIN_BENCH.replace('"peak_gflops": 200', '"peak_gflops": 0'))
        self.program("trainer", TRAINER.replace('"summary": True', '"summary": True, "precision": "fp32"'))
        _, results = self.full()
        self.assertIsNone(self.row(results, "FMA peak", "bf16")["value"])
        self.assertIsNone(self.row(results, "Epoch, PyTorch tuned", "bf16")["ours"])
        self.assertIsNotNone(self.row(results, "Epoch, PyTorch tuned", "fp32")["ours"])

    def test_smoke_needs_no_data_and_judges_nothing(self):
        done, results = self.compare("--smoke")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(all(r["met"] is None for r in results["rows"]))
        (self.top / "build" / "bin" / "trainer").unlink()
        done, _ = self.compare("--smoke")
        self.assertEqual(done.returncode, 1)
        self.assertIn("trainer is not built", done.stderr)

    def test_the_page_keeps_its_prose_and_takes_the_numbers(self):
        _, results = self.full()
        page = f"before\n{report.BEGIN}\nold numbers\n{report.END}\nafter\n"
        once = report.filled(page, results)
        self.assertEqual(report.filled(once, results), once)
        self.assertTrue(once.startswith("before\n") and once.endswith("\nafter\n"))
        self.assertNotIn("old numbers", once)
        self.assertIn("| 784-32-10 | float32 | **80.0 %** |", once)
        self.assertIn("(missed)", once)
        self.assertIn("| 4096 | ", once)
        for broken in ("", page + report.BEGIN, f"{report.END}{report.BEGIN}"):
            with self.assertRaises(ValueError):
                report.filled(broken, results)
        committed = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
        report.filled(committed, results)  # has its marks

    def test_the_plot_has_every_point_within_the_picture(self):
        rows = json.loads(subprocess.run([sys.executable, "-c", WIDTH_BENCH], capture_output=True, text=True,
                                         check=True).stdout)
        root = xml.etree.ElementTree.fromstring(plot_width.draw(rows))
        titled = [c for c in root.iter("{http://www.w3.org/2000/svg}circle") if len(c)]
        self.assertEqual(len(titled), 2 * len(rows["rows"]))  # in both panels
        for circle in titled:
            self.assertTrue(0 < float(circle.get("cx")) < plot_width.WIDTH)
            self.assertTrue(plot_width.TOP <= float(circle.get("cy")) <= plot_width.BOTTOM)
        texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        for expected in ("32", "4096", "float32, 1 thread", "bfloat16, 2 threads", "units of the hidden layer"):
            self.assertIn(expected, texts)

    def test_loaders_that_are_missing_are_named_and_the_others_measured(self):
        for name, answer in (("photos_bench", '{"photos_per_core_s": 800}'), ("zstd_bench", '{"chunks_samples_per_s": 2e6}'),
                             ("loader_bench", '{"packed_gb_per_s": 0.784}'), ("tools", "")):
            program = self.top / "build" / "bin" / name
            program.write_text(f"#!{sys.executable}\nprint('{answer}')\n", encoding="utf-8")
            program.chmod(0o755)
        out = self.top / "loaders.json"
        folders = {"MILLRACE_MNIST_DIR": str(self.data), "MILLRACE_PHOTOS_DIR": str(self.data)}
        done = subprocess.run(
            [sys.executable, "-B", str(ROOT / "bench" / "loaders.py"), "--build", str(self.top / "build"), "--rounds", "2",
             "--python", str(self.top / "no-python"), "--out", str(out)],
            capture_output=True, text=True, check=False, env=dict(os.environ, **folders))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("ffcv: not measured: "), 1)
        self.assertIn("spdl: not measured: ", done.stderr)
        self.assertEqual(json.loads(out.read_text(encoding="utf-8"))["samples_per_core_s"],
                         {"digits": {"millrace": [1e6, 1e6], "millrace_zst": [2e6, 2e6]},
                          "photos": {"millrace": [800, 800]}})

    def test_the_table_of_loaders_says_how_many_times_faster_millrace_is(self):
        lines = loaders.table("photos", {"spdl": [100, 300, 200], "millrace": [800, 800, 900]}).splitlines()
        self.assertEqual([line.split() for line in lines[1:]], [["millrace", "800"], ["spdl", "200", "4.00×"]])

    def test_networks_of_others_are_timed_after_their_first_epoch(self):
        python = self.top / "python"
        python.write_text(f"#!{sys.executable} -IS\nimport json, sys\n"
                          "if 'keras_jax' in sys.argv: sys.exit('there is no keras')\n"
                          "print(json.dumps({'seconds': [9, 0.2, 0.3, 0.4], 'accuracy': 0.95}))\n", encoding="utf-8")
        python.chmod(0o755)
        out = self.top / "networks.json"
        done = subprocess.run(
            [sys.executable, "-B", ROOT / "bench" / "networks.py", "--build", self.top / "build", "--data", self.data,
             "--python", python, "--rounds", "2", "--hidden", "8,8", "--out", out], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("keras_jax: not measured: there is no keras"), 1)
        runs = json.loads(out.read_text(encoding="utf-8"))["runs"]["8,8"]
        self.assertEqual([run["epoch_s"] for run in runs["jax_scan"]], [0.3, 0.3])
        self.assertNotIn("keras_jax", runs)
        self.assertIn("mlpack: not measured: there is no mlpack", done.stderr)
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(lines[0][0], "784-8-8-10")
        self.assertEqual(lines[1][:3], ["millrace", "20.0" if len(contestants.all_cores()) > 1 else "40.0", "ms"])
        self.assertIn("95.00", lines[2])
        self.assertEqual(lines[2][-1], "15.0×" if len(contestants.all_cores()) > 1 else "7.5×")

    def test_libraries_that_learn_numbers_are_compared_by_epoch_and_score(self):
        python = self.top / "python"
        python.write_text(f"#!{sys.executable} -IS\nimport json, sys\n"
                          "if 'pytorch' in sys.argv: sys.exit('there is no torch')\n"
                          "ours = 'millrace_python' in sys.argv\n"
                          "print(json.dumps({'seconds': [9, 0.1, 0.1] if ours else [9, 0.3, 0.3], 'score': 0.75}))\n",
                          encoding="utf-8")
        python.chmod(0o755)
        out = self.top / "regression.json"
        done = subprocess.run(
            [sys.executable, "-B", ROOT / "bench" / "regression.py", "--build", self.top / "build", "--python", python,
             "--rounds", "2", "--hidden", "8,8", "--out", out], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("pytorch: not measured: there is no torch"), 1)
        runs = json.loads(out.read_text(encoding="utf-8"))["runs"]["8,8"]
        self.assertEqual(runs["keras_jax"], [{"epoch_s": 0.3, "score": 0.75}] * 2)
        self.assertNotIn("pytorch", runs)
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(lines[0][0], "10-8-8-1")
        self.assertEqual(lines[1], ["millrace_python", "100.0", "ms", "0.7500"])
        self.assertEqual(lines[2][1:], ["300.0", "ms", "0.7500", "3.0×"])
        done = subprocess.run([*done.args, "--task", "multilabel"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split()[:3], ["10-8-8-5", "epoch", "accuracy"])
        self.assertEqual(json.loads(out.read_text(encoding="utf-8"))["bench"], "multilabel")

    def test_mlpack_is_compiled_once_with_the_headers_of_the_python_that_has_it(self):
        packages = self.top / "packages"
        python = self.top / "python"
        python.write_text(f"#!{sys.executable} -IS\nprint({str(packages)!r})\n", encoding="utf-8")
        compiler = self.top / "compiler"
        compiler.write_text(f"#!{sys.executable} -IS\nimport pathlib, sys\n"
                            "pathlib.Path(sys.argv[-1]).write_text(' '.join(sys.argv))\n", encoding="utf-8")
        for program in (python, compiler):
            program.chmod(0o755)
        with self.assertRaisesRegex(contestants.Missing, "no mlpack"):
            networks.compile_mlpack(python, self.top / "build")
        headers = packages / "mlpack" / "include"
        (headers / "mlpack").mkdir(parents=True)
        (headers / "mlpack" / "config.hpp").touch()
        compiled = self.top / "build" / "bin" / "mlpack_net"
        with unittest.mock.patch.dict(os.environ, CXX=str(compiler)):
            networks.compile_mlpack(python, self.top / "build")
            self.assertIn(f"-isystem {headers}", compiled.read_text(encoding="utf-8"))
            compiled.write_text("kept", encoding="utf-8")
            networks.compile_mlpack(python, self.top / "build")
            self.assertEqual(compiled.read_text(encoding="utf-8"), "kept")
            os.utime(compiled, (0, 0))
            networks.compile_mlpack(python, self.top / "build")
            self.assertNotEqual(compiled.read_text(encoding="utf-8"), "kept")
            os.utime(compiled, (0, 0))
            compiler.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
            with self.assertRaisesRegex(contestants.Failed, "install_deps.sh peer"):
                networks.compile_mlpack(python, self.top / "build")

    def test_latencies_are_medians_of_rounds_and_smoke_is_one(self):
        python = self.top / "python"
        python.write_text(f"#!{sys.executable} -IS\nimport json, pathlib, sys\n"
                          "if 'pytorch' in sys.argv: sys.exit('there is no torch')\n"
                          f"turn = pathlib.Path({str(self.top / 'turn')!r})\n"
                          "us = len(turn.read_text()) if turn.exists() else 0\nturn.write_text('x' * (us + 1))\n"
                          "print(json.dumps({'8': {'in_a_row_us': us + 1, 'rested_us': 50}}))\n", encoding="utf-8")
        python.chmod(0o755)
        out = self.top / "latency.json"
        for rounds, arguments in ((3, ["--rounds", "3"]), (1, ["--rounds", "3", "--smoke"])):
            (self.top / "turn").unlink(missing_ok=True)
            done = subprocess.run(
                [sys.executable, "-B", ROOT / "bench" / "latency.py", "--python", python, "--peer", "millrace", "--peer", "pytorch",
                 "--hidden", "8", "--samples", "8", "--out", out, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count("pytorch: not measured: there is no torch"), 1)
            runs = json.loads(out.read_text(encoding="utf-8"))["runs"]["8"]
            self.assertEqual([run["8 in_a_row_us"] for run in runs["millrace"]], list(range(1, rounds + 1)))
            lines = [line.split() for line in done.stdout.splitlines()]
            self.assertEqual(lines[0][0], "784-8-10,")
            self.assertEqual(lines[1:], [["millrace", f"{(rounds + 1) / 2:.1f}", "(50.0)"]])

    def test_busy_loops_end_with_the_measurement(self):
        with contestants.BusyLoops(2) as loops:
            self.assertEqual([p.poll() for p in loops.processes], [None, None])
        self.assertTrue(all(p.returncode is not None for p in loops.processes))


if __name__ == "__main__":
    unittest.main()
