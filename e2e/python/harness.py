"""Starts the real binary and the provider simulator, and stops them again.

Standard library only: the crash test uses it without the virtual environment.
"""

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = REPOSITORY / "e2e/tollgate.toml"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
START_SECONDS = 20
STOP_SECONDS = 10
PROVIDER_KEYS = re.compile(r"(_API_KEY|_ACCESS_KEY_ID|_SECRET_ACCESS_KEY|_TOKEN|_proxy|_PROXY)$")


def binary():
    """The program under test: `TOLLGATE_BIN`, or the release build of this checkout."""
    path = Path(os.environ.get("TOLLGATE_BIN") or REPOSITORY / "target/release/tollgate")
    if not path.is_file():
        raise SystemExit(
            f"{path} does not exist. Build it with `cargo build --release -p tollgate`, "
            "or point TOLLGATE_BIN at a binary."
        )
    return str(path.resolve())


def checksum(text):
    """CRC-32 (IEEE) of the text as six base62 digits, most significant first."""
    value, digits = zlib.crc32(text.encode("ascii")), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = ALPHABET[digit] + digits
    return digits


def gateway_key():
    """A new, well-formed gateway key: `tgk_`, 34 random characters and their checksum."""
    body = "tgk_" + "".join(secrets.choice(ALPHABET) for _ in range(34))
    return body + checksum(body)


def end_children_on_sigterm():
    """Makes SIGTERM an exception, so that what was started is stopped on the way out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def child_environment(extra):
    """The environment without anything that would change what the binary does."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TOLLGATE_") and not PROVIDER_KEYS.search(name)
    }
    return kept | extra


class Program:
    """A child process that prints the address it listens on."""

    def __init__(self, arguments, folder, name, environment=None):
        self.log = Path(folder) / f"{name}.log"
        with self.log.open("ab") as errors:
            self.process = subprocess.Popen(
                [binary(), *arguments],
                cwd=folder,
                env=child_environment(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._listening = threading.Event()
        self.url = None
        # The pipe is read to its end, so that the child never blocks on a full one.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_listening(name)
        except BaseException:
            self.kill()
            raise
        self.port = int(self.url.rsplit(":", 1)[1])

    def _read(self):
        with self.log.open("ab", buffering=0) as log:
            for line in self.process.stdout:
                log.write(line)
                found = re.search(rb"http://127\.0\.0\.1:\d+", line)
                if found and self.url is None:
                    self.url = found.group().decode()
                    self._listening.set()
        self._listening.set()

    def _wait_until_listening(self, name):
        self._listening.wait(START_SECONDS)
        if self.url is None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(
                f"{name} printed no http://127.0.0.1:PORT within {START_SECONDS} s "
                f"(exit code {self.process.poll()}). Its output:\n{tail}"
            )

    def stop(self):
        """Ends the process the polite way and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(STOP_SECONDS)
        return self.process.returncode

    def kill(self):
        """kill -9: no handler runs, no buffer is flushed."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)

    def call(self, method, path, body=None, headers=None, timeout=30):
        """One exchange on a connection of its own: (status, headers, body bytes)."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        headers = {"content-type": "application/json"} | (headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get_json(self, path, headers=None):
        """The JSON of a GET that has to answer 200."""
        status, _, body = self.call("GET", path, headers=headers)
        if status != 200:
            raise AssertionError(f"GET {path} answered {status}: {body[:500]!r}")
        return json.loads(body)


class Gateway(Program):
    """`tollgate serve` on a free port, in front of a simulator, with one known key.

    Started again on the same folder with the same key it goes on with the same data.
    """

    def __init__(self, folder, simulator_url, key, name="gateway"):
        self.key = key
        self.data = Path(folder) / "data"
        file = Path(folder) / "tollgate.toml"
        file.write_text(CONFIG.read_text().replace('"SIMULATOR', f'"{simulator_url}'))
        super().__init__(
            ["serve", "--config", str(file), "--listen", "127.0.0.1:0", "--data", str(self.data)],
            folder,
            name,
            {"TOLLGATE_BOOTSTRAP_KEY": key},
        )

    def authorized(self):
        """The header that carries the key."""
        return {"authorization": f"Bearer {self.key}"}

    def client_arguments(self, **changes):
        """Arguments of an SDK client; retries are off, so that a test sees the first answer."""
        usual = {"base_url": f"{self.url}/v1", "api_key": self.key, "max_retries": 0, "timeout": 30}
        return usual | changes

    def chat(self, body, timeout=30):
        """A raw chat request, for what a client SDK would hide."""
        return self.call("POST", "/v1/chat/completions", body, self.authorized(), timeout)


def temporary_folder():
    """A folder for one run's configuration, data and logs; deleted on exit."""
    return tempfile.TemporaryDirectory(prefix="tollgate-e2e-", ignore_cleanup_errors=True)


def wait_until(condition, seconds, interval=0.005):
    """Polls until the condition holds; returns its value, or its last one."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(interval)
