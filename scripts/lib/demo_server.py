"""A pair of polluxd of its own for scripts/demo, and what talks to it: `pollux`."""
import json
import os
import subprocess
import threading
import time

from failover_network import Loopback
from failover_pair import FailoverFailed, Pair

# Disks and machines differ; without any progress for so long something is wrong.
STALLED_SECONDS_MAX = 120


class DemoFailed(Exception):
    pass


def polls():
    while True:
        yield
        time.sleep(0.05)


class Servers:
    """Two nodes with embedded stores and the plans in `plans`, on ports of the kernel's choice; a
    folder is their arbiter."""

    def __init__(self, binaries, folder, plans):
        self.pollux = os.path.join(binaries, "pollux")
        arbiter = os.path.join(folder, "arbiter")
        os.mkdir(arbiter)
        # Journals are recounted at the end: nothing is cut off them before.
        settings = {"PLANS_DIR": plans, "PAIR__ARBITER": f"file:{arbiter}",
                    "PERSISTENCE__PERSISTENCE_INTERVAL": "1 h"}
        self.pair = Pair(binaries, folder, Loopback(), settings)
        self.environment = {**os.environ, "POLLUX_SERVER": ",".join(
            member.url for member in self.pair.members)}
        self._plans = len(os.listdir(plans))

    def begin(self):
        """Who leads, when all plans are there and the other node has caught up."""
        active = self.pair.start()
        stalled_at = time.monotonic() + STALLED_SECONDS_MAX
        for _ in polls():
            if len(self.ask("status")["plans"]) == self._plans:
                return active
            if time.monotonic() > stalled_at:
                raise DemoFailed("not all plans were deployed:\n" + active.log())

    def start(self, *words, **options):
        """`pollux` with these words."""
        return subprocess.Popen([self.pollux, *words], env=self.environment, text=True, **options)

    def ask(self, *words, **options):
        """What `pollux` prints as JSON."""
        with self.start(*words, "--json", stdout=subprocess.PIPE, **options) as process:
            answer = process.stdout.read()
        if process.returncode != 0:
            raise DemoFailed(f"pollux {' '.join(words)} ended with {process.returncode}")
        return json.loads(answer)

    def wait_until_idle(self):
        """Until both nodes have applied all there is, and all sinks are through."""
        before, stalled_at = None, time.monotonic() + STALLED_SECONDS_MAX
        for _ in polls():
            each = [self.ask("status", "--server", member.url) for member in self.pair.members]
            places = [status["node"]["pair"] for status in each]
            tail = max(place["tail"]["position"] for place in places)
            applied = [place["applied"] for place in places]
            behind = [sink["lag_rows"] for status in each for sink in status["sinks"]]
            if all(position == tail for position in applied) and not any(behind):
                return
            if (tail, applied, behind) != before:
                before = (tail, applied, behind)
                stalled_at = time.monotonic() + STALLED_SECONDS_MAX
            if time.monotonic() > stalled_at:
                raise DemoFailed(f"the pair does not go on: {each}")


class Tail:
    """`pollux tail` of one stream; hands each result over, with the time at which its line came."""

    def __init__(self, servers, stream, take):
        self.process = servers.start("tail", stream, "--from", "oldest", stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
        self._take = take
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            came = time.monotonic()
            self._take(json.loads(line)["data"], came)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self._thread.join()
        self.process.wait()
        self.process.stdout.close()
