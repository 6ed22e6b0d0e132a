"""A polluxd of its own for scripts/demo, and what talks to it: the `pollux` command line."""
import json
import os
import re
import signal
import subprocess
import threading
import time

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
# Disks and machines differ; without any progress for so long something is wrong.
STALLED_SECONDS_MAX = 120


class DemoFailed(Exception):
    pass


def polls():
    while True:
        yield
        time.sleep(0.05)


class Server:
    """polluxd with embedded stores and plans in `folder`, on ports of the kernel's choice."""

    def __init__(self, binaries, folder):
        self.pollux = os.path.join(binaries, "pollux")
        self.log = os.path.join(folder, "polluxd.log")
        settings = {"HTTP__PORT": "0", "GRPC__PORT": "0", "HTTP__BIND_ADDRESS": "127.0.0.1",
                    "GRPC__BIND_ADDRESS": "127.0.0.1", "DATA_DIR": os.path.join(folder, "data"),
                    "PLANS_DIR": os.path.join(folder, "plans")}
        environment = {**os.environ, **{f"POLLUX__{key}": value for key, value in settings.items()}}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([os.path.join(binaries, "polluxd")], env=environment,
                                            stderr=log)
        self.environment = {**os.environ, "POLLUX_SERVER": self._wait_for_address()}

    def _wait_for_address(self):
        until = time.monotonic() + START_SECONDS_MAX
        for _ in polls():
            log = self.said()
            if "polluxd started" in log and "a plan was not deployed" not in log:
                port = re.search(r"listening for HTTP .*\bport=(\d+)", log).group(1)
                return f"http://127.0.0.1:{port}"
            if self.process.poll() is not None or "polluxd started" in log:
                break
            if time.monotonic() > until:
                break
        self.kill()
        raise DemoFailed("polluxd did not start as it should:\n" + log)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self, *words, **options):
        """`pollux` with these words."""
        return subprocess.Popen([self.pollux, *words], env=self.environment, text=True, **options)

    def ask(self, *words, **options):
        """What `pollux` prints as JSON."""
        with self.start(*words, "--json", stdout=subprocess.PIPE, **options) as process:
            answer = process.stdout.read()
        if process.returncode != 0:
            raise DemoFailed(f"pollux {' '.join(words)} ended with {process.returncode}\n"
                             + self.said())
        return json.loads(answer)

    def wait_until_idle(self, events):
        """Until all plans have done `events` events and all sinks are through."""
        before, stalled_at = None, time.monotonic() + STALLED_SECONDS_MAX
        for _ in polls():
            status = self.ask("status")
            done = [plan["counts"]["events"] for plan in status["plans"]]
            behind = [sink["lag_rows"] for sink in status["sinks"]]
            if all(count == events for count in done) and not any(behind):
                return status
            if (done, behind) != before:
                before, stalled_at = (done, behind), time.monotonic() + STALLED_SECONDS_MAX
            if time.monotonic() > stalled_at:
                raise DemoFailed(f"the server does not go on: {status}\n" + self.said())

    def stop(self):
        """Ends it as an operator would; its exit code must be 0."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(STOP_SECONDS_MAX) != 0:
            raise DemoFailed(f"polluxd ended with {self.process.returncode}:\n" + self.said())

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Tail:
    """`pollux tail` of one stream; hands each result over, with the time at which its line came."""

    def __init__(self, server, stream, take):
        self.process = server.start("tail", stream, "--from", "oldest", stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL)
        self.taken = 0
        self._take = take
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            came = time.monotonic()
            self._take(json.loads(line)["data"], came)
            self.taken += 1

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self._thread.join()
        self.process.wait()
        self.process.stdout.close()
