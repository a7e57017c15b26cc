"""Training on data of which not everything can be read: --on-bad, --bad-budget and the quarantine file."""

import json
import struct
import zlib

import programs
from programs import ProgramTest


def png(pixels, width, height):
    """An 8-bit grey PNG file."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[y * width:(y + 1) * width] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class BadImages(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.top / "shapes"
        for label, name in enumerate(["left", "right"]):
            folder = self.data / name
            folder.mkdir(parents=True)
            for i in range(40):
                bright = [x // 4 == label for x in range(8)] * 8
                (folder / f"{i:02}.png").write_bytes(png(bytes(200 * b + i for b in bright), 8, 8))
        self.torn = self.data / "left" / "07.png"
        self.torn.write_bytes(self.torn.read_bytes()[:60])
        self.empty = self.data / "right" / "33.png"
        self.empty.write_bytes(b"")

    common = ("--epochs", "3", "--batch", "8", "--val-size", "16", "--lr", "0.1")

    def test_the_first_one_ends_the_run(self):
        line = self.refuses(1, "--data", self.data, *self.common, "--quiet")
        self.assertIn(str(self.empty), line)
        self.empty.unlink()
        line = self.refuses(1, "--data", self.data, *self.common, "--quiet")
        self.assertIn(str(self.torn), line)

    def test_same_weights_whatever_the_workers_and_residency(self):
        for how in ("skip", "substitute"):
            options = (*self.common, "--on-bad", how, "--bad-budget", "2")
            expected = self.summary(*options, data=self.data)
            self.assertEqual((expected["bad_samples"], expected["bad_test_samples"]), (2, 0))
            self.assertEqual((expected["on_bad"], expected["bad_budget"]), (how, 2))
            for more in (["--residency", "host", "--workers", "1"],
                         ["--residency", "host", "--workers", "3", "--slots", "1", "--chunk-batches", "1"]):
                self.assertEqual(self.weights(*options, *more, data=self.data), expected["weights_hash"])

    def test_says_and_names_what_is_bad(self):
        checkpoints = self.top / "ckpt"
        options = (*self.common, "--on-bad", "skip", "--bad-budget", "0.05", "--checkpoint-dir", checkpoints)
        done = self.train(*options, data=self.data)
        named = checkpoints / "quarantine.jsonl"
        self.assertIn(f"Bad samples: 2 of 80 skipped (at most 4); named in {named}\n", done.stdout)
        warnings = [line for line in done.stderr.splitlines() if "bad sample" in line]
        self.assertEqual(len(warnings), 2, done.stderr)
        self.assertTrue(warnings[0].startswith(f"trainer: warning: bad sample 7: {self.torn}: "), warnings[0])
        records = self.records(named)
        self.assertEqual([(r["sample"], r["file"]) for r in records], [(7, str(self.torn)), (73, str(self.empty))])
        self.assertEqual(list(records[0]), ["dataset", "sample", "file", "offset", "reason"])
        self.train(*options, "--epochs", "4", "--resume", data=self.data)
        self.assertEqual(self.records(named), records)

    def test_over_budget(self):
        for budget in ("1", "0.01"):
            line = self.refuses(1, "--data", self.data, *self.common, "--quiet", "--on-bad", "substitute",
                                "--bad-budget", budget, program=self.without_warnings())
            self.assertIn("shapes: 2 of 80 samples cannot be read, where the budget (--bad-budget) is 1: sample 7 (", line)

    def test_evaluation_and_prediction_leave_out(self):
        checkpoints = self.top / "ckpt"
        leaving_out = ("--on-bad", "skip", "--bad-budget", "2")
        self.train(*self.common, *leaving_out, "--checkpoint-dir", checkpoints, "--quiet", data=self.data)
        model = ("--checkpoint", checkpoints / "last.safetensors")
        evaluate = ("evaluate", *model, "--data", self.data, "--split", "train")
        # Headers are not read first: the model says what size and colour images get.
        self.assertIn(str(self.torn), self.refuses(1, *evaluate))
        done = self.call(*evaluate, *leaving_out, "--quarantine", "q.jsonl", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        # It is still the data that the model was trained on: 16 of the 80 are validation samples.
        validation = self.call("evaluate", *model, "--data", self.data, "--split", "validation", *leaving_out, "--json")
        other = json.loads(validation.stdout)
        self.assertEqual((found["samples"] + other["samples"], found["bad_samples"] + other["bad_samples"]), (78, 2))
        named = self.records(self.top / "q.jsonl")
        self.assertEqual(len(named), found["bad_samples"])
        self.assertEqual(done.stderr.count("trainer evaluate: warning: bad sample "), len(named))
        text = self.call(*evaluate, *leaving_out).stdout
        self.assertIn(f"Bad samples: {found['bad_samples']} left out (at most 2)\n", text)
        line = self.refuses(2, *evaluate, "--bad-budget", "2")
        self.assertIn("--bad-budget: expected --on-bad skip or substitute with it, found fail", line)

        predict = ("predict", *model, self.data / "left", self.data / "right")
        self.assertEqual(self.call(*predict).returncode, 1)
        done = self.call(*predict, *leaving_out, "--quarantine", "p.jsonl")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 78)
        self.assertEqual([r["file"] for r in self.records(self.top / "p.jsonl")], [str(self.torn), str(self.empty)])
        done = self.call(*predict, "--on-bad", "skip", "--bad-budget", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 of 80 samples cannot be read, where the budget (--bad-budget) is 1", done.stderr)

    def without_warnings(self):
        """The trainer, with nothing but errors on stderr."""
        script = self.top / "trainer.sh"
        script.write_text(f"#!/bin/bash\nset -o pipefail\n{programs.TRAINER} \"$@\" 2> >(grep -v warning: >&2)\nstatus=$?\n"
                          "wait $!\nexit $status\n", encoding="utf-8")
        script.chmod(0o755)
        return script

    def test_usage(self):
        self.assertIn("--on-bad", self.refuses(2, "--on-bad", "ignore"))
        self.assertIn("--bad-budget", self.refuses(2, "--on-bad", "skip", "--bad-budget", "1.5"))
        self.assertIn("--bad-budget", self.refuses(2, "--bad-budget", "5"))
        self.assertIn("--quarantine", self.refuses(2, "--quarantine", "q.jsonl"))

    def test_report_and_tensorboard(self):
        self.train(*self.common, "--on-bad", "skip", "--bad-budget", "2", "--report", self.top / "r.html",
                   "--tensorboard", self.top / "tb", data=self.data)
        page = (self.top / "r.html").read_text(encoding="utf-8")
        self.assertIn("2 for training and validation, 0 for the test", page)


class BadBlocks(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.top / "zst"
        done = self.call("convert", self.digits, self.data, program=programs.TOOLS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.images = self.data / "train-images-idx3-ubyte.zst"
        raw = bytearray(self.images.read_bytes())
        middle = len(raw) // 2
        raw[middle:middle + 4] = b"\x55\xaa\x55\xaa"
        self.images.write_bytes(raw)

    def bad_samples(self):
        done = self.call("verify", self.data, "--json", program=programs.TOOLS)
        faults = [f for file in json.loads(done.stdout)["files"] for f in file["faults"]]
        return {s for f in faults for s in range(f["first_sample"], f["first_sample"] + f["samples"])}

    def test_a_block_is_all_its_samples(self):
        bad = self.bad_samples()
        self.assertGreater(len(bad), 10)
        named = self.top / "bad.jsonl"
        hashes = set()
        for how in ("skip", "substitute"):
            options = ("--epochs", "2", "--on-bad", how, "--bad-budget", len(bad), "--quarantine", named)
            for streamed in (["--residency", "stream"], []):
                found = self.summary(*options, *streamed, data=self.data)
                self.assertEqual(found["bad_samples"], len(bad))
                again = self.summary(*options, *streamed, "--workers", "1", "--slots", "1", data=self.data)
                self.assertEqual(again["weights_hash"], found["weights_hash"])
                hashes.add(found["weights_hash"])
        self.assertEqual(len(hashes), 4)
        records = self.records(named)
        self.assertEqual(len(records), len(bad))
        self.assertEqual({r["sample"] for r in records}, bad)
        self.assertTrue(all(r["file"] == str(self.images) and r["offset"] is not None for r in records))

    def test_resumed_in_the_middle_of_an_epoch(self):
        options = ("--epochs", "2", "--residency", "stream", "--on-bad", "substitute", "--bad-budget", "0.5")
        expected = self.weights(*options, data=self.data)
        self.train(*options, "--checkpoint-dir", "c", "--checkpoint-every", "6", data=self.data)
        self.assertEqual(self.weights(*options, "--resume", "c/step-12.safetensors", data=self.data), expected)

    def test_fails_by_itself(self):
        self.assertIn("broken frame", self.refuses(1, "--data", self.data, "--residency", "stream", "--quiet"))


if __name__ == "__main__":
    programs.main()
