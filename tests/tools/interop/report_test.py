"""trainer --report in a real browser: nothing wider than the screen at 1280 and 400 pixels, curves drawn, text large
and contrasting enough to read, in light and in dark, nothing on the console, and nothing asked of any network.

Run as: report_test.py TRAINER TOOLS. Skipped without Chromium, its driver and the package selenium.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "e2e"), str(HERE.parents[2] / "support")]
import interop  # noqa: E402
import programs  # noqa: E402

BROWSER = interop.program("chromium", "chromium-browser", "google-chrome")
DRIVER = interop.program("chromedriver")
webdriver, service = interop.packages("selenium.webdriver", "selenium.webdriver.chrome.service")

LOOK = """
const root = document.documentElement, shown = e => e.getBoundingClientRect(), style = e => getComputedStyle(e);
const texts = [...document.querySelectorAll('p,td,th,dd,dt,b,span,figcaption,svg text')]
    .filter(e => shown(e).width > 0 && e.textContent.trim());
const size = e => parseFloat(style(e).fontSize) *
    (e.ownerSVGElement ? shown(e.ownerSVGElement).width / e.ownerSVGElement.viewBox.baseVal.width : 1);
const rgb = v => v.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = c => c.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const ground = light(rgb(style(document.querySelector('section')).backgroundColor));
const contrast = v => { const l = light(rgb(v)); return (Math.max(l, ground) + .05) / (Math.min(l, ground) + .05); };
return {
  wide: root.scrollWidth, room: root.clientWidth,
  beyond: [...document.querySelectorAll('section,figure,svg,img,h1,h2,p')]
      .filter(e => shown(e).right > root.clientWidth + .5).map(e => e.outerHTML.slice(0, 80)),
  curves: [...document.querySelectorAll('svg path')].map(e => ({points: e.getAttribute('d').split(/[ML]/).length - 1,
      length: e.getTotalLength(), area: shown(e).width * shown(e).height, ink: style(e).stroke})),
  smallest: Math.min(...texts.map(size)), pictures: [...document.images].every(i => i.complete && i.naturalWidth > 0),
  count: document.images.length, text: contrast(style(document.body).color),
  soft: contrast(style(document.querySelector('.soft')).color),
  line: contrast(style(document.querySelector('path.c2')).stroke), ground};
"""
EPOCHS = 4


class Browser(programs.ProgramTest):
    def open_browser(self):
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--force-prefers-reduced-motion", f"--user-data-dir={self.top / 'profile'}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=service.Service(DRIVER, env=programs.environment(HOME=str(self.top))))
        self.addCleanup(driver.quit)
        return driver

    def look(self, driver, page, width, dark):
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        driver.get_log("performance")  # of what was shown before
        driver.get(page.as_uri())
        return driver.execute_script(LOOK)

    def asked_for(self, driver):
        """The addresses of all that the page had loaded since the last call, but those within it.

        A browser that has just begun may still load what its own first page, of a new tab, is made of.
        """
        events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return {url for url in urls if not url.startswith(("data:", "chrome:"))}

    def test_reads_well_on_any_screen(self):
        self.train("--epochs", str(EPOCHS), "--val-size", "200", "--report", "r.html")
        page = self.top / "r.html"
        self.assertLess(page.stat().st_size, 2_000_000)
        driver = self.open_browser()
        grounds = {}
        for width in (1280, 400):
            for dark in (False, True):
                with self.subTest(width=width, dark=dark):
                    seen = self.look(driver, page, width, dark)
                    self.assertEqual(driver.get_log("browser"), [])
                    self.assertEqual(self.asked_for(driver), {page.as_uri()})
                    self.assertEqual((seen["wide"], seen["beyond"]), (seen["room"], []))
                    self.assertGreater(seen["room"], width - 20)  # beside the scroll bar
                    # Loss and accuracy of training and validation, the rate, the time.
                    self.assertEqual(len(seen["curves"]), 6)
                    for curve in seen["curves"]:
                        self.assertEqual(curve["points"], EPOCHS)
                        self.assertGreater(curve["length"], 100)
                        self.assertNotEqual(curve["ink"], "none")
                    self.assertGreater(seen["curves"][0]["area"], 1000)
                    self.assertTrue(seen["pictures"])
                    self.assertGreater(seen["count"], 40)
                    self.assertGreaterEqual(seen["smallest"], 9.5)
                    self.assertGreaterEqual(seen["text"], 7)  # WCAG 2.2, 1.4.6
                    self.assertGreaterEqual(seen["soft"], 4.5)  # 1.4.3
                    self.assertGreaterEqual(seen["line"], 3)  # 1.4.11
                    self.assertEqual(seen["ground"] < 0.1, dark)
                    grounds[dark] = seen["ground"]
        self.assertLess(grounds[True], grounds[False])

    def test_has_room_for_the_names_of_classes(self):
        names = ["cat", "automobile", "x" * 120, "<img src=x onerror=alert(1)>", "silver birch"]
        table = "label,a\n" + "".join(f"{names[i % 5]},{i * 7 % 256}\n" for i in range(200))
        (self.top / "named.csv").write_text(table, encoding="utf-8")
        self.train("--epochs", "2", "--val-size", "60", "--report", "r.html", data="named.csv")
        driver = self.open_browser()
        for width in (1280, 400):
            with self.subTest(width=width):
                seen = self.look(driver, self.top / "r.html", width, False)
                self.assertEqual((seen["wide"], seen["beyond"]), (seen["room"], []))
                self.assertEqual(driver.execute_script("""
                    const shown = e => e.getBoundingClientRect();
                    const wider = [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth);
                    const out = [...document.querySelectorAll('.confusion th span')].filter(e => {
                        const [name, cell] = [shown(e), shown(e.parentElement)];
                        return name.left < cell.left - 1 || name.right > cell.right + 1 || name.top < cell.top - 1; });
                    return [...wider, ...out].map(e => e.outerHTML.slice(0, 80));"""), [])
                self.assertEqual(driver.execute_script("return document.querySelectorAll('.confusion th span').length"), 10)

    def test_sees_a_page_that_is_not_like_that(self):
        """What the test above looks for, it would see."""
        page = self.top / "bad.html"
        page.write_text("<!DOCTYPE html><style>section{background:#fff}path{stroke:#000}</style><section><p class=soft>x</p><p style='width:3000px'>x</p><img src='http://127.0.0.1:9/x.png'>"
                        "<svg><path class=c2 d='M0 0L9 9'/></svg></section><script>nothing.there</script>", encoding="utf-8")
        driver = self.open_browser()
        seen = self.look(driver, page, 400, False)
        self.assertGreater(seen["wide"], seen["room"])
        self.assertEqual(len(seen["beyond"]), 1)
        self.assertFalse(seen["pictures"])
        self.assertIn("http://127.0.0.1:9/x.png", self.asked_for(driver))
        self.assertTrue(any("nothing is not defined" in entry["message"] for entry in driver.get_log("browser")))


if __name__ == "__main__":
    programs.main()
