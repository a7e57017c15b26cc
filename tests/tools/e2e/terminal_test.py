"""What a terminal shows: a progress bar that stays on its line, and is gone in the end."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import programs

BAR = re.compile(r"^Epoch \[\d+\] \|.*\| +\d+ %")
# An epoch of more than a tenth of a second on one core of any make.
LARGE = ["--val-size", "200", "--hidden", "320,320" if programs.SLOW else "1536,1536", "--lr", "0.05", "--threads", "1"]


def everything(terminal):
    """What was written to a terminal that nobody writes to any more."""
    raw = b""
    try:
        while block := os.read(terminal, 4096):
            raw += block
    except OSError:  # that is how it ends
        pass
    return raw


class Terminal:
    """As much of a terminal as a bar needs: text, \\r, \\n, \\x1b[J, and wrapping at the last column."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.column = 0
        self.seen = []  # every state of the last line

    def feed(self, text):
        for part in re.findall(r"\x1b\[J|\r|\n|[^\x1b\r\n]", text):
            line = self.lines[-1]
            if part == "\x1b[J":
                self.lines[-1] = line[:self.column]
                self.seen.append(self.lines[-1])
            elif part == "\r":
                self.column = 0
            elif part == "\n":
                self.lines.append("")
                self.column = 0
            else:
                if self.column == self.columns:
                    self.lines.append("")
                    self.column = 0
                    line = ""
                self.lines[-1] = line[:self.column].ljust(self.column) + part + line[self.column + 1:]
                self.column += 1

    def bars(self):
        return [line for line in self.seen if BAR.match(line)]


class InATerminal(programs.ProgramTest):
    def run_in_terminal(self, *arguments, columns=80, stop_at_bar=None, program=None, **variables):
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([program or programs.TRAINER, *map(str, arguments)], stdin=inner, stdout=inner,
                                   stderr=inner, cwd=self.top, env=programs.environment(**variables),
                                   start_new_session=True)
        os.close(inner)
        self.addCleanup(process.kill)
        raw = b""
        stopped = False
        deadline = time.monotonic() + programs.TIMEOUT
        while time.monotonic() < deadline:
            if not select.select([outer], [], [], 1.0)[0]:
                continue
            try:
                block = os.read(outer, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            raw += block
            if stop_at_bar and not stopped and b" % " in raw:
                process.send_signal(stop_at_bar)
                stopped = True
        os.close(outer)
        status = process.wait(programs.TIMEOUT)
        screen = Terminal(columns)
        screen.feed(raw.decode("utf-8").replace("\r\n", "\n"))
        return status, screen, raw

    def test_the_bar_moves_on_its_line_and_goes(self):
        status, screen, raw = self.run_in_terminal("--data", self.digits, *LARGE, "--epochs", "2")
        self.assertEqual(status, 0, raw)
        bars = screen.bars()
        self.assertGreater(len(bars), 0, raw)
        for bar in bars:
            self.assertLessEqual(len(bar), 77)
            self.assertRegex(bar, r"^Epoch \[[01]\] \|=*>? *\| +\d+ %  \S+ (s|min|h) left  loss \d+\.\d{4}"
                                  r"  [\d.]+[kMG]?/s(  train +\d+ %)?$")
        self.assertTrue(any("  train " in bar for bar in bars), bars)
        shares = [int(re.search(r"(\d+) %", bar)[1]) for bar in bars]
        self.assertEqual(shares, sorted(shares))
        text = "\n".join(screen.lines)
        self.assertNotIn(" % ", re.sub(r"Verdict: .*", "", text))
        self.assertRegex(text, r"(?m)^Epoch \[0\], val_loss: ")
        self.assertRegex(text, r"(?m)^Epoch \[1\], val_loss: ")
        self.assertRegex(text, r"(?m)^Test, test_loss: ")

    def test_the_bar_fits_a_narrow_terminal_and_draws_blocks_in_utf8(self):
        status, screen, raw = self.run_in_terminal("--data", self.digits, *LARGE, "--epochs", "1", columns=44,
                                                   LC_ALL="C.UTF-8")
        self.assertEqual(status, 0, raw)
        self.assertGreater(len(screen.bars()), 0, raw)
        for bar in screen.bars():
            self.assertLessEqual(len(bar), 41)
            self.assertRegex(bar, r"\|[\u2588-\u258f ]{10,}\|")

    def test_a_signal_clears_the_bar(self):
        status, screen, raw = self.run_in_terminal("--data", self.digits, *LARGE, "--epochs", "50", "--checkpoint-dir", "c",
                                                   columns=200, stop_at_bar=signal.SIGINT)
        self.assertEqual(status, 130, raw)
        self.assertEqual([line for line in screen.lines if BAR.match(line)], [])
        self.assertIn("trainer: stopped by SIGINT; saved c/last.safetensors", screen.lines)

    def test_an_error_clears_the_bar(self):
        status, screen, raw = self.run_in_terminal("--data", self.digits, *LARGE, "--epochs", "50", "--lr", "1e30",
                                                   columns=200)
        self.assertEqual(status, 3, raw)
        self.assertEqual([line for line in screen.lines if BAR.match(line)], [])
        self.assertRegex(screen.lines[-2], r"^trainer: training diverged at step \d+ ")

    def test_quiet_and_dumb_terminals_get_none(self):
        for more, variables in ((["--quiet"], {}), ([], {"TERM": "dumb"})):
            status, screen, raw = self.run_in_terminal("--data", self.digits, *LARGE, "--epochs", "1", *more, **variables)
            self.assertEqual((status, screen.bars(), raw.count(b"\x1b")), (0, [], 0))

    def test_a_pipe_gets_none_beside_a_terminal(self):
        outer, inner = pty.openpty()
        self.addCleanup(os.close, outer)
        process = self.start("--data", self.digits, *LARGE, "--epochs", "1", stderr=inner)
        os.close(inner)
        out, _ = process.communicate(timeout=programs.TIMEOUT)
        self.assertEqual(process.returncode, 0)
        self.assertNotIn("\x1b", out)
        self.assertEqual(everything(outer), b"")

    def test_synth_has_a_bar_too(self):
        status, screen, raw = self.run_in_terminal("synth", "drawn", "--count", "20000", "--jobs", "1",
                                                   program=programs.TOOLS)
        self.assertEqual(status, 0, raw)
        for line in screen.seen:
            self.assertLessEqual(len(line), 77)
        self.assertFalse(any(line.startswith("Drawing") for line in screen.lines))
        self.assertTrue(any(line.startswith("Drawing |") for line in screen.seen), raw)


if __name__ == "__main__":
    programs.main()
