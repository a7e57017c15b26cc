"""CSV as users have it: the column of labels that they name, and classes that have names."""

import json
import random

import programs


class Csv(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        draw = random.Random(4)
        self.data = self.top / "flowers"
        self.data.mkdir()
        self.write("train.csv", [self.sample(draw, name) for name in ["rose", "aster", "lily"] * 60])
        self.write("test.csv", [self.sample(draw, name) for name in ["lily", "rose"] * 20])

    @staticmethod
    def sample(draw, name):
        center = {"aster": 40, "lily": 120, "rose": 200}[name]
        return [str(center + draw.randrange(-20, 20)), str(draw.randrange(255)), name, str(draw.randrange(2))]

    def write(self, name, samples):
        (self.data / name).write_text("width,length,species,seen\n" + "".join(",".join(s) + "\n" for s in samples),
                                      encoding="utf-8")

    def tools(self, *arguments):
        done = self.call(*arguments, program=programs.TOOLS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    common = ("--epochs", "30", "--batch", "8", "--val-size", "30", "--lr", "0.1")

    def test_classes_have_names(self):
        done = self.train(*self.common, "--checkpoint-dir", "c", data=self.data)
        self.assertIn("180 training and 40 test samples, 3 uint8, 3 classes", done.stdout)
        model = ("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.data, "--json")
        found = json.loads(self.call(*model).stdout)
        self.assertEqual([c["samples"] for c in found["classes"]], [0, 20, 20])
        self.assertGreater(found["accuracy"], 0.9)
        # The other column of labels: another data set.
        other = self.call(*model, "--label-column", "seen")
        self.assertEqual(other.returncode, 1)
        self.assertIn("none called \"seen\", but \"species\" in column 3", other.stderr)
        self.assertIn("test.csv: line 2: ", self.without_class("test.csv"))

    def test_values_too_large_to_train_on_are_named_where_it_diverges(self):
        lines = "".join(f"{i % 2},{i * 997 % 500}e15,{i}\n" for i in range(60))
        (self.top / "large.csv").write_text("label,a,b\n" + lines, encoding="utf-8")
        done = self.call("--data", "large.csv", "--val-size", "10", "--epochs", "9", "--quiet")
        self.assertEqual(done.returncode, 3)
        warning, error = done.stderr.splitlines()
        self.assertRegex(warning, r"^trainer: warning: what may help, too: --standardize on: values reach 4\.\d+e\+17 ")
        self.assertRegex(error, r"^trainer: training diverged at step \d+ ")

    def test_columns_of_any_size_are_standardised(self):
        draw = random.Random(7)
        kinds = ["oak", "elm"]
        def table(path, samples):
            rows = [(kind, 40_000 + 9_000 * (kind == "oak") + draw.gauss(0, 2_000), draw.gauss(0, 1e-3) + 2e-3 * (kind == "elm"), 7)
                    for kind in kinds * (samples // 2)]
            path.write_text("kind,price,share,same\n" + "".join(f"{k},{p},{s},{o}\n" for k, p, s, o in rows), encoding="utf-8")
        data = self.top / "trees"
        data.mkdir()
        table(data / "train.csv", 400)
        table(data / "test.csv", 100)
        run = ("--epochs", "20", "--val-size", "60", "--lr", "0.1", "--quiet", "--force", "--checkpoint-dir")
        self.assertIn("may help, and --standardize on: values reach ", self.train(*run, "plain", data=data).stderr)
        done = self.train(*run, "c", "--standardize", "on", "--report", "r.html", "--metrics", "m", data=data)
        self.assertEqual(done.stderr, "")
        self.assertIn("<dt>--standardize</dt><dd>on</dd>", (self.top / "r.html").read_text(encoding="utf-8"))
        summary = json.loads((self.top / "m").read_text(encoding="utf-8").splitlines()[-1])
        self.assertGreater(summary["test_acc"], 0.95)
        model = ("--checkpoint", "c/last.safetensors")
        found = json.loads(self.call("evaluate", *model, "--data", data, "--json").stdout)
        self.assertEqual((found["accuracy"], found["loss"]), (summary["test_acc"], summary["test_loss"]))
        part = json.loads(self.call("evaluate", *model, "--data", data, "--split", "val", "--json").stdout)
        self.assertEqual(part["samples"], 60)
        lines = self.call("predict", *model, "--top", "1", data / "test.csv").stdout.splitlines()
        right = sum(f" {kinds[i % 2]} (" in line for i, line in enumerate(lines))
        self.assertEqual(right / 100, summary["test_acc"])
        self.assertIn("input.std", self.tools("inspect", "c/last.safetensors"))
        # Whole numbers from 0 to 255 are not taken for pixels then.
        done = self.train(*self.common, "--standardize", "on", data=self.data)
        self.assertIn("3 float32, 3 classes; labels in column 3 (\"species\")\n", done.stdout)
        self.assertIn(", standardised, seed 0\n", done.stdout)
        # Another run, and one that goes on.
        refused = self.call("--data", data, *run[:-2], "--checkpoint-dir", "c", "--resume")
        self.assertIn("standardised samples: checkpoint on, this run off", refused.stderr)
        self.assertIn("--standardize on", self.call("--data", data, *run, "d", "--init", "c").stderr)

    def test_columns_have_names(self):
        self.train(*self.common, "--checkpoint-dir", "c", data=self.data)
        model = ("evaluate", "--checkpoint", "c/last.safetensors", "--split", "train")
        found = lambda data, *more: json.loads(self.call(*model, "--data", data, "--json", *more).stdout)
        told = found(self.data / "test.csv")
        self.assertEqual(told["samples"], 40)
        # Other places, a class that does not come, and what is written of it.
        lines = [line.split(",") for line in (self.data / "test.csv").read_text(encoding="utf-8").splitlines()]
        other = self.top / "other.csv"
        other.write_text("".join(",".join(reversed(line)) + "\n" for line in lines), encoding="utf-8")
        self.tools("convert", other, "written", "--to", "csv")
        for data in (other, self.top / "written"):
            for key in ("accuracy", "loss", "confusion"):
                self.assertEqual(found(data)[key], told[key], data)
        # Without a header the column of labels is known by its number.
        bare = self.top / "bare.csv"
        bare.write_text("".join(f"{i % 3 * 80},{i % 7},{i % 3}\n" for i in range(90)), encoding="utf-8")
        self.summary(*self.common, "--label-column", "3", "--checkpoint-dir", "d", data=bare)
        last = self.records(self.top / "summary.jsonl")[-2]
        done = self.call("evaluate", "--checkpoint", "d/last.safetensors", "--data", bare, "--split", "validation", "--json")
        self.assertEqual((done.stderr, json.loads(done.stdout)["accuracy"]), ("", last["val_acc"]))
        # Without names, or with others.
        self.tools("convert", other, "arrays", "--to", "npy")
        done = self.call(*model, "--data", "arrays", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["samples"]), (0, 40))
        self.assertIn("there are no names for its columns: values are taken by their places", done.stderr)
        other.write_text(other.read_text(encoding="utf-8").replace("width", "height"), encoding="utf-8")
        line = self.refuses(1, *model, "--data", other)
        self.assertIn("other.csv: line 1: expected the columns of c/last.safetensors, found none called \"width\", but "
                      "\"height\" in column 4", line)

    def without_class(self, name):
        self.write(name, [["1", "2", "tulip", "0"]])
        done = self.call("--data", self.data, *self.common)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected one of the 3 classes of the training set as the label in column 3 (\"species\"), found "
                      "\"tulip\"", done.stderr)
        return done.stderr

    def test_the_names_are_kept(self):
        self.tools("convert", self.data, "shards", "--shards", "2")
        manifest = json.loads((self.top / "shards" / "manifest.json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["class_names"], ["aster", "lily", "rose"])
        self.train(*self.common, "--checkpoint-dir", "c", data="shards")
        found = json.loads(self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", "shards", "--json").stdout)
        self.assertEqual([c["name"] for c in found["classes"]], manifest["class_names"])

    def test_new_lines_are_predicted(self):
        self.train(*self.common, "--checkpoint-dir", "c", data=self.data)
        model = ["predict", "--checkpoint", "c/last.safetensors", "--json", "--top", "9"]
        evaluated = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.data,
                              "--json")
        confusion = json.loads(evaluated.stdout)["confusion"]
        lines = (self.data / "test.csv").read_text(encoding="utf-8").splitlines()
        label = lines[0].split(",").index("species")
        (self.top / "new.csv").write_text("".join(",".join(c for i, c in enumerate(line.split(",")) if i != label) + "\n"
                                                  for line in lines), encoding="utf-8")
        found = [[json.loads(line) for line in self.call(*model, table).stdout.splitlines()]
                 for table in (self.data / "test.csv", "new.csv")]
        guesses = [[sample["top"][0]["class"] for sample in samples] for samples in found]
        self.assertEqual(guesses[0], guesses[1])
        self.assertEqual([guesses[0].count(c) for c in range(3)], [sum(row[c] for row in confusion) for c in range(3)])
        self.assertEqual([(s["table"], s["sample"]) for s in found[1]], [("new.csv", i) for i in range(len(lines) - 1)])
        done = self.call(*model[:3], "--top", "1", "new.csv")
        self.assertRegex(done.stdout, r"\Anew\.csv, sample 0:  (aster|lily|rose) \(\d+\.\d\d %\)\n")
        self.assertIn("expected images or tables, found both", self.refuses(2, *model, "new.csv", "one.png"))
        self.assertIn("found tables", self.refuses(2, *model, "--invert", "on", "new.csv"))

    def test_lines_of_pixels_become_images(self):
        self.tools("convert", self.digits, "table", "--to", "csv")
        common = ["--epochs", "2", "--rotate", "5", "--val-size", "200", "--metrics", "m.jsonl"]
        self.train(*common)
        expected = self.records(self.top / "m.jsonl")[-1]["weights_hash"]
        line = self.refuses(2, "--data", "table", *common)
        self.assertIn("found samples of 784 uint8 (--image-size WxH makes images of them)", line)
        self.train(*common, "--image-size", "28x28", "--checkpoint-dir", "c", data="table")
        self.assertEqual(self.records(self.top / "m.jsonl")[-1]["weights_hash"], expected)
        model = ["evaluate", "--checkpoint", "c/last.safetensors", "--json", "--data"]
        as_images = self.call(*model, self.digits)
        accuracy = lambda done: json.loads(done.stdout)["accuracy"]
        for said in ([], ["--image-size", "28x28"]):  # which the model knows
            as_table = self.call(*model, "table", *said)
            self.assertEqual((as_table.stderr, as_table.returncode), ("", 0))
            self.assertEqual(accuracy(as_table), accuracy(as_images))
        self.tools("convert", "table", "idx", "--to", "idx", "--image-size", "28x28")
        images = "train-images-idx3-ubyte"
        self.assertEqual((self.top / "idx" / images).read_bytes(), (self.digits / images).read_bytes())
        self.assertIn("to be images (--image-size 28x28), found samples of 28x28 uint8",
                      self.refuses(1, "--data", self.digits, "--image-size", "28x28"))

    def test_a_run_that_learns_nothing_says_so(self):
        table = self.top / "prices.csv"
        table.write_text("a,b,label\n" + "".join(f"{9000.5 + i % 3 * 100},{i * 7 % 11},{i % 3}\n" for i in range(90)), encoding="utf-8")
        done = self.train("--quiet", "--epochs", "20", data=table)
        self.assertRegex(done.stderr, r"\Atrainer: warning: hardly anything was learnt: train_loss is \d+\.\d{4}, and 1\.0986 where "
                         r"[^\n]+; another --lr than 0\.5 may help, and --standardize on: values reach 9200\.5 and [^\n]+\n\Z")
        table.write_text("a,b,label\n" + "".join(f"{i % 3 * 0.45},{i * 7 % 11 * 0.1},{i % 3}\n" for i in range(90)), encoding="utf-8")
        self.assertEqual(self.train("--quiet", "--epochs", "50", data=table).stderr, "")

    def test_the_column_is_named_or_counted(self):
        table = self.top / "table.csv"
        table.write_text("a,kind,b\n1,0,3\n4,2,6\n", encoding="utf-8")
        classes = lambda *more: json.loads(self.tools("inspect", table, "--json", *more))["train"]["classes"]
        self.assertEqual(classes(), 5)
        self.assertEqual(classes("--label-column", "kind"), 3)
        self.assertEqual(classes("--label-column=3"), 7)
        self.tools("convert", table, "out", "--label-column", "kind", "--to", "idx")
        self.assertEqual((self.top / "out" / "train-labels-idx1-ubyte").read_bytes()[8:], b"\x00\x02")
        done = self.train("--epochs", "1", "--val-size", "0", "--label-column", "kind", data=table)
        self.assertIn("2 training samples, 2 uint8, 3 classes; all values are whole numbers from 0 to 255 and divided "
                      "by 255, as pixels are (7.0 in place of a 7 keeps them as they are); labels in column 2 (\"kind\")",
                      done.stdout)
        table.write_text("a,kind,b\n1,0,3\n4,0,6\n", encoding="utf-8")
        done = self.train("--quiet", "--epochs", "1", "--val-size", "0", "--label-column", "kind", data=table)
        self.assertEqual(done.stderr, f"trainer: warning: {table}: all samples are of one class: nothing can be learnt\n")
        table.write_text("a,kind,b\n1,0,3\n4,2,6\n", encoding="utf-8")
        stages = json.loads(self.tools("bench", table, "--label-column", "kind", "--seconds", "0.01", "--json"))
        self.assertIn("3 classes", stages["data"])
        line = self.refuses(1, "--data", table, "--label-column", "size")
        self.assertIn("expected a column \"size\" for labels, found none of that name", line)
        line = self.refuses(1, "--data", self.digits, "--label-column", "kind")
        self.assertIn("expected a table, whose column of labels is asked for (--label-column)", line)
        line = self.refuses(1, "--data", table, "--resize", "8x8")
        self.assertIn("found samples of 2 uint8", line)


if __name__ == "__main__":
    programs.main()
