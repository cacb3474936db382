#!/usr/bin/env python3
"""Opens the pages that html_report_test left in Chromium, and looks at what is drawn.

Usage: python3 tests/fit/open_pages.py DIRECTORY

DIRECTORY holds pages and titles.json: the title of each. A page must leave no line in the console; every curve must be
on its chart, in its colour, and go where its name in the legend is clicked; nothing may be wider than a phone; and in a
picture of the page as it is, on a dark screen, colours of curves reach over it. Exits with 77, for a test that is
skipped, where there is no Chromium.
"""
import concurrent.futures
import html
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

OPTIONS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
           "--disable-component-update --disable-sync --disable-dev-shm-usage --enable-logging=stderr "
           "--virtual-time-budget=3000 --force-device-scale-factor=1 --hide-scrollbars").split()

# Counts the pixels of each curve's colour on its own chart: as it is, and without its first curve.
PROBE = """<script>
(async () => {
  const wait = () => new Promise((done) => setTimeout(done, 300));
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const figures = [...document.querySelectorAll("figure")];
  const look = () => figures.map((figure, k) => {
    const canvas = figure.querySelector("canvas");
    const box = canvas.getBoundingClientRect();
    // From a copy: reading a canvas twice is worth a line in the console.
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
    const colours = charts[k].curves.map((_, curve) => {
      const hex = getComputedStyle(document.documentElement).getPropertyValue("--curve-" + curve).trim();
      const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
      let count = 0;
      for (let p = 0; p < pixels.length; p += 4) {
        count += pixels[p + 3] > 200 && wanted.every((value, c) => Math.abs(value - pixels[p + c]) < 12);
      }
      return count;
    });
    return { width: box.width, height: box.height, colours };
  });
  await wait();
  const result = { title: document.title, heading: document.querySelector("h1").textContent, first: look() };
  figures.forEach((figure) => figure.querySelector(".u-series:not(.edge):nth-child(n+2) th").click());
  await wait();
  result.hidden = look();
  result.width = document.body.scrollWidth;
  const output = document.createElement("pre");
  output.id = "result";
  output.textContent = JSON.stringify(result);
  document.body.append(output);
})();
</script>
"""


def open_page(program, page, *options, script=None, style="", picture=False):
    """Opens the page, or a copy with a style and a script. Returns what Chromium prints, or the picture, and the lines
    about the console."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        directory = pathlib.Path(directory)
        if script is not None:
            page = changed(page, directory / page.name, script, style)
        output = f"--screenshot={directory / 'picture.png'}" if picture else "--dump-dom"
        done = subprocess.run([program, *OPTIONS, f"--user-data-dir={directory / 'profile'}", *options, output,
                               page.resolve().as_uri()],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        errors = done.stderr.decode(errors="replace")
        assert done.returncode == 0, f"{program} ended with {done.returncode}: {errors[-2000:]}"
        result = (directory / "picture.png").read_bytes() if picture else done.stdout.decode()
    return result, [line for line in errors.splitlines() if "CONSOLE" in line]


def changed(page, copy, script, style=""):
    """Writes the page with a style, which is there before anything is drawn, and a script at its end."""
    text = page.read_text(encoding="utf-8")
    assert text.endswith("</body>\n</html>\n")
    text = text.replace("</head>", f"<style>{style}</style></head>", 1)
    text = text.replace("</body>\n</html>\n", script + "</body>\n</html>\n")
    copy.write_text(text, encoding="utf-8")
    return copy


def charts_of(page):
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="charts">(.*?)</script>', text, re.S)[1])


def check_page(program, page, title, width):
    """What is drawn at that width."""
    printed, console = open_page(program, page, "--window-size=1200,900", script=PROBE,
                                 style=f"body {{ width: {width}px; }}")
    assert not console, f"{page.name}: {console}"
    result = json.loads(html.unescape(re.search(r'<pre id="result">(.*?)</pre>', printed, re.S)[1]))
    assert result["title"] == result["heading"] == title, (result["title"], title)
    assert result["width"] <= width, f"{page.name}: {result['width']} pixels wide; expected {width}"
    charts = charts_of(page)
    curves = 0
    for k, chart in enumerate(charts):
        first, hidden = result["first"][k], result["hidden"][k]
        where = f"{page.name}, {width} pixels wide, chart {k}"
        assert 250 < first["width"] < width and first["height"] > 200, (where, first)
        for number, curve in enumerate(chart["curves"]):
            there = sum(value is not None for value in curve["values"])
            # A line of that many values; a point, where there is one.
            least = 100 if there > 1 else there
            count = first["colours"][number]
            assert count >= least and (count == 0) == (there == 0), (where, number, count)
            curves += there > 0
        assert hidden["colours"][0] == 0, (where, hidden)
        assert all(a >= b for a, b in zip(hidden["colours"][1:], first["colours"][1:])), (where, first, hidden)
    return f"{page.name}, {width} pixels wide: {len(charts)} charts, {curves} curves"


def pixels_of(data):
    """Rows of a PNG of 8 bits, as bytes, and the bytes of a pixel."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and colour in (2, 6)
    size = 3 if colour == 2 else 4
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride = zlib.decompress(packed), width * size
    above, rows = bytearray(stride), []
    for y in range(height):
        kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride) if kind else ():
            a, b = (row[x - size] if x >= size else 0), above[x]
            if kind == 4:
                c = above[x - size] if x >= size else 0
                add = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            else:
                add = (a, b, (a + b) // 2)[kind - 1]
            row[x] = (row[x] + add) & 255
        rows.append(bytes(row))
        above = row
    return rows, size


def check_picture(program, page):
    """On a dark screen, the page as it is: the first two colours of curves reach over most of its width."""
    picture, console = open_page(program, page, "--window-size=600,620", "--blink-settings=preferredColorScheme=0",
                                 picture=True)
    assert not console, console
    rows, size = pixels_of(picture)
    dark = page.read_text(encoding="utf-8").split("prefers-color-scheme: dark", 1)[1]
    found = []
    for number in (0, 1):
        hexadecimal = re.search(rf"--curve-{number}: #(\w+);", dark)[1]
        colour = bytes.fromhex(hexadecimal)
        columns = {at // size for row in rows for at in range(0, len(row), size)
                   if all(abs(row[at + c] - colour[c]) < 12 for c in range(3))}
        assert len(columns) > 200, f"#{hexadecimal} is in {len(columns)} columns of the picture"
        found.append(f"#{hexadecimal} in {len(columns)} of {len(rows[0]) // size} columns")
    return f"{page.name} on dark: {', '.join(found)}"


def check_console(program, page):
    """That a console which is not empty is seen, and that the page refuses to load anything."""
    script = '<img src="https://gal.invalid/x.png"><script>console.error("first"); throw new Error("second");</script>\n'
    _, console = open_page(program, page, script=script)
    for text in ("Content Security Policy", "first", "second"):
        assert any(text in line for line in console), (text, console)
    return f"{page.name}: errors are seen, an image is refused"


def main():
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        print("Skipped: there is no Chromium. On Debian: apt-get install chromium")
        sys.exit(77)
    directory = pathlib.Path(sys.argv[1])
    titles = json.loads((directory / "titles.json").read_text(encoding="utf-8"))
    fit = directory / "fit.html"
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        checks = [pool.submit(check_page, program, directory / name, title, width)
                  for name, title in titles.items() for width in (1100, 360)]
        checks += [pool.submit(check, program, fit) for check in (check_picture, check_console)]
        for check in checks:
            print(check.result())


if __name__ == "__main__":
    main()
