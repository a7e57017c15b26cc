"""tools fetch against a server on this machine that stalls, cuts off, lies and redirects. Nothing touches the network."""

import hashlib
import http.server
import json
import os
import threading

import programs

CONTENT = {"a.gz": bytes(range(256)) * 400, "b.gz": b"labels" * 50}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        how, name = self.path.strip("/").split("/")
        content = CONTENT[name]
        wanted = self.headers.get("Range")
        self.server.asked.append((how, name, wanted))
        if how in ("404", "500"):
            self.send_error(int(how))
            return
        if how == "loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
            return
        if how == "moved":
            self.send_response(302)
            self.send_header("Location", "/good/" + name)
            self.end_headers()
            return
        if how == "lie":
            content = bytes(len(content))
        if how == "long":
            content += b"more"
        start = int(wanted[len("bytes="):-1]) if wanted and how != "norange" else 0
        self.send_response(206 if start else 200)
        if start:
            shown = start + 1 if how == "wrongrange" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if how in ("cut", "stall"):
            self.wfile.write(content[start:start + max(1, len(content) // 3)])
            self.wfile.flush()
            if how == "stall":
                self.server.over.wait(60)
            return
        self.wfile.write(content[start:])


class Fetch(programs.ProgramTest):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.asked = []
        self.server.over = threading.Event()
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.over.set)
        self.out = self.top / "out"

    def fetch(self, mirrors, *more):
        base = f"http://127.0.0.1:{self.server.server_address[1]}/"
        files = [{"name": n, "size": len(c), "sha256": hashlib.sha256(c).hexdigest()} for n, c in CONTENT.items()]
        table = self.top / "sources.json"
        table.write_text(json.dumps({"own": {"mirrors": [base + m + "/" for m in mirrors], "files": files}}))
        env = {k: v for k, v in programs.environment(MILLRACE_SOURCES=str(table)).items() if "proxy" not in k.lower()}
        return self.call("fetch", "own", "-o", self.out, *more, program=programs.TOOLS, env=env)

    def fetches(self, mirrors, *more):
        done = self.fetch(mirrors, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({p.name: p.read_bytes() for p in self.out.iterdir()}, CONTENT)
        return done

    def fails(self, mirrors, *expected):
        done = self.fetch(mirrors, "--retries", "0")
        self.assertEqual(done.returncode, 1, done.stderr)
        for text in expected:
            self.assertIn(text, done.stderr.splitlines()[-1])
        self.assertFalse((self.out / "a.gz").exists())

    def test_fetches_once(self):
        done = self.fetches(["good"], "--json")
        self.assertEqual([f["was_there"] for f in json.loads(done.stdout)["files"]], [False, False])
        asked = len(self.server.asked)
        self.fetches(["good"])
        self.assertEqual(len(self.server.asked), asked)

    def test_tells_of_a_folder_that_is_not_utf8(self):
        self.out = self.top / os.fsdecode(b"o\xff")
        done = self.fetches(["good"], "--json")
        self.assertTrue(json.loads(done.stdout)["folder"].endswith("/o\ufffd"), done.stdout)

    def test_goes_on_where_it_was_cut_off(self):
        self.fetches(["cut"])
        self.assertIn(("cut", "a.gz", f"bytes={len(CONTENT['a.gz']) // 3}-"), self.server.asked)

    def test_goes_on_from_a_part_of_an_earlier_run(self):
        self.fails(["cut"], "a.gz")
        part = self.out / "a.gz.part"
        size = part.stat().st_size
        self.assertGreater(size, 0)
        self.fetches(["good"])
        self.assertIn(("good", "a.gz", f"bytes={size}-"), self.server.asked)

    def test_a_part_that_does_not_fit_is_fetched_anew(self):
        self.out.mkdir()
        (self.out / "a.gz.part").write_bytes(b"x" * 1000)
        self.fetches(["good"])
        self.assertEqual([a[2] for a in self.server.asked if a[1] == "a.gz"], ["bytes=1000-", None])

    def test_a_server_that_ignores_ranges(self):
        self.fetches(["cut", "norange"])

    def test_a_range_that_was_not_asked_for(self):
        self.fetches(["cut", "wrongrange", "good"])

    def test_asks_the_next_mirror(self):
        done = self.fetches(["404", "500", "loop", "lie", "long", "moved"], "--retries", "0")
        self.assertIn("HTTP status 404", done.stderr)
        self.assertIn("SHA-256", done.stderr)

    def test_gives_a_stalled_connection_up(self):
        self.fetches(["stall", "good"], "--stall", "1")

    def test_says_why_each_mirror_failed(self):
        self.fails(["404", "500", "loop", "lie", "long"], "HTTP status 404", "HTTP status 500", "redirects",
                   "found more", hashlib.sha256(CONTENT["a.gz"]).hexdigest())

    def test_says_once_what_goes_wrong_again_and_again(self):
        done = self.fetch(["500"], "--retries", "2")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len([asked for asked in self.server.asked if asked[1] == "a.gz"]), 3)
        self.assertEqual(done.stderr.count("note: "), 1, done.stderr)

    def test_says_in_one_line_that_no_mirror_has_it(self):
        done = self.fetch(["404", "loop"])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_leaves_nothing_where_nothing_came(self):
        self.fails(["404", "500"])
        self.assertFalse(self.out.exists())
        self.out.mkdir()
        self.fails(["404"])
        self.assertEqual(list(self.out.iterdir()), [])

    def test_takes_what_is_there_uncompressed(self):
        self.out.mkdir()
        (self.out / "a").write_bytes(b"unpacked")
        (self.out / "a.gz.part").write_bytes(b"begun")
        done = self.fetch(["good"], "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"note: {self.out}/a is taken for a.gz as it is, for only that file's sum is known", done.stderr)
        self.assertEqual([f["was_there"] for f in json.loads(done.stdout)["files"]], [True, False])
        self.assertEqual(sorted(p.name for p in self.out.iterdir()), ["a", "b.gz"])
        self.assertEqual([asked[1] for asked in self.server.asked], ["b.gz"])
        self.fetches(["good"], "--force")

    def test_keeps_a_file_of_other_content(self):
        self.out.mkdir()
        (self.out / "b.gz").write_bytes(b"mine")
        done = self.fetch(["good"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("--force", done.stderr)
        self.assertEqual((self.out / "b.gz").read_bytes(), b"mine")
        self.assertEqual(self.server.asked, [])
        self.fetches(["good"], "--force")

    def test_says_which_sets_there_are(self):
        done = self.call("fetch", "mnits", program=programs.TOOLS)
        self.assertEqual(done.returncode, 2)
        self.assertIn("fashion-mnist", done.stderr)


if __name__ == "__main__":
    programs.main()
