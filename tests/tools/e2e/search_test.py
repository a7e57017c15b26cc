"""`trainer search` as users run it: what it tells, goes on from, refuses, and trains in the end."""

import json
import re
import resource
import signal
import subprocess
import time

import programs
from programs import ProgramTest


def run_lines(journal):
    return [json.loads(line) for line in journal.read_text().splitlines()]


class Search(ProgramTest):
    def search(self, *arguments, **options):
        return self.call("search", "--data", self.digits, "--batch", "32", *arguments, **options)

    def test_ranks_what_it_tried_and_trains_the_best(self):
        done = self.search("lr=0.01/0.3", "hidden=8/16", "--epochs", "2", "--metrics", "m.jsonl",
                           "--checkpoint-dir", "best")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1], "Search: 4 trials, lr 0.01 or 0.3; hidden 8 or 16")
        self.assertEqual(sorted(re.findall(r"^Trial (\d): val_acc 0\.\d{4}", done.stdout, re.M)), list("1234"))
        heading = next(i for i, line in enumerate(lines) if line.startswith("trial "))
        self.assertEqual(lines[heading].split(), ["trial", "val_acc", "val_loss", "epoch", "train_s", "lr", "hidden"])
        rows = [line.split() for line in lines[heading + 1:heading + 5]]
        self.assertEqual(sorted(row[0] for row in rows), list("1234"))
        scores = [float(row[1]) for row in rows]
        self.assertEqual(scores, sorted(scores, reverse=True))
        best = lines[heading + 5]
        self.assertEqual(best, f"Best: trainer --data {self.digits} --batch 32 --epochs 2 --metrics m.jsonl "
                               f"--checkpoint-dir best --lr {rows[0][5]} --hidden {rows[0][6]}")

        # What follows is that run, to the bit, and the one the score was of.
        alone = self.call(*best.split()[2:], "--metrics", "alone.jsonl", "--checkpoint-dir", "alone")
        self.assertEqual(alone.returncode, 0, alone.stderr)
        self.assertEqual(lines[-1], alone.stdout.splitlines()[-1])
        self.assertTrue(lines[-1].startswith("Weights: "))
        epochs = [json.loads(line) for line in (self.top / "m.jsonl").read_text().splitlines()][:-1]
        self.assertAlmostEqual(max(e["val_acc"] for e in epochs), scores[0], places=4)
        self.assertTrue((self.top / "best" / "best.safetensors").exists())

    def test_shows_the_search_in_the_report(self):
        done = self.search("lr=0.01/0.1/0.3", "--epochs", "1", "--folds", "2", "--report", "r.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (self.top / "r.html").read_text()
        self.assertIn("How its options were found", page)
        self.assertEqual(page.count("<figcaption>val_acc over lr</figcaption>"), 1)
        # A run by itself has nothing of the kind.
        self.assertEqual(self.call("--data", self.digits, "--epochs", "1", "--report", "one.html").returncode, 0)
        self.assertNotIn("How its options were found", (self.top / "one.html").read_text())

    def test_goes_on_from_its_journal(self):
        command = ("lr=0.01..1:log", "momentum=0.0..0.9", "--epochs", "1", "--refit", "off", "--journal", "j.jsonl")
        first = self.search(*command, "--trials", "3")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(len(run_lines(self.top / "j.jsonl")), 3)
        more = self.search(*command, "--trials", "5", "--parallel", "3")
        self.assertEqual(more.returncode, 0, more.stderr)
        self.assertIn("Searched: 2 runs in ", more.stdout)
        self.assertIn("; 3 from the journal", more.stdout)
        self.assertEqual(len(run_lines(self.top / "j.jsonl")), 5)
        whole = self.search(*command[:-2], "--trials", "5")
        ranking = re.compile(r"^ *\d+ +0\.\d+ +\d\.\d+ +\d", re.M)
        self.assertEqual(ranking.findall(whole.stdout), ranking.findall(more.stdout))
        self.assertEqual(len(ranking.findall(whole.stdout)), 5)

    def test_a_kill_loses_what_was_under_way_alone(self):
        command = [programs.TRAINER, "search", "seed=" + "/".join(map(str, range(1000))), "--data", str(self.digits),
                   "--epochs", "20", "--journal", "j.jsonl", "--parallel", "2"]
        for how in (signal.SIGKILL, signal.SIGINT):
            before = len(run_lines(self.top / "j.jsonl")) if how == signal.SIGINT else 0
            run = subprocess.Popen(command, cwd=self.top, env=programs.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while not (self.top / "j.jsonl").exists() or (self.top / "j.jsonl").read_text().count("\n") < before + 3:
                self.assertIsNone(run.poll(), "the search ended by itself")
                time.sleep(0.01)
            run.send_signal(how)
            errors = run.communicate(timeout=programs.TIMEOUT)[1]
        self.assertEqual(run.returncode, 130)
        ends = len(run_lines(self.top / "j.jsonl"))
        self.assertGreaterEqual(ends, 6)
        errors = programs.NO_GPU.sub("", errors).splitlines()
        self.assertRegex(errors[-2], rf"^trainer search: stopped by SIGINT; {ends} of 1000 runs are done$")
        self.assertTrue(errors[-1].startswith("trainer search: to go on: trainer search seed=0/1/2/"))
        self.assertTrue(errors[-1].endswith(" --epochs 20 --journal j.jsonl --parallel 2"))

    def test_of_trials_that_diverge(self):
        some = self.search("lr=0.1/1e30", "--epochs", "1", "--refit", "off")
        self.assertEqual(some.returncode, 0, some.stderr)
        self.assertRegex(some.stdout, r"(?m)^Trial 2: diverged  lr=1e30$")
        self.assertRegex(some.stdout, r"(?m)^ +2  diverged +- +- +0\.00  1e30$")
        none = self.search("lr=1e30/1e31", "--epochs", "1")
        self.assertEqual(none.returncode, 3)
        self.assertRegex(none.stderr, r"(?m)^trainer search: all trials diverged: .+")

    def test_seeds_are_averaged(self):
        done = self.search("lr=0.1/0.3", "--epochs", "1", "--repeat", "3", "--journal", "j.jsonl")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Search: 2 trials of 3 seeds, lr 0.1 or 0.3", done.stdout)
        runs = run_lines(self.top / "j.jsonl")
        self.assertEqual(sorted(r["run"]["seed"] for r in runs), [0, 0, 1, 1, 2, 2])
        for rate in ("0.1", "0.3"):
            scores = [r["run"]["score"] for r in runs if r["options"]["--lr"] == rate]
            self.assertIn(f"{sum(scores) / 3:.4f} ± ", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Mean of 3 seeds: val_acc")

    def test_gives_up_what_is_behind(self):
        done = self.search("lr=0.001..1:log", "--trials", "9", "--epochs", "9", "--halving", "3", "--journal", "j.jsonl")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(re.findall(r"(?m)^Rung .*$", done.stdout),
                         ["Rung 1 of 3: 9 trials up to epoch 1", "Rung 2 of 3: 3 trials up to epoch 3",
                          "Rung 3 of 3: 1 trial up to epoch 9"])
        table = done.stdout[done.stdout.index("\ntrial"):].splitlines()[1:]
        self.assertEqual(table[0].split(), ["trial", "val_acc", "val_loss", "epoch", "epochs", "train_s", "lr"])
        self.assertEqual([int(row.split()[4]) for row in table[1:10]], [9, 3, 3, 1, 1, 1, 1, 1, 1])
        self.assertEqual(len(run_lines(self.top / "j.jsonl")), 13)
        self.assertEqual(done.stderr.count("weights"), 0, "the best ends in other weights than its trial")
        again = self.search("lr=0.001..1:log", "--trials", "9", "--epochs", "9", "--halving", "3", "--journal", "j.jsonl")
        self.assertIn("Searched: 0 runs; 13 from the journal", again.stdout)
        self.assertEqual(again.stdout.splitlines()[-1], done.stdout.splitlines()[-1])

    def test_a_regression_goes_by_r2(self):
        lines = [f"{x % 7},{x % 5},{x % 7 - 2 * (x % 5)}" for x in range(300)]
        (self.top / "numbers.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
        done = self.call("search", "lr=0.0001/0.1", "--data", "numbers.csv", "--task", "regression", "--label-column", "y",
                         "--epochs", "5", "--refit", "off")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^trial +val_r2 ")
        self.assertRegex(done.stdout, r"(?m)^Best: trainer .* --lr 0\.1$")

    def test_one_line_says_what_is_wrong(self):
        for arguments, status, message in (
                ((), 2, "expected what to try, as lr=0.1/0.3 or lr=0.01..1:log, found nothing"),
                (("lr=0.1/0.3", "--journal", "no/such/folder/j"), 1, "no/such/folder/j: cannot open the journal file: "),
                (("hidden=8/0",), 2, "--hidden: expected "),
                (("lr=1/2", "--class-weights", "1,2"), 2, "--class-weights: expected ")):
            done = self.search(*arguments)
            self.assertEqual(done.returncode, status, done.stderr)
            told = [line for line in done.stderr.splitlines() if ": validation takes " not in line]
            self.assertTrue(told[0].startswith("trainer search: " + message), done.stderr)
            self.assertNotIn("Trial 1", done.stdout)

    def test_what_the_last_run_could_not_do_is_said_before_the_first(self):
        self.assertEqual(self.call("--data", self.digits, "--epochs", "1", "--checkpoint-dir", "old").returncode, 0)
        for option, path, status, message in (
                ("--checkpoint-dir", "old", 2, "--checkpoint-dir old: expected no checkpoints of another run"),
                ("--metrics", "none/m.jsonl", 1, "none/m.jsonl: cannot open the metrics file"),
                ("--report", "none/r.html", 1, "none"),
                ("--trace", "none/t.json", 1, "none"),
                ("--tensorboard", "old/best.safetensors/tb", 1, "old/best.safetensors")):
            done = self.search("lr=0.1/0.3", option, path)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(message, done.stderr)
            self.assertNotIn("Trial 1", done.stdout)
        done = self.search("lr=0.1/0.3", "--epochs", "1", "--checkpoint-dir", "old", "--refit", "off")
        self.assertEqual(done.returncode, 0, "the search itself writes nothing there")

    def test_diverged_seeds_say_why(self):
        lines = [f"{x % 7},{x % 5},{x % 7 - 2 * (x % 5)}" for x in range(300)]
        (self.top / "numbers.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
        done = self.call("search", "lr=1e20/1e21", "--data", "numbers.csv", "--task", "regression", "--label-column", "y",
                         "--epochs", "5", "--repeat", "2")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"(?m)^trainer search: all trials diverged: .+")

    def test_a_full_disk_costs_the_journal_alone(self):
        def full():
            resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))

        done = self.search("lr=0.1/0.3/0.5", "--epochs", "1", "--refit", "off", "--journal", "j.jsonl", preexec=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Searched: 3 runs in ", done.stdout)
        self.assertIn("Best: trainer ", done.stdout)
        self.assertIn("j.jsonl: cannot write journal: File too large", done.stderr)
        self.assertEqual(len(run_lines(self.top / "j.jsonl")), 1)


if __name__ == "__main__":
    programs.main()
