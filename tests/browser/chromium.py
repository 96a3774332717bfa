"""A headless Chromium, spoken to by its DevTools protocol: sizes of phones, requests seen, pictures taken."""

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

LONGEST_S = 120.0
NAMES = ("chromium", "chromium-browser", "google-chrome")


class Shown(NamedTuple):
    """What a page did: addresses it asked for beside itself, errors of its scripts, and the picture of all of it."""

    requests: list[str]
    errors: list[str]
    picture: bytes


def found_chromium() -> str | None:
    """Where a Chromium is, if there is one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One tab. Commands are answered in order; what happens meanwhile is kept in `events`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command; raises on an error of the browser."""
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        deadline = time.monotonic() + LONGEST_S
        while True:
            told = json.loads(self._connection.recv(timeout=deadline - time.monotonic()))
            if told.get("id") == number:
                assert "error" not in told, told["error"]
                return told["result"]
            self.events.append(told)

    def value(self, expression: str) -> Any:
        """What a script says."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def open(self, page: Path, width: int, height: int, phone: bool = False) -> None:
        """Load a file at a size and wait until it and its scripts are done."""
        self.events.clear()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=page.as_uri())
        deadline = time.monotonic() + LONGEST_S
        while self.value("document.readyState") != "complete" or self.value("location.protocol") != "file:":
            assert time.monotonic() < deadline, "the page never ended loading"
            time.sleep(0.1)
        self.value("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")

    def visit(self, url: str, width: int = 1400, height: int = 1000) -> None:
        """Load a page of a server, whose scripts go on working."""
        self.events.clear()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **metrics)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=url)

    def until(self, expression: str, seconds: float = LONGEST_S) -> Any:
        """What a script says as soon as it says something."""
        deadline = time.monotonic() + seconds
        while not (found := self.value(f"(() => {{ try {{ return {expression} }} catch {{ return null }} }})()")):
            assert time.monotonic() < deadline, (
                f"never so: {expression}\n{self.value('document.body.innerText')[:3000]}"
            )
            time.sleep(0.2)
        return found

    def until_text(self, text: str, seconds: float = LONGEST_S) -> None:
        """Until the page shows a text."""
        self.until(f"document.body.innerText.includes({json.dumps(text)})", seconds)

    def click(self, element: str) -> None:
        """Click in the middle of the element that a script finds, as a mouse does."""
        self.until(f"!!({element})")
        spot = self.value(f"""(() => {{ const e = {element}; e.scrollIntoView({{block: 'center'}});
            const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)

    def fill(self, element: str, text: str) -> None:
        """Replace what a field holds by typing."""
        self.click(element)
        self.value(f"(() => {{ const e = {element}; e.focus(); e.select && e.select() }})()")
        self.ask("Input.insertText", text=text)

    def picture(self) -> bytes:
        """What is in the window, as a PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot")["data"])

    def asked_for(self) -> list[str]:
        """Addresses that were asked for since `visit`."""
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent]

    def shown(self) -> Shown:
        """What has happened since `open`, and the whole page as a PNG."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        picture = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        addresses = [each["request"]["url"] for each in sent]
        outside = [url for url in addresses if not url.startswith(("file:", "data:", "blob:"))]
        thrown = [event for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        errors = [event["params"]["exceptionDetails"]["text"] for event in thrown]
        return Shown(outside, errors, base64.b64decode(picture))


@contextmanager
def started(binary: str, folder: Path, reachable: str = "") -> Iterator[Browser]:
    """A fresh browser that can reach nothing but one host; it and all of its processes are gone afterwards."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"]
    rules = "MAP * ~NOTFOUND" + (f", EXCLUDE {reachable}" if reachable else "")
    options += ["--remote-debugging-port=0", f"--user-data-dir={folder}", f"--host-resolver-rules={rules}"]
    process = subprocess.Popen([binary, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = _port(folder / "DevToolsActivePort", process)
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            (address, *_) = [tab["webSocketDebuggerUrl"] for tab in json.load(answer) if tab["type"] == "page"]
        with connect(address, max_size=None, open_timeout=30) as connection:
            yield Browser(connection)
    finally:
        process.terminate()
        process.wait(30)


def _port(told: Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + LONGEST_S
    while not told.is_file() or len(told.read_text().splitlines()) < 2:
        assert process.poll() is None, "Chromium ended at once"
        assert time.monotonic() < deadline, "Chromium never opened its port"
        time.sleep(0.1)
    return int(told.read_text().splitlines()[0])
