"""Tables as people have them: text in some columns, nothing in some cells, columns that say nothing."""

import json
import random

import programs

COLUMNS = "PassengerId,Pclass,Name,Sex,Age,Embarked,Survived"
TABLE = ("--one-hot", "text,Pclass", "--drop-columns", "PassengerId,Name", "--missing", "mean")


class Table(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.top / "ship"
        self.data.mkdir()
        draw = random.Random(3)
        self.lines = [self.passenger(draw, number) for number in range(1, 401)]
        self.write("train.csv", COLUMNS, self.lines[:300])
        self.write("test.csv", COLUMNS, self.lines[300:])

    @staticmethod
    def passenger(draw, number):
        """Women and the first class survive, as they did; some ages and ports are not known."""
        sex = draw.choice(["male", "female"])
        rank = draw.randrange(1, 4)
        age = "" if draw.random() < 0.2 else f"{draw.uniform(1, 70):.1f}"
        port = draw.choice(["S", "C", "Q", "NA"] if number > 5 else ["S"])
        survived = int(draw.random() < 0.1 + 0.6 * (sex == "female") + 0.2 * (rank == 1))
        return f'{number},{rank},"No. {number}, {sex}",{sex},{age},{port},{survived}'

    def write(self, name, columns, lines):
        (self.data / name).write_text("\n".join([columns, *lines]) + "\n", encoding="utf-8")
        return self.data / name

    def tools(self, *arguments):
        done = self.call(*arguments, program=programs.TOOLS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    common = ("--label-column", "Survived", "--standardize", "on", "--epochs", "20", "--batch", "16", "--val-size", "50",
              "--lr", "0.1")

    def test_is_learnt_and_what_is_asked_later_is_made_alike(self):
        done = self.train(*self.common, *TABLE, "--checkpoint-dir", "c", data=self.data)
        self.assertIn('300 training and 100 test samples, 11 float32, 2 classes; labels in column 7 ("Survived"); columns '
                      '"Pclass" of 3 categories, "Sex" of 2 categories, "Age" filled in where it is missing, "Embarked" of '
                      "3 categories, some missing", done.stdout)
        found = json.loads(self.call("evaluate", "--checkpoint", "c", "--data", self.data, "--json").stdout)
        self.assertGreater(found["accuracy"], 0.72)
        # Columns in another order, without labels and what was left out.
        new = self.write("new.csv", "Sex,Embarked,Age,Pclass", ["female,S,,1", "male,S,30,3", "male,X,30,3"])
        done = self.call("predict", "--checkpoint", "c", "--json", new)
        guesses = [json.loads(line)["top"][0]["class"] for line in done.stdout.splitlines()]
        self.assertEqual(guesses[:2], [1, 0])
        self.assertIn('new.csv: 1 sample has categories that are not known, which count as none: the first is "X" in '
                      'column 2 ("Embarked") of sample 2', done.stderr)

    def test_resumes_to_the_same_bits(self):
        whole = self.summary(*self.common, *TABLE, data=self.data)
        self.train(*self.common, "--epochs", "7", *TABLE, "--checkpoint-dir", "c", data=self.data)
        again = self.summary(*self.common, *TABLE, "--checkpoint-dir", "c", "--resume", "--threads", "1", data=self.data)
        self.assertEqual(again["weights_hash"], whole["weights_hash"])
        done = self.call("--data", self.data, *self.common, *TABLE[:4], "--missing", "fail", "--checkpoint-dir", "c", "--resume")
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected a finite number in column 5", done.stderr)

    def test_is_the_table_of_numbers_that_tools_make_of_it(self):
        self.tools("convert", self.data, "numbers", "--to", "csv", "--label-column", "Survived", *TABLE)
        header = (self.top / "numbers" / "train.csv").read_text(encoding="utf-8").splitlines()[0]
        self.assertEqual(header, "Survived,Pclass=1,Pclass=2,Pclass=3,Sex=female,Sex=male,Age,Age missing,Embarked=C,"
                                 "Embarked=Q,Embarked=S,Embarked missing")
        common = tuple("off" if word == "on" else word for word in self.common)
        whole = self.summary(*common, *TABLE, data=self.data)["weights_hash"]
        self.assertEqual(self.summary(*common, data=self.top / "numbers")["weights_hash"], whole)
        shape = json.loads(self.tools("inspect", self.data, "--json", "--label-column", "Survived", *TABLE))["train"]["shape"]
        self.assertEqual(shape, [11])

    def test_targets_and_onnx(self):
        regression = ("--task", "regression", "--label-column", "Age", "--one-hot", "text", "--drop-columns",
                      "PassengerId,Name,Survived", "--standardize", "on", "--epochs", "3", "--val-size", "20")
        known = [line for line in self.lines if line.split(",")[5]]
        path = self.write("train.csv", COLUMNS, [line.replace(",NA,", ",S,") for line in known])
        (self.data / "test.csv").unlink()
        self.train(*regression, "--checkpoint-dir", "r", data=path)
        self.call("export", "--checkpoint", "r", "--onnx", "m.onnx")
        self.assertTrue((self.top / "m.onnx").exists())
        done = self.call("evaluate", "--checkpoint", "r", "--data", path, "--split", "train", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_is_wrong_is_told_with_what_to_do(self):
        def refused(*options):
            done = self.call("--data", self.data, "--label-column", "Survived", *options)
            self.assertEqual(done.returncode, 1, done.stderr)
            (line,) = done.stderr.splitlines()
            return line
        self.assertIn('line 2: expected a finite number in column 3 ("Name"), found "No. 1, ', refused())
        self.assertIn("(--one-hot Name makes values of categories, --drop-columns Name leaves it out)", refused())
        self.assertIn('300 in column 3 ("Name") (--drop-columns Name leaves out',
                      refused("--one-hot", "text", "--missing", "mean"))
        self.assertIn('column 5 ("Age"), found an empty cell (--missing mean', refused("--one-hot", "text", "--drop-columns", "Name"))
        done = self.call("--data", self.data, "--one-hot", "text")
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected a column of labels (--label-column says which)", done.stderr)
        done = self.call("--data", self.data, "--missing", "zero")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--missing: expected fail or mean, found 'zero'", done.stderr)
        done = self.call("--data", self.data, "--one-hot", "a,,b")
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    programs.main()
