"""trainer --trace as users run it: the file is one that viewers open, and shows what the run did."""

import json
import os
import resource
import signal
from collections import Counter

import programs

NESTING = {"compute": {"validate", "test", "epoch"}, "gather": {"validate", "test", "epoch", "wait"}, "wait": {"validate", "test", "epoch"}}


class Trace(programs.ProgramTest):
    def trace(self, *arguments, **how):
        done = self.train("--epochs", "3", "--trace", "t.json", *arguments, **how)
        self.assertEqual(done.stdout.splitlines()[-1], "Trace: t.json")
        return self.load()

    def load(self):
        trace = json.loads((self.top / "t.json").read_text(encoding="utf-8"))
        events = trace["traceEvents"]
        self.names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
        self.spans = {}
        for event in events:
            self.assertIn(event["ph"], ("M", "X"))
            if event["ph"] == "X":
                self.assertGreaterEqual(event["dur"], 0)
                self.spans.setdefault(self.names[event["pid"], event["tid"]], []).append(event)
        return trace

    def check_nesting(self):
        """Spans of a thread are disjoint or one within the other."""
        for name, spans in self.spans.items():
            # Whole nanoseconds: the sums of decimal fractions are not exact.
            times = sorted((round(1000 * s["ts"]), -round(1000 * s["dur"]), s["name"]) for s in spans)
            open_spans = []
            for begin, minus_length, stage in times:
                while open_spans and begin >= open_spans[-1][0]:
                    open_spans.pop()
                end = begin - minus_length
                if open_spans:
                    self.assertLessEqual(end, open_spans[-1][0], f"{stage} of {name} in {open_spans[-1][1]}")
                    if stage in NESTING:
                        self.assertIn(open_spans[-1][1], NESTING[stage])
                open_spans.append((end, stage))

    def stages(self, thread):
        return Counter(s["name"] for s in self.spans[thread])

    def test_shows_a_resident_run(self):
        trace = self.trace("--residency", "resident", "--threads", "2", "--checkpoint-dir", "c")
        self.assertIn("--trace t.json", trace["otherData"]["command"])
        self.assertEqual(trace["otherData"]["dropped"], 0)
        self.check_nesting()
        main = self.stages("main")
        self.assertEqual((main["epoch"], main["validate"], main["test"]), (3, 3, 1))
        # The last at any rate; the others may have been replaced while they waited.
        written = [s["args"]["number"] for s in self.spans["checkpoints"]]
        self.assertEqual(self.stages("checkpoints"), {"checkpoint": len(written)})
        self.assertIn(len(written), (1, 2, 3))
        self.assertEqual(written, sorted(set(written)))
        self.assertGreaterEqual(main["load"], 2)
        self.assertEqual(sorted(s["args"]["number"] for s in self.spans["main"] if s["name"] == "epoch"), [0, 1, 2])
        # Validation and test have so few samples here that the thread that asks computes alone.
        self.assertEqual(self.stages("compute 1")["compute"], main["compute"] - main["validate"] - main["test"])

    def test_shows_workers_of_a_host_run(self):
        self.trace("--residency", "host", "--workers", "2", "--threads", "1", "--rotate", "5")
        self.check_nesting()
        gathers = sum(self.stages(name)["gather"] for name in self.spans)
        self.assertGreaterEqual(gathers, 3 * 6)
        self.assertTrue(any(name.startswith("loader ") for name in self.spans), self.names)

    def test_shows_decoding_of_a_stream(self):
        self.call("convert", self.digits, "z", program=programs.TOOLS)
        self.trace("--residency", "stream", data="z")
        self.check_nesting()
        self.assertGreater(sum(self.stages(name)["decode"] for name in self.spans), 0)

    def test_changes_no_bit_of_the_run(self):
        self.assertEqual(self.weights("--epochs", "2", "--trace", "t.json"), self.weights("--epochs", "2"))

    def test_that_cannot_be_written_ends_a_run_before_it_starts(self):
        line = self.refuses(1, "--data", self.digits, "--trace", "none/t.json")
        self.assertIn("none/t.json: cannot ", line)

    def test_of_a_run_that_never_starts_leaves_an_older_one(self):
        (self.top / "t.json").write_text('{"displayTimeUnit":', encoding="utf-8")
        self.refuses(1, "--data", "nowhere", "--trace", "t.json")
        self.assertEqual((self.top / "t.json").read_text(encoding="utf-8"), '{"displayTimeUnit":')
        self.assertEqual(os.listdir(self.top), ["t.json"])

    def test_is_left_by_a_run_that_diverges(self):
        done = self.call("--data", self.digits, "--lr", "1e30", "--trace", "t.json")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.load()
        self.check_nesting()
        self.assertIn("compute", self.stages("main"))

    def test_that_meets_a_full_disk_is_told_and_leaves_nothing_behind(self):
        (self.top / "t.json").write_text('{"displayTimeUnit":', encoding="utf-8")

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        done = self.call("--data", self.digits, "--epochs", "1", "--trace", "t.json", preexec=limit)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("trainer: warning: t.json: cannot write", done.stderr)
        self.assertIn("Weights: ", done.stdout)
        self.assertEqual((self.top / "t.json").read_text(encoding="utf-8"), '{"displayTimeUnit":')
        self.assertEqual(os.listdir(self.top), ["t.json"])


if __name__ == "__main__":
    programs.main()
