"""A real browser, headless, driven over its debugging pipe (Chrome DevTools Protocol), without a driver.

Messages are JSON with a NUL behind each; we write to its descriptor 3 and read from its descriptor 4.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
)  # fmt: skip
SETTLED = "networkIdle"


class Browser:
    """One tab. `requests`: every address it asked for; `complaints`: what its console said."""

    def __init__(self, commands: int, answers: int) -> None:
        self._out = os.fdopen(commands, "wb", buffering=0)
        self._in = os.fdopen(answers, "rb", buffering=0)
        self._inbox = b""
        self._number = 0
        self._session = ""
        self._password = ""
        self.asked: list[str] = []  # authentication schemes of the challenges that came
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._settled: set[str] = set()  # documents that were loaded to their end
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        self.call("Fetch.enable", handleAuthRequests=True)

    def call(self, method: str, **parameters: Any) -> Any:
        """One command, answered; events that come meanwhile are noted."""
        number = self._send(method, parameters)
        while True:
            message = self._next()
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]

    def screen(self, width: int, height: int = 900, scheme: str = "light", media: str = "screen") -> None:
        """The size of the window in CSS pixels, and what the media queries are told."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def scripts(self, allowed: bool) -> None:
        self.call("Emulation.setScriptExecutionDisabled", value=not allowed)

    def open(self, url: str, password: str = "") -> None:
        """Go there and wait until nothing more is loaded; `password` is what a person would type when
        the browser asks, empty cancels its dialogue."""
        self._password = password
        loader = self.call("Page.navigate", url=url)["loaderId"]
        while loader not in self._settled:
            self._next()

    def value(self, expression: str) -> Any:
        """What JavaScript says about the page, from outside of it."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def text(self) -> str:
        return str(self.value("document.body.innerText"))

    def tree(self) -> list[tuple[str, str]]:
        """(role, name) of everything that a screen reader is told about."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored")
        ]

    def picture(self) -> bytes:
        """The window as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def close(self) -> None:
        self._out.close()
        self._in.close()

    def _send(self, method: str, parameters: dict[str, Any]) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        return self._number

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._inbox:
            chunk = self._in.read(65536)
            assert chunk, "the browser is gone"
            self._inbox += chunk
        line, _, self._inbox = self._inbox.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, said: dict[str, Any]) -> None:
        if method == "Page.lifecycleEvent":
            self._settled |= {said["loaderId"]} if said["name"] == SETTLED else set()
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(f"{said['entry']['level']}: {said['entry']['text']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(said))
        elif method == "Fetch.requestPaused":
            self._send("Fetch.continueRequest", {"requestId": said["requestId"]})
        elif method == "Fetch.authRequired":
            self._sign_in(said)

    def _sign_in(self, said: dict[str, Any]) -> None:
        self.asked.append(said["authChallenge"]["scheme"])
        answer = {"response": "CancelAuth"}
        if self._password:
            answer = {"response": "ProvideCredentials", "username": "me", "password": self._password}
            self._password = ""  # a person who is asked again has mistyped it
        self._send(
            "Fetch.continueWithAuth", {"requestId": said["requestId"], "authChallengeResponse": answer}
        )


@contextmanager
def browser() -> Iterator[Browser]:
    """A fresh one, without a profile; skips where none is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    shell = shutil.which("bash")
    if program is None or shell is None:
        pytest.skip("no browser here: Debian's package chromium has one")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    with tempfile.TemporaryDirectory(prefix="wb-", ignore_cleanup_errors=True) as home:
        words = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        argv = [shell, "-c", words, "browser", program, *FLAGS, f"--user-data-dir={home}"]
        child = subprocess.Popen(
            argv,
            pass_fds=(theirs_in, theirs_out),
            env={"PATH": os.environ["PATH"], "HOME": home},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            with closing(Browser(ours_out, ours_in)) as made:
                yield made
        finally:
            child.kill()
            child.wait()
