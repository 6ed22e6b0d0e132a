"""A polluxd that is killed and started again over the same data, for scripts and tests."""
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 120
POLL_SECONDS = 0.002


class CrashTestFailed(Exception):
    pass


class CrashServer:
    """On ports of the kernel's choice; `address` is None while it is down.

    `settings` hold from the next start on.
    """

    def __init__(self, binaries, folder):
        self._binaries = binaries
        self._log = os.path.join(folder, "polluxd.log")
        self.data = os.path.join(folder, "data")
        self.settings = {"HTTP__PORT": "0", "GRPC__PORT": "0", "HTTP__BIND_ADDRESS": "127.0.0.1",
                         "GRPC__BIND_ADDRESS": "127.0.0.1", "DATA_DIR": self.data,
                         "PERSISTENCE__PERSISTENCE_INTERVAL": "700 ms"}
        self._process = None
        self.address = None
        self.fallbacks = 0

    def start(self):
        """Until it is ready; ms that took."""
        begun = time.monotonic()
        settings = {f"POLLUX__{key}": value for key, value in self.settings.items()}
        with open(self._log, "ab") as log:
            said_before = log.tell()
            self._process = subprocess.Popen([os.path.join(self._binaries, "polluxd")],
                                             env={**os.environ, **settings}, stderr=log)
        while time.monotonic() < begun + START_SECONDS_MAX:
            if self._process.poll() is not None:
                raise CrashTestFailed(f"polluxd did not start:\n{self._said(said_before)}")
            said = self._said(said_before)
            port = re.search(r"listening for HTTP .*\bport=(\d+)", said)
            if port and self._is_ready(f"http://127.0.0.1:{port.group(1)}"):
                self.address = f"127.0.0.1:{port.group(1)}"
                self.fallbacks += said.count("is passed over")
                return round((time.monotonic() - begun) * 1000)
            time.sleep(POLL_SECONDS)
        raise CrashTestFailed("polluxd does not get ready:\n" + self._said(said_before))

    def _said(self, begin):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            file.seek(begin)
            return file.read()

    @staticmethod
    def _is_ready(url):
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def deploy(self, plan):
        request = urllib.request.Request(f"http://{self.address}/v1/plans", plan.encode(),
                                         {"Content-Type": "text/plain"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60):
                pass
        except urllib.error.HTTPError as error:
            raise CrashTestFailed(error.read().decode()) from error

    def kill(self):
        self.address = None
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self):
        """As an operator would; its exit code must be 0."""
        self.address = None
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(STOP_SECONDS_MAX) != 0:
            raise CrashTestFailed(f"polluxd ended with {self._process.returncode}")

    def pollux(self, *words, **options):
        """Runs the command line; it must end with 0."""
        command = [os.path.join(self._binaries, "pollux"), *words]
        return subprocess.run(command, check=True, **options)
