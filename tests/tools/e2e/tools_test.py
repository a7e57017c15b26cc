"""The program tools as users run it."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import programs


class Tools(programs.ProgramTest):
    def tools(self, *arguments, status=0):
        done = self.call(*arguments, program=programs.TOOLS)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def test_synth_writes_what_inspect_reads(self):
        made = json.loads(self.tools("synth", "d", "--count", "300", "--test-count", "50", "--seed", "3", "--json").stdout)
        self.assertEqual((made["train"], made["test"], made["seed"], len(made["files"])), (300, 50, 3, 4))
        found = json.loads(self.tools("inspect", "d", "--json").stdout)
        self.assertEqual(found["train"]["histogram"], [30] * 10)
        self.assertEqual(found["test"]["samples"], 50)
        self.assertIn("train: 300 samples of 28x28 uint8, 10 classes", self.tools("inspect", "d").stdout)

    def test_synth_tells_of_a_folder_that_is_not_utf8(self):
        name = os.fsdecode(b"d\xff")
        made = json.loads(self.tools("synth", name, "--count", "10", "--test-count", "0", "--json").stdout)
        self.assertEqual(made["folder"], "d\ufffd")
        self.assertEqual(len(os.listdir(self.top / name)), 2)

    def test_synth_takes_an_empty_folder_and_keeps_a_full_one(self):
        (self.top / "d").mkdir()
        self.tools("synth", "d", "--count", "20", "--test-count", "0")
        before = {p.name: p.read_bytes() for p in (self.top / "d").iterdir()}
        self.assertEqual(len(before), 2)
        done = self.tools("synth", "d", "--count", "30", "--test-count", "0", "--seed", "1", status=1)
        self.assertEqual(done.stderr, "tools synth: d/train-images-idx3-ubyte: is there already; --force replaces it\n")
        self.assertEqual({p.name: p.read_bytes() for p in (self.top / "d").iterdir()}, before)
        self.tools("synth", "d", "--count", "30", "--test-count", "0", "--seed", "1", "--force")
        self.assertNotEqual({p.name: p.read_bytes() for p in (self.top / "d").iterdir()}, before)

    def test_synth_that_is_stopped_leaves_nothing(self):
        process = subprocess.Popen([programs.TOOLS, "synth", "d", "--count", "50000000"], cwd=self.top, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.environment())
        deadline = time.monotonic() + programs.TIMEOUT
        while not ((self.top / "d").is_dir() and any((self.top / "d").iterdir())) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=programs.TIMEOUT)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(errors, "tools synth: warning: stopped by SIGTERM; nothing was written\n")
        self.assertFalse((self.top / "d").exists())

    def test_convert_writes_what_trainer_and_zstd_read(self):
        done = json.loads(self.tools("convert", self.digits, "z", "--level", "9", "--jobs", "2", "--json").stdout)
        self.assertEqual((done["to"], len(done["files"])), ("zst", 4))
        names = sorted(p.name for p in (self.top / "z").iterdir())
        self.assertEqual(names, sorted(p.name + ".zst" for p in self.digits.iterdir()))
        short = ("--epochs", "1", "--seed", "3", "--hidden", "16")
        self.assertEqual(self.weights(*short, data="z"), self.weights(*short))
        done = self.tools("convert", self.digits, "z", status=1)
        self.assertEqual(done.stderr.splitlines()[0].split(": ", 1)[0], "tools convert")
        self.assertIn("is there already; --force replaces it", done.stderr)
        self.assertIn("4 files in ", self.tools("convert", "z", "g", "--to", "gz", "--level", "1").stdout)
        if shutil.which("zstd") is None:
            self.skipTest("no program zstd to decode with")
        for path in (self.top / "z").iterdir():
            plain = subprocess.run(["zstd", "-q", "-d", "-c", path], check=True, capture_output=True).stdout
            self.assertEqual(plain, (self.digits / path.stem).read_bytes())

    def test_bench_measures_what_the_loader_does(self):
        found = json.loads(self.tools("bench", self.digits, "--seconds", "0.05", "--rotate", "10", "--workers", "2",
                                      "--json").stdout)
        stages = {stage["stage"]: stage["rates"] for stage in found["stages"]}
        self.assertLessEqual({"read, cached", "open", "gather", "augment", "gather and augment"}, set(stages))
        self.assertEqual([rate["workers"] for rate in stages["augment"]], [1, 2])
        self.assertIn("distorting samples", found["verdict"])
        self.tools("convert", self.digits, "z")
        text = self.tools("bench", "z", "--seconds", "0.05").stdout
        self.assertRegex(text, r"\nstream +[\d.]+[kM]? samples/s +[\d.]+ MB/s")
        self.assertRegex(text, r"\nVerdict: bound by [^\n]+\n$")
        self.assertLessEqual(max(len(line) for line in text.splitlines()[1:-1]), 80)
        done = self.tools("bench", "nowhere", status=1)
        self.assertRegex(done.stderr, r"^tools bench: nowhere: [^\n]+\n$")
        done = self.tools("bench", self.digits, "--seconds", "0", status=2)
        self.assertIn("--seconds: expected seconds above 0 and up to 3600, found 0", done.stderr)

    def test_verify_names_what_repair_leaves_out(self):
        self.tools("convert", self.digits, "z")
        self.assertIn("z/train-images-idx3-ubyte.zst: sound, 1200 samples, seekable zstd of ",
                      self.tools("verify", "z").stdout)
        path = self.top / "z" / "train-images-idx3-ubyte.zst"
        path.write_bytes(path.read_bytes()[:-50_000])
        found = json.loads(self.tools("verify", "z", "--json", status=1).stdout)
        self.assertFalse(found["ok"])
        faults = {Path(f["path"]).name: f["faults"] for f in found["files"]}
        self.assertEqual([name for name in faults if faults[name]], [path.name])
        text = self.tools("verify", "z", status=1).stdout
        self.assertIn("z/train-images-idx3-ubyte.zst: no seek table at the end of the file", text)
        self.assertRegex(text, r"\(samples \d+ to 1199\)")
        self.tools("repair", "z", "r")
        self.assertEqual(json.loads(self.tools("verify", "r", "--json").stdout)["ok"], True)
        counts = json.loads(self.tools("inspect", "r", "--json").stdout)
        self.assertIn(counts["train"]["samples"], range(300, 1200))
        self.assertEqual(counts["test"]["samples"], 200)
        self.train("--epochs", "1", "--hidden", "16", data="r")

    def test_inspect_shows_a_checkpoint(self):
        self.train("--epochs", "1", "--val-size", "100", "--checkpoint-dir", "c")
        text = self.tools("inspect", "c/last.safetensors").stdout
        self.assertIn("c/last.safetensors: safetensors, 4 tensors, hash verified", text)
        self.assertIn("0.weight: 32x784 float32", text)
        self.assertIn("millrace.epoch = 1", text)

    def test_mistakes_are_one_line(self):
        for status, arguments, expected in (
                (2, [], "tools: expected a command, found none (see tools --help)"),
                (2, ["sinth"], "tools: unknown command 'sinth'; did you mean synth? (see tools --help)"),
                (2, ["synth"], "tools synth: expected a folder to write to, found none (see tools synth --help)"),
                (2, ["synth", "d", "--count", "0"],
                 "tools synth: --count: expected a whole number from 1 to 4294967295, found 0 (see tools synth --help)"),
                (2, ["convert", "d", "e", "--seed", "0"], "tools convert: --seed: expected --split with it, found none (see"),
                (2, ["bench", "d", "--elastic-sigma", "5"],
                 "tools bench: --elastic-sigma: expected --elastic with it, found none (see"),
                (2, ["verify", "d", "--json", "--quiet"],
                 "tools verify: --json and --quiet: expected one of them, found both (see"),
                (2, ["inspect", "d", "e"], "tools inspect: unexpected argument 'e' (see tools inspect --help)"),
                (1, ["inspect", "none"], "tools inspect: none: ")):
            with self.subTest(arguments):
                done = self.tools(*arguments, status=status)
                self.assertEqual(done.stdout, "")
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertTrue(done.stderr.startswith(expected), done.stderr)

    def test_help(self):
        for arguments in (["--help"], ["synth", "--help"], ["inspect", "-h"], ["convert", "--help"],
                          ["verify", "--help"], ["repair", "-h"], ["preview", "--help"], ["bench", "-h"], ["fetch", "-h"],
                          ["synth", "--count", "0", "--help"]):
            done = self.tools(*arguments)
            self.assertTrue(done.stdout.startswith("Usage: tools"), done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        self.assertIn("tools (Millrace) 0.", self.tools("--version").stdout)


if __name__ == "__main__":
    programs.main()
