"""trainer --report as users run it. How a browser shows the page is tested where there is one."""

import re
from html.parser import HTMLParser

import programs

VOID = {"meta", "link", "img", "br", "line", "circle", "path"}


class Balanced(HTMLParser):
    """Fails on tags that do not close in order."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> after {self.open}"
        self.open.pop()


class Report(programs.ProgramTest):
    def page(self, *arguments):
        done = self.train("--epochs", "3", "--report", "r.html", *arguments)
        self.assertIn("Report: r.html\n", done.stdout)
        return (self.top / "r.html").read_text(encoding="utf-8")

    def test_shows_the_run(self):
        page = self.page("--val-size", "200", "--metrics", "m.jsonl", "--lr", "0.25", "--patience", "7", "--target-acc",
                         "0.999", "--schedule", "step", "--gamma", "0.5", "--step-epochs", "4")
        summary = self.records(self.top / "m.jsonl")[-1]
        for part in (f"<b>{100 * summary['test_acc']:.2f} %</b>", summary["weights_hash"], summary["dataset_hash"],
                     "<dt>--lr</dt><dd>0.25</dd>", "<dt>--patience</dt><dd>7</dd>", "<dt>--target-acc</dt><dd>0.999</dd>",
                     "<dt>--gamma</dt><dd>0.5</dd>", "<dt>--step-epochs</dt><dd>4</dd>", "Worst mistakes", "What the first layer looks for", "oneTBB",
                     "validation, epoch 2:"):
            self.assertIn(part, page)
        parser = Balanced()
        parser.feed(page)
        self.assertEqual(parser.open, [])
        tags = [tag for tag, _ in parser.seen]
        self.assertEqual(tags.count("svg"), 4)
        self.assertGreater(tags.count("img"), 40)
        for tag, attributes in parser.seen:
            self.assertNotEqual(tag, "script")
            for name in ("src", "href"):
                self.assertTrue(attributes.get(name, "data:").startswith("data:"), attributes)
        self.assertLess(len(page), 2_000_000)
        counted = sum(map(int, re.findall(r'title="\d+ taken for \d+: (\d+)"', page)))
        self.assertEqual(counted, 200)

    def test_looks_at_validation_without_a_test_set(self):
        data = self.copy_of_digits()
        (data / programs.TEST_IMAGES).unlink()
        (data / programs.TEST_LABELS).unlink()
        self.call("--data", data, "--val-size", "150", "--epochs", "1", "--report", "r.html")
        page = (self.top / "r.html").read_text(encoding="utf-8")
        self.assertIn("of the 150 validation samples", page)

    def test_changes_no_bit_of_the_run(self):
        self.assertEqual(self.weights("--epochs", "2", "--report", "r.html"), self.weights("--epochs", "2"))

    def test_that_cannot_be_written_ends_a_run_before_it_starts(self):
        line = self.refuses(1, "--data", self.digits, "--report", "none/r.html")
        self.assertIn("none/r.html: cannot ", line)

    def test_of_a_run_that_never_starts_leaves_an_older_one(self):
        (self.top / "r.html").write_text("<!DOCTYPE html>older", encoding="utf-8")
        self.refuses(1, "--data", "nowhere", "--report", "r.html")
        self.assertEqual((self.top / "r.html").read_text(encoding="utf-8"), "<!DOCTYPE html>older")
        self.assertEqual([p.name for p in self.top.iterdir()], ["r.html"])


if __name__ == "__main__":
    programs.main()
