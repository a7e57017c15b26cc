"""Sharded sets as users make them, lose parts of them and go on."""

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import programs


class Shards(programs.ProgramTest):
    def tools(self, *arguments, status=0):
        done = self.call(*arguments, program=programs.TOOLS)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def shard(self, folder, split="train", role="images", index=0, of=4):
        rank = 3 if role == "images" else 1
        return self.top / folder / f"{split}-{role}-idx{rank}-ubyte-{index:05}-of-{of:05}.zst"

    def contents(self, folder):
        return {p.name: p.read_bytes() for p in (self.top / folder).iterdir()}

    def test_shards_are_the_same_data_set(self):
        made = json.loads(self.tools("convert", self.digits, "s", "--shards", "4", "--json").stdout)
        self.assertEqual(len(made["files"]), 16)
        self.assertEqual(len(self.contents("s")), 17)
        short = ("--epochs", "1", "--seed", "3", "--hidden", "16")
        self.assertEqual(self.weights(*short, data="s"), self.weights(*short))
        streamed = self.train(*short, "--residency", "stream", data="s").stdout
        self.assertIn("1200 training and 200 test samples in 8 shards", streamed)
        self.assertIn("; stream\n", streamed)
        self.assertIn("manifest.json: sound, 1400 samples", self.tools("verify", "s").stdout)

    def test_a_shard_is_an_idx_file_for_zstd(self):
        self.tools("convert", self.digits, "s", "--shards", "4")
        if shutil.which("zstd") is None:
            self.skipTest("no program zstd to decode with")
        whole = (self.digits / programs.TRAIN_IMAGES).read_bytes()
        labels = (self.digits / programs.TRAIN_LABELS).read_bytes()
        for i in range(4):
            plain, classes = (subprocess.run(["zstd", "-q", "-d", "-c", self.shard("s", role=role, index=i)], check=True,
                                             capture_output=True).stdout for role in ("images", "labels"))
            self.assertEqual(plain, programs.idx(8, [300, 28, 28], whole[16 + i * 300 * 784:16 + (i + 1) * 300 * 784]))
            self.assertEqual(classes, programs.idx(8, [300], labels[8 + i * 300:8 + (i + 1) * 300]))

    def test_damage_is_one_line_that_names_the_shard(self):
        self.tools("convert", self.digits, "whole", "--shards", "4")
        other = self.shard("whole", index=3).read_bytes()

        def flipped(path):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            path.write_bytes(data)

        for what, damage, expected in (
                ("missing", Path.unlink, "expected a shard, as manifest.json says, found no such file"),
                ("cut", lambda p: p.write_bytes(p.read_bytes()[:-1]), "bytes, as manifest.json says, found"),
                ("flipped", flipped, "expected a file of hash "),
                ("another", lambda p: p.write_bytes(other), "bytes, as manifest.json says, found")):
            with self.subTest(what):
                shutil.copytree(self.top / "whole", self.top / what)
                damage(self.shard(what, index=2))
                done = self.call("--data", what, "--epochs", "1")
                self.assertEqual(done.returncode, 1)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn(self.shard("", index=2).name, done.stderr)
                self.assertIn(expected, done.stderr)
                found = json.loads(self.tools("verify", what, "--json", status=1).stdout)
                faulty = [Path(f["path"]).name for f in found["files"] if f["faults"]]
                self.assertEqual(faulty, [self.shard("", index=2).name])

    def test_repair_saves_what_is_sound_and_makes_the_manifest_anew(self):
        self.tools("convert", self.digits, "s", "--shards", "4")
        (self.top / "s" / "manifest.json").unlink()
        done = self.call("--data", "s")
        self.assertEqual(done.stderr, "trainer: s/manifest.json: expected beside the shards, found none; "
                                      "'tools repair' makes it anew\n")
        self.tools("repair", "s", "same")
        self.assertEqual(json.loads(self.tools("inspect", "same", "--json").stdout)["train"]["hash"],
                         json.loads(self.tools("inspect", self.digits, "--json").stdout)["train"]["hash"])
        self.shard("s", index=1).unlink()
        text = self.tools("repair", "s", "less").stdout
        self.assertIn("nothing is left of 300 samples", text)
        found = json.loads(self.tools("inspect", "less", "--json").stdout)
        self.assertEqual((found["train"]["samples"], found["test"]["samples"]), (900, 200))
        self.assertIn("manifest.json: sound, 1100 samples", self.tools("verify", "less").stdout)

    def start(self, *arguments):
        process = subprocess.Popen([programs.TOOLS, *map(str, arguments)], cwd=self.top, text=True,
                                   env=programs.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        return process

    def test_an_interrupted_conversion_goes_on_to_the_same_bytes(self):
        self.tools("synth", "d", "--count", "6000", "--test-count", "600", "--seed", "5")
        command = ("convert", "d", "s", "--shards", "40", "--level", "19", "--json")
        self.tools("convert", "d", "expected", "--shards", "40", "--level", "19")
        for stop in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM):
            process = self.start(*command)
            before = len(self.contents("s")) if (self.top / "s").is_dir() else 0
            deadline = time.monotonic() + programs.TIMEOUT
            # Whatever it is at then: in the middle of a file, or between two.
            while process.poll() is None and time.monotonic() < deadline:
                if (self.top / "s").is_dir() and len(list((self.top / "s").iterdir())) >= before + 9:
                    break
            process.send_signal(stop)
            out, errors = process.communicate(timeout=programs.TIMEOUT)
            self.assertNotEqual(process.returncode, 0, "it was done before it could be stopped")
            self.assertFalse((self.top / "s" / "manifest.json").exists())
            if stop != signal.SIGKILL:
                self.assertIn("the same command goes on behind the shards that are written", errors)
            self.assertIn("holds shards of a conversion that was interrupted", self.call("--data", "s").stderr)
        done = json.loads(self.tools(*command).stdout)
        kept = [f for f in done["files"] if f["kept"]]
        self.assertGreater(len(kept), 8)
        self.assertLess(len(kept), len(done["files"]))
        self.assertEqual(self.contents("s"), self.contents("expected"))

    def test_a_kept_shard_must_still_be_whole(self):
        self.tools("synth", "d", "--count", "3000", "--test-count", "100")
        self.tools("convert", "d", "expected", "--shards", "30", "--level", "19")
        process = self.start("convert", "d", "s", "--shards", "30", "--level", "19")
        first = self.shard("s", index=0, of=30)
        while not self.shard("s", index=3, of=30).exists() and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        data = bytearray(first.read_bytes())
        data[len(data) // 2] ^= 1
        first.write_bytes(data)
        # Other options are another conversion, which does not mix with this one.
        done = self.tools("convert", "d", "s", "--shards", "30", status=1)
        self.assertIn("an interrupted conversion of other data or with other options", done.stderr)
        self.tools("convert", "d", "s", "--shards", "30", "--level", "19")
        self.assertEqual(self.contents("s"), self.contents("expected"))

    def test_nothing_is_overwritten_without_force(self):
        self.tools("convert", self.digits, "s", "--shards", "4")
        before = self.contents("s")
        done = self.tools("convert", self.digits, "s", "--shards", "2", status=1)
        self.assertEqual(done.stderr, "tools convert: s/manifest.json: is there already; --force replaces it\n")
        self.assertEqual(self.contents("s"), before)
        done = self.tools("convert", self.digits, "s", status=1)
        self.assertIn("s/manifest.json: would hide", done.stderr)
        done = self.tools("convert", "s", "s", "--shards", "2", "--force", status=1)
        self.assertIn("is what is to be converted; choose another folder", done.stderr)
        self.assertEqual(self.contents("s"), before)
        self.tools("convert", self.digits, "s", "--shards", "2", "--force")
        self.assertEqual(len(self.contents("s")), 9)
        self.assertIn("sound, 1400 samples", self.tools("verify", "s").stdout)

    def test_split_is_a_function_of_the_seed(self):
        (self.top / "one").mkdir()
        for name in (programs.TRAIN_IMAGES, programs.TRAIN_LABELS):
            shutil.copy(self.digits / name, self.top / "one" / name)
        self.tools("convert", "one", "a", "--split", "0.9,0.1", "--seed", "4", "--jobs", "1")
        self.tools("convert", "one", "b", "--split", "0.9,0.1", "--seed", "4")
        self.tools("convert", "one", "c", "--split", "0.9,0.1", "--seed", "5")
        self.assertEqual(self.contents("a"), self.contents("b"))
        self.assertNotEqual(self.contents("a"), self.contents("c"))
        found = json.loads(self.tools("inspect", "a", "--json").stdout)
        self.assertEqual((found["train"]["samples"], found["test"]["samples"]), (1080, 120))
        done = self.tools("convert", self.digits, "x", "--split", "0.9,0.1", status=1)
        self.assertIn("expected a data set without test samples to split, found 200 test samples", done.stderr)
        for bad in ("0.9", "0.9,0.2", "0,1", "0.5,0.3,0.2", "a,b"):
            self.assertIn("tools convert: --split: expected shares",
                          self.tools("convert", "one", "x", "--split", bad, status=2).stderr)


if __name__ == "__main__":
    programs.main()
