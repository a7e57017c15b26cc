"""trainer --report in a real browser: nothing wider than the screen at 1280 and 400 pixels, curves drawn, text large
and contrasting enough to read, in light and in dark, and nothing on the console.

Run as: report_test.py TRAINER TOOLS. Skipped without Chromium.
"""

import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

BROWSER = interop.program("chromium", "chromium-browser", "google-chrome")

# The page has no scripts: one around it looks at it.
LOOK = """<!DOCTYPE html><iframe src="r.html" style="width:%dpx;height:800px;border:0"></iframe><pre></pre><script>
onload = () => {
  const page = document.querySelector('iframe').contentDocument, root = page.documentElement;
  const shown = e => e.getBoundingClientRect();
  const texts = [...page.querySelectorAll('p,td,th,dd,dt,b,span,figcaption,svg text')].filter(e => shown(e).width > 0);
  const size = e => parseFloat(page.defaultView.getComputedStyle(e).fontSize) *
      (e.ownerSVGElement ? shown(e.ownerSVGElement).width / e.ownerSVGElement.viewBox.baseVal.width : 1);
  const rgb = v => v.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = c => c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
      .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const style = e => page.defaultView.getComputedStyle(e);
  const ground = light(rgb(style(page.querySelector('section')).backgroundColor));
  const contrast = v => { const l = light(rgb(v)); return (Math.max(l, ground) + .05) / (Math.min(l, ground) + .05); };
  document.querySelector('pre').textContent = JSON.stringify({
    wide: root.scrollWidth, curves: [...page.querySelectorAll('svg path')].map(e => shown(e).width * shown(e).height),
    smallest: Math.min(...texts.map(size)), pictures: [...page.images].every(i => i.complete && i.naturalWidth > 0),
    text: contrast(style(page.body).color), soft: contrast(style(page.querySelector('.soft')).color),
    line: contrast(style(page.querySelector('path.c2')).stroke), ground});
};
</script>"""


class Browser(programs.ProgramTest):
    def look(self, width, dark):
        (self.top / "look.html").write_text(LOOK % width, encoding="utf-8")
        command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
                   f"--user-data-dir={self.top / 'profile'}", "--window-size=1400,900", "--enable-logging=stderr",
                   "--virtual-time-budget=5000", "--dump-dom"]
        if dark:
            command.append("--blink-settings=preferredColorScheme=0")
        done = subprocess.run([*command, (self.top / "look.html").as_uri()], capture_output=True, text=True,
                              timeout=programs.TIMEOUT, check=True, env=programs.environment(HOME=str(self.top)))
        self.assertNotIn("CONSOLE", done.stderr)
        return json.loads(unescape(re.search(r"<pre>(.+?)</pre>", done.stdout)[1]))

    def test_reads_well_on_any_screen(self):
        self.train("--epochs", "4", "--val-size", "200", "--report", "r.html")
        for width in (1280, 400):
            for dark in (False, True):
                with self.subTest(width=width, dark=dark):
                    seen = self.look(width, dark)
                    self.assertLessEqual(seen["wide"], width)
                    self.assertEqual(len(seen["curves"]), 6)
                    self.assertGreater(seen["curves"][0], 1000)
                    self.assertTrue(seen["pictures"])
                    self.assertGreaterEqual(seen["smallest"], 9.5)
                    self.assertEqual(seen["ground"] < 0.1, dark)
                    self.assertGreaterEqual(seen["text"], 7)  # WCAG 2.2, 1.4.6
                    self.assertGreaterEqual(seen["soft"], 4.5)  # 1.4.3
                    self.assertGreaterEqual(seen["line"], 3)  # 1.4.11


if __name__ == "__main__":
    programs.main()
