"""Numbers to be learnt: a table of houses and their prices, as users have it."""

import json
import random

import programs


class Regression(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.top / "houses"
        self.data.mkdir()
        draw = random.Random(5)
        self.write(self.data / "train.csv", [self.house(draw) for _ in range(600)])
        self.tested = [self.house(draw) for _ in range(100)]
        self.write(self.data / "test.csv", self.tested)

    @staticmethod
    def house(draw):
        size, rooms, year = draw.uniform(40, 250), draw.randrange(1, 8), draw.randrange(1900, 2020)
        price = 50_000 + 3_000 * size + 9_000 * rooms + 400 * (year - 1900) + draw.gauss(0, 5_000)
        return {"size": size, "rooms": rooms, "price": price, "year": year, "tax": price / 200 + draw.gauss(0, 9)}

    @staticmethod
    def write(path, houses, columns=("size", "rooms", "price", "year")):
        lines = [",".join(columns)] + [",".join(str(house[c]) for c in columns) for house in houses]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    common = ("--task", "regression", "--label-column", "price", "--standardize", "on", "--epochs", "30",
              "--batch", "16", "--val-size", "100", "--hidden", "16")

    def evaluated(self, *more):
        done = self.call("evaluate", "--checkpoint", "c/last.safetensors", "--data", self.data, "--json", *more)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def predicted(self, path):
        done = self.call("predict", "--checkpoint", "c/last.safetensors", "--json", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_prices_are_learnt_measured_and_predicted(self):
        done = self.train(*self.common, "--checkpoint-dir", "c", "--metrics", "m", "--report", "r.html", data=self.data)
        self.assertEqual(done.stderr, "")
        self.assertIn("600 training and 100 test samples, 3 float32, 1 target", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Epoch \[29\], val_loss: 0\.\d{4}, val_r2: 0\.\d{4}, train_loss: 0\.\d{4}, ")
        self.assertRegex(done.stdout, r"(?m)^Test, test_loss: 0\.\d{4}, test_r2: 0\.\d{4}, test_rmse: \d+")
        *epochs, summary = (json.loads(line) for line in (self.top / "m").read_text(encoding="utf-8").splitlines())
        self.assertGreater(summary["test_r2"], 0.98)
        self.assertLess(summary["test_rmse"], 20_000)
        self.assertNotIn("test_acc", summary)
        self.assertEqual(len(epochs), 30)
        self.assertGreater(epochs[-1]["val_r2"], 0.98)
        report = (self.top / "r.html").read_text(encoding="utf-8")
        for part in ("How far off it is", "<td>price</td>", "test RMSE", "<circle"):
            self.assertIn(part, report)

        found = self.evaluated()
        (price,) = found["targets"]
        self.assertEqual(price["name"], "price")
        self.assertAlmostEqual(found["r2"], summary["test_r2"], 5)
        self.assertAlmostEqual(price["rmse"] / summary["test_rmse"], 1, 5)
        self.assertEqual(found["loss"], summary["test_loss"])
        text = self.call("evaluate", "--checkpoint", "c", "--data", self.data).stdout
        self.assertRegex(text, r"(?m)^ price +[\d.e+]+ +[\d.e+]+ +[\d.e+]+ +0\.9\d+ +[\d.e+]+$")

        lines = self.predicted(self.data / "test.csv")
        self.assertEqual([line["sample"] for line in lines], list(range(100)))
        errors = [line["targets"][0]["value"] - house["price"] for line, house in zip(lines, self.tested)]
        rmse = (sum(error * error for error in errors) / len(errors)) ** 0.5
        self.assertAlmostEqual(rmse / price["rmse"], 1, 4)
        # Columns are found by their names; the one of prices need not be there.
        self.write(self.top / "new.csv", self.tested, ("year", "size", "rooms"))
        self.assertEqual([line["targets"] for line in self.predicted("new.csv")], [line["targets"] for line in lines])
        plain = self.call("predict", "--checkpoint", "c/last.safetensors", "new.csv").stdout.splitlines()
        self.assertRegex(plain[3], r"^new\.csv, sample 3:  price \d+")

    def test_several_columns_are_learnt_at_once(self):
        for name, houses in (("train.csv", 300), ("test.csv", 60)):
            draw = random.Random(name)
            self.write(self.data / name, [self.house(draw) for _ in range(houses)],
                       ("tax", "size", "rooms", "price", "year"))
        both = self.common[:2] + ("--label-column", "price,tax") + self.common[4:]
        done = self.train(*both, "--checkpoint-dir", "c", data=self.data)
        self.assertIn("3 float32, 2 targets", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Test, test_loss: 0\.\d{4}, test_r2: 0\.9\d{3}$")
        self.assertEqual([target["name"] for target in self.evaluated()["targets"]], ["price", "tax"])

    def test_tables_are_converted_looked_at_and_streamed(self):
        def tools(*arguments):
            done = self.call(*arguments, program=programs.TOOLS)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return done.stdout

        task = self.common[:2]
        prices = task + ("--label-column", "price")
        tools("convert", self.data, "shards", *prices, "--shards", "2")
        tools("convert", self.data, "arrays", *prices, "--to", "npy")
        tools("convert", self.data, "table", *prices, "--to", "csv")
        tools("repair", "shards", "mended")
        for name, more in (("shards", ()), ("mended", ()), ("arrays", task), ("table", prices)):
            self.assertEqual(tools("verify", name, *more, "--quiet"), "")
        inspected = [json.loads(tools("inspect", name, *(prices if name in (self.data, "table") else task), "--json"))
                     for name in (self.data, "shards", "mended", "arrays", "table")]
        for found in inspected:
            for split in ("train", "test"):
                self.assertEqual(found[split]["hash"], inspected[0][split]["hash"])
        (price,) = inspected[0]["test"]["targets"]
        self.assertEqual(price["name"], "price")
        mean = sum(house["price"] for house in self.tested) / len(self.tested)
        self.assertAlmostEqual(price["mean"] / mean, 1, 6)
        self.assertRegex(tools("inspect", self.data, *prices), r"(?m)^    price: [\d.e+]+ to [\d.e+]+, mean ")
        tar = self.call("convert", "shards", "tar", *task, "--to", "tar", program=programs.TOOLS)
        self.assertEqual(tar.returncode, 2)
        self.assertIn("tar, which holds classes alone", tar.stderr)

        same = self.common[:2] + self.common[4:]
        self.assertEqual(self.summary(*same, data=self.top / "shards")["weights_hash"],
                         self.summary(*self.common, data=self.data)["weights_hash"])
        streamed = self.summary(*same, "--residency", "stream", data=self.top / "shards")
        self.assertGreater(streamed["test_r2"], 0.98)

    def test_a_run_goes_on_to_the_same_bits(self):
        whole = self.summary(*self.common, data=self.data)
        first = self.common[:6] + ("--epochs", "11") + self.common[8:]
        self.train(*first, "--checkpoint-dir", "c", data=self.data)
        resumed = self.summary(*self.common, "--resume", "--checkpoint-dir", "c", data=self.data)
        for key in ("weights_hash", "test_r2", "test_rmse", "test_loss"):
            self.assertEqual(resumed[key], whole[key])

    def test_seeds_are_told_by_their_r2(self):
        done = self.train(*self.common, "--repeat", "2", data=self.data)
        self.assertRegex(done.stdout, r"(?m)^Mean of 2 seeds: val_r2 0\.9\d+ ± 0\.\d+, test_r2 0\.9\d+ ± ")

    def test_what_cannot_be_is_one_line(self):
        def refused(status, text, *arguments):
            done = self.call("--data", self.data, *arguments)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(text, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
        refused(1, "--task regression", "--label-column", "price")
        refused(2, "--loss: ", "--loss", "mae")
        refused(2, "--label-smoothing: expected --task classification", *self.common, "--label-smoothing", "0.1")
        refused(2, "--target-acc: expected --task classification", *self.common, "--target-acc", "0.9")
        refused(1, "cost", "--task", "regression", "--label-column", "cost")
        (self.data / "train.csv").write_text("size,price\n1,2\n3,n/a\n", encoding="utf-8")
        (self.data / "test.csv").unlink()
        refused(1, "train.csv: line 3: ", "--task", "regression", "--label-column", "price")

    def test_models_of_targets_and_of_classes_are_told_apart(self):
        self.train(*self.common, "--checkpoint-dir", "c", data=self.data)
        top = self.call("predict", "--checkpoint", "c/last.safetensors", "--top", "2", self.data / "test.csv")
        self.assertEqual(top.returncode, 2)
        self.assertIn("--top: expected a model of classes", top.stderr)
        resumed = self.call("--data", self.data, *self.common, "--standardize-targets", "off", "--resume",
                            "--checkpoint-dir", "c")
        self.assertEqual(resumed.returncode, 1)
        self.assertIn("standardised targets: checkpoint on, this run off", resumed.stderr)


if __name__ == "__main__":
    programs.main()
