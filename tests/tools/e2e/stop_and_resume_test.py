"""Stopping a run by signals, also by those that cannot be caught, and going on to the same weights."""

import random
import re
import shlex
import signal
import subprocess
import time

import programs


class StopAndResume(programs.ProgramTest):
    # Long enough to be stopped on the way: some hundred milliseconds.
    RUN = ["--val-size", "200", "--epochs", "12", "--hidden", "32,32" if programs.SLOW else "192,192", "--batch", "32",
           "--lr", "0.1", "--momentum", "0.9"]

    def started(self, *more):
        """A run that has trained an epoch."""
        process = self.start("--data", self.digits, *self.RUN, *more)
        for line in process.stdout:
            if line.startswith("Epoch ["):
                return process
        self.fail(process.stderr.read())

    def stop(self, process, number):
        process.send_signal(number)
        _, errors = process.communicate(timeout=programs.TIMEOUT)
        return process.returncode, errors.splitlines()

    def test_a_signal_saves_and_prints_the_command_that_goes_on(self):
        expected = self.weights(*self.RUN)
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            with self.subTest(number.name):
                folder = f"check points {status}"
                metrics = f"m{status}.jsonl"
                returned, lines = self.stop(self.started("--checkpoint-dir", folder, "--metrics", metrics), number)
                self.assertEqual(returned, status, lines)
                self.assertEqual(lines[0], f"trainer: stopped by {number.name}; saved {folder}/last.safetensors")
                command = re.fullmatch(r"trainer: to go on: (.*)", lines[1])[1]
                self.assertEqual(len(lines), 2)
                self.assertFalse(any("summary" in r for r in self.records(self.top / metrics)))

                # As a user would: from a shell.
                done = subprocess.run(["sh", "-c", command], cwd=self.top, capture_output=True, text=True,
                                      env=programs.environment(), timeout=programs.TIMEOUT, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"Resumed: {folder}/last.safetensors", done.stdout)
                self.assertIn(f"Weights: {expected}", done.stdout)
                *epochs, summary = self.records(self.top / metrics)
                self.assertEqual(summary["weights_hash"], expected)
                self.assertEqual([e["epoch"] for e in epochs], list(range(12)))

    def test_repeated_runs_stop_between_seeds_and_go_on(self):
        seeds = [self.weights(*self.RUN, "--seed", str(seed)) for seed in (3, 4)]
        process = self.start("--data", self.digits, *self.RUN, "--seed", "3", "--repeat", "2", "--checkpoint-dir", "c",
                             "--metrics", "m.jsonl")
        for line in process.stdout:
            if line.startswith("Seed 4, run 2 of 2"):
                break
        for line in process.stdout:
            if line.startswith("Epoch [0]"):
                break
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=programs.TIMEOUT)
        self.assertEqual(process.returncode, 130, errors)
        self.assertRegex(out, rf"(?m)^Seed 3: val_acc 0\.\d+, test_acc 0\.\d+, training [\d.]+ s, weights {seeds[0]}$")
        self.assertIn("Mean of 1 of 2 seeds:", out)
        saved, again = errors.splitlines()
        self.assertEqual(saved, "trainer: stopped by SIGINT; saved c/seed-4/last.safetensors")
        done = self.call(*shlex.split(again.removeprefix("trainer: to go on: "))[1:])
        self.assertEqual(done.returncode, 0, done.stderr)
        for seed, weights in zip((3, 4), seeds):
            self.assertRegex(done.stdout, rf"(?m)^Seed {seed}: .* weights {weights}$")
        self.assertIn("Mean of 2 seeds: val_acc 0.", done.stdout)
        *_, last = self.records(self.top / "m.jsonl")
        self.assertEqual([seed["weights_hash"] for seed in last["seeds"]], seeds)
        accuracies = [seed["test_acc"] for seed in last["seeds"]]
        self.assertAlmostEqual(last["test_acc_mean"], sum(accuracies) / 2)
        epochs = [r["epoch"] for r in self.records(self.top / "m.jsonl") if r.get("seed") == 4 and "epoch" in r]
        self.assertEqual(epochs, list(range(12)))

    def test_seeds_to_come_do_not_go_on_from_what_force_replaces(self):
        seeds = [self.weights(*self.RUN, "--seed", str(seed)) for seed in (3, 4)]
        several = ["--seed", "3", "--repeat", "2", "--checkpoint-dir", "c"]
        self.call("--data", self.digits, *self.RUN, *several, "--epochs", "1", "--lr", "0.3")
        returned, lines = self.stop(self.started(*several, "--force"), signal.SIGTERM)
        self.assertEqual(returned, 143, lines)
        done = self.call(*shlex.split(lines[-1].removeprefix("trainer: to go on: "))[1:])
        self.assertEqual(done.returncode, 0, done.stderr)
        for seed, weights in zip((3, 4), seeds):
            self.assertRegex(done.stdout, rf"(?m)^Seed {seed}: .* weights {weights}$")

    def test_the_command_can_be_stopped_again(self):
        expected = self.weights(*self.RUN)
        process = self.started("--checkpoint-dir", "c")
        for _ in range(3):
            returned, lines = self.stop(process, signal.SIGINT)
            if returned == 0:
                break  # it was through already
            self.assertEqual(returned, 130, lines)
            words = shlex.split(lines[1].removeprefix("trainer: to go on: "))
            self.assertEqual(words.count("--resume"), 1)
            process = self.start(*words[1:])
            process.stdout.readline()
        out, errors = process.communicate(timeout=programs.TIMEOUT)
        self.assertEqual(process.returncode, 0, errors)
        done = self.call("--data", self.digits, *self.RUN, "--checkpoint-dir", "c", "--resume")
        self.assertIn(f"Weights: {expected}", done.stdout, out)

    def test_without_a_checkpoint_folder_it_says_that_nothing_is_saved(self):
        returned, lines = self.stop(self.started(), signal.SIGINT)
        self.assertEqual(returned, 130)
        self.assertEqual(lines, ["trainer: stopped by SIGINT; nothing was saved, for there is no --checkpoint-dir"])

    def test_resume_starts_a_new_run_where_there_is_none(self):
        done = self.train("--epochs", "1", "--val-size", "200", "--checkpoint-dir", "c", "--resume")
        self.assertEqual(done.stderr, "trainer: note: no checkpoint in c: starting a new run\n")
        self.assertNotIn("Resumed", done.stdout)

    def test_a_new_run_replaces_no_checkpoints_unasked(self):
        arguments = ["--epochs", "1", "--val-size", "200", "--checkpoint-dir", "c"]
        self.train(*arguments)
        before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (self.top / "c").iterdir()}
        (self.top / "m.jsonl").write_text('{"old": 1}\n', encoding="utf-8")
        line = self.refuses(2, "--data", "nowhere", *arguments, "--seed", "1", "--metrics", "m.jsonl", "--report", "r.html")
        self.assertEqual(line, "trainer: --checkpoint-dir c: expected no checkpoints of another run, found best.safetensors, "
                               "last.safetensors; --resume goes on from them, --force replaces them (see trainer --help)")
        self.assertEqual({p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (self.top / "c").iterdir()}, before)
        self.assertEqual((self.top / "m.jsonl").read_text(encoding="utf-8"), '{"old": 1}\n')
        self.assertFalse((self.top / "r.html").exists())
        self.train(*arguments, "--seed", "1", "--force")
        self.assertEqual({p.name for p in (self.top / "c").iterdir()}, {p.name for p in before})
        self.assertTrue(all(p.read_bytes() != before[p][0] for p in (self.top / "c").iterdir()))

    def test_a_seed_of_several_replaces_none_either(self):
        arguments = ["--data", self.digits, "--epochs", "1", "--val-size", "200", "--checkpoint-dir", "c"]
        self.call(*arguments, "--repeat", "2", "--seed", "5")
        line = self.refuses(2, *arguments, "--repeat", "3", "--seed", "4")
        self.assertIn("--checkpoint-dir c/seed-5: ", line)
        self.assertFalse((self.top / "c/seed-4").exists())

    def test_resume_passes_over_a_damaged_checkpoint(self):
        arguments = ["--epochs", "3", "--val-size", "200", "--checkpoint-dir", "c", "--checkpoint-every", "5"]
        expected = self.weights(*arguments)
        last = self.top / "c/last.safetensors"
        last.write_bytes(last.read_bytes()[:-1])
        done = self.train(*arguments, "--resume")
        self.assertIn("skipped a damaged checkpoint: c/last.safetensors", done.stderr)
        self.assertIn(f"Weights: {expected}", done.stdout)

    def test_killed_at_random_it_ends_in_the_same_weights(self):
        expected = self.weights(*self.RUN)
        arguments = ["--data", self.digits, *self.RUN, "--checkpoint-dir", "c", "--checkpoint-every", "7", "--resume",
                     "--metrics", "m.jsonl"]
        chance = random.Random(3)
        killed = 0
        for _ in range(8):
            process = self.start(*arguments)
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.15))
            process.kill()
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
        self.assertGreater(killed, 0)
        done = self.call(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"Weights: {expected}", done.stdout)
        records = self.records(self.top / "m.jsonl")
        self.assertEqual(records[-1]["weights_hash"], expected)
        self.assertEqual([r.get("epoch") for r in records], [*range(12), None])


if __name__ == "__main__":
    programs.main()
