"""Which labels samples have: a table of days and what they were like, as users have it."""

import json
import random

import programs

LABELS = ("warm", "wet", "windy")


class Multilabel(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.top / "days"
        self.data.mkdir()
        draw = random.Random(5)
        self.write(self.data / "train.csv", [self.day(draw) for _ in range(600)])
        self.tested = [self.day(draw) for _ in range(100)]
        self.write(self.data / "test.csv", self.tested)

    @staticmethod
    def day(draw):
        degrees, rain, wind = draw.uniform(-5, 35), draw.expovariate(0.5), draw.gauss(20, 8)
        return {"degrees": degrees, "rain": rain, "wind": wind, "warm": int(degrees > 18), "wet": int(rain > 2),
                "windy": int(wind > 30)}

    @staticmethod
    def write(path, days, columns=("degrees", "warm", "rain", "wet", "wind", "windy")):
        lines = [",".join(columns)] + [",".join(str(day[c]) for c in columns) for day in days]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    common = ("--task", "multilabel", "--label-column", ",".join(LABELS), "--standardize", "on", "--epochs", "30",
              "--batch", "16", "--val-size", "100", "--hidden", "16")

    def test_labels_are_learnt_measured_and_predicted(self):
        done = self.train(*self.common, "--checkpoint-dir", "c", "--metrics", "m", "--report", "r.html", "--tensorboard", "t",
                          data=self.data)
        self.assertEqual(done.stderr, "")
        self.assertIn("600 training and 100 test samples, 3 float32, 3 targets", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Run: .*, bce loss, standardised, seed 0$")
        self.assertRegex(done.stdout, r"(?m)^Epoch \[29\], val_loss: 0\.\d{4}, val_acc: 0\.9\d{3}, train_loss: 0\.\d{4}, ")
        self.assertRegex(done.stdout, r"(?m)^Test, test_loss: 0\.\d{4}, test_acc: 0\.9\d{3}$")
        *epochs, summary = (json.loads(line) for line in (self.top / "m").read_text(encoding="utf-8").splitlines())
        self.assertEqual((summary["task"], len(epochs)), ("multilabel", 30))
        self.assertGreater(epochs[-1]["train_acc"], 0.95)
        report = (self.top / "r.html").read_text(encoding="utf-8")
        for part in ("Which labels it gives", "<td>windy</td>", "test accuracy", "<dd>bce</dd>", "<dd>multilabel</dd>"):
            self.assertIn(part, report)

        done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.data, "--json", "--outputs", "p")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual(found["loss"], summary["test_loss"])
        self.assertEqual([label["name"] for label in found["labels"]], list(LABELS))
        for label in found["labels"]:
            self.assertEqual(label["samples"], sum(day[label["name"]] for day in self.tested))
        text = self.call("evaluate", "--checkpoint", "c", "--data", self.data).stdout
        self.assertRegex(text, r"(?m)^Loss: 0\.\d{4}, accuracy: 0\.9\d{3} of labels, 0\.\d{4} of samples all right$")
        self.assertRegex(text, r"(?m)^windy +0\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +[01]\.\d{4} +\d+$")

        done = self.call("predict", "--checkpoint", "c/last.safetensors", "--json", self.data / "test.csv")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        right = 0
        self.assertEqual(found["accuracy"], summary["test_acc"])
        for line, day in zip(lines, self.tested, strict=True):
            for label in line["labels"]:
                self.assertEqual(label["said"], label["probability"] >= 0.5)
                right += label["said"] == bool(day[label["name"]])
        self.assertEqual(right / 300, found["accuracy"])
        # Columns are found by their names; those of labels need not be there.
        self.write(self.top / "new.csv", self.tested, ("wind", "degrees", "rain"))
        plain = self.call("predict", "--checkpoint", "c/last.safetensors", "new.csv").stdout.splitlines()
        for line, told in zip(lines, plain, strict=True):
            said = [f"{label['name']} ({100 * label['probability']:.2f} %)" for label in line["labels"] if label["said"]]
            self.assertEqual(told.partition(":  ")[2], "  ".join(said) or "no label")
        self.assertTrue(any(line.endswith(":  no label") for line in plain))
        done = self.call("predict", "--checkpoint", "c", "--top", "2", "new.csv")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "--top: expected a model of classes with it, found .*, of labels")

    def test_every_form_of_them_gives_the_same_bits(self):
        def tools(*arguments):
            done = self.call(*arguments, program=programs.TOOLS)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return done.stdout

        task = self.common[:2]
        tools("convert", self.data, "shards", *self.common[:4], "--shards", "2")
        tools("convert", self.data, "arrays", *self.common[:4], "--to", "npy")
        self.assertEqual(tools("verify", "shards", "--quiet") + tools("verify", "arrays", *task, "--quiet"), "")
        self.assertIn("windy: 0 to 1, mean 0.", tools("inspect", self.data, *self.common[:4]))
        wanted = self.summary(*self.common, data=self.data)["weights_hash"]
        for form in ("shards", "arrays"):
            more = self.common[:2] + self.common[4:]
            self.assertEqual(self.summary(*more, data=self.top / form)["weights_hash"], wanted)
        self.assertEqual(self.summary(*more, "--residency", "stream", data=self.top / "arrays")["test_acc"] > 0.8, True)

    def test_what_is_no_label_is_named(self):
        days = [dict(day) for day in self.tested]
        days[7]["wet"] = 2
        self.write(self.data / "test.csv", days)
        said = self.refuses(1, "--data", self.data, *self.common)
        self.assertRegex(said, r'test\.csv: expected labels of 0 and 1 \(--task multilabel\), found 2 as label "wet" of sample 7$')
        self.write(self.data / "test.csv", self.tested)
        self.train(*self.common[:6], *self.common[8:], "--epochs", "1", "--checkpoint-dir", "c", data=self.data)
        self.write(self.data / "test.csv", days)
        said = self.refuses(1, "evaluate", "--checkpoint", "c", "--data", self.data)
        self.assertRegex(said, r'test\.csv: expected labels of 0 and 1 .*, found 2 as label "wet" of sample 7$')
        columns = self.common[2:4]
        done = self.call("verify", self.data, *self.common[:4], program=programs.TOOLS)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected 0 or 1 as label 1 of sample 7, found 2", done.stdout)
        done = self.call("verify", self.data, "--task", "regression", *columns, program=programs.TOOLS)
        self.assertEqual(done.returncode, 0)

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        wanted = self.summary(*self.common, data=self.data)["weights_hash"]
        self.train(*self.common[:6], *self.common[8:], "--epochs", "3", "--checkpoint-dir", "c", data=self.data)
        self.assertEqual(self.summary(*self.common, "--checkpoint-dir", "c", "--resume", data=self.data)["weights_hash"], wanted)
        numbers = ["regression" if word == "multilabel" else word for word in self.common]
        said = self.refuses(1, "--data", self.data, *numbers, "--checkpoint-dir", "c", "--resume")
        self.assertIn("task: checkpoint multilabel, this run regression", said)


if __name__ == "__main__":
    programs.main()
