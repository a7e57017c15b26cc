"""Cross-validation, `trainer --folds`: each sample validated once, with files of each fold's own."""

import json
import re

import programs
from programs import ProgramTest


class Folds(ProgramTest):
    def train(self, *arguments):
        done = self.call("--data", self.digits, "--epochs", "2", "--batch", "32", "--folds", "3", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def records(self, name):
        return [json.loads(line) for line in (self.top / name).read_text().splitlines()]

    def test_are_runs_of_their_own_and_a_mean(self):
        told = self.train("--metrics", "m.jsonl", "--checkpoint-dir", "c")
        self.assertEqual(re.findall(r"(?m)^Fold (\d) of 3$", told), ["1", "2", "3"])
        self.assertEqual(told.count("Split: 800 to train on, 400 for validation, 200 to test; resident"), 3)
        records = self.records("m.jsonl")
        self.assertEqual([(r["fold"], r.get("epoch")) for r in records[:-1]],
                         [(fold, epoch) for fold in (1, 2, 3) for epoch in (0, 1, None)])
        whole = records[-1]
        scores = [fold["val_acc"] for fold in whole["folds"]]
        self.assertEqual(scores, [r["val_acc"] for r in records if r.get("epoch") == 1])
        self.assertAlmostEqual(whole["val_acc_mean"], sum(scores) / 3)
        self.assertEqual(len({fold["weights_hash"] for fold in whole["folds"]}), 3)
        self.assertIn(f"Mean of 3 folds: val_acc {sum(scores) / 3:.4f} ± ", told)
        for fold, score in enumerate(scores, start=1):
            checkpoint = f"c/fold-{fold}/last.safetensors"
            done = self.call("evaluate", "--checkpoint", checkpoint, "--data", self.digits, "--split", "val", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            found = json.loads(done.stdout)
            self.assertEqual((found["samples"], found["accuracy"]), (400, score))

    def test_go_on_where_they_were_stopped(self):
        first = self.train("--metrics", "m.jsonl", "--checkpoint-dir", "c")
        whole = self.records("m.jsonl")[-1]
        for name in ("last", "best"):
            (self.top / "c" / "fold-3" / f"{name}.safetensors").unlink()
        again = self.train("--metrics", "m.jsonl", "--checkpoint-dir", "c", "--resume")
        self.assertEqual(re.findall("Weights: .*", first), re.findall("Weights: .*", again))
        for before, now in zip(whole["folds"], self.records("m.jsonl")[-1]["folds"]):
            self.assertEqual(before["weights_hash"], now["weights_hash"])

    def test_are_told_apart_by_their_checkpoints(self):
        self.train("--checkpoint-dir", "c")
        done = self.call("--data", self.digits, "--batch", "32", "--val-size", "400", "--resume",
                         "c/fold-2/last.safetensors")
        self.assertEqual(done.returncode, 1)
        self.assertIn("fold: checkpoint 2 of 3, this run none", done.stderr)

    def test_of_a_stream_are_the_same_samples(self):
        self.train("--metrics", "m.jsonl", "--checkpoint-dir", "c", "--residency", "stream")
        for fold in self.records("m.jsonl")[-1]["folds"]:
            checkpoint = f"c/fold-{fold['fold']}/last.safetensors"
            done = self.call("evaluate", "--checkpoint", checkpoint, "--data", self.digits, "--split", "val", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["accuracy"], fold["val_acc"])

    def test_of_more_than_there_are_samples_are_refused(self):
        done = self.call("--data", self.digits, "--folds", "1201")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--folds: expected 2 or more, and at most the 1200 samples of ", done.stderr)


if __name__ == "__main__":
    programs.main()
