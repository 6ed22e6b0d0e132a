"""The traffic of scripts/demo on its way into a pair, and what of it was acknowledged."""
import json
import subprocess
import tempfile
import threading
import time

from demo_server import DemoFailed

BATCH = 1000
ACK_SECONDS_MAX = 120


class Traffic:
    """Writes a file of events into one `pollux send`, which tells each batch that is acknowledged.
    Of the events, only the first `at_first` go before go_on()."""

    producer = "traffic"

    def __init__(self, servers, stream, path, at_first):
        self.acked = {}  # number of the batch -> events
        self.summary = None
        self._path = path
        self._at_first = at_first
        self._epochs = []  # of acknowledgements that were the first of theirs: epoch, when
        self._events = 0
        self._ended = False
        self._changed = threading.Condition()
        self._go_on = threading.Event()
        # In a file: a pipe that nobody reads before the end would fill.
        self._messages = tempfile.TemporaryFile("w+")
        self._process = servers.start(
            "send", stream, "-", "--format", "csv", "--header", "yes", "--batch", str(BATCH),
            "--producer", self.producer, "--acks", "--json", stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._messages)
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def wait_until_acked(self, events):
        self._wait(lambda: self._events >= events)

    def go_on(self):
        self._go_on.set()

    def wait_for_epoch_behind(self, epoch):
        """When the first batch was acknowledged that is of a later one."""
        return self._wait(lambda: next((when for of, when in self._epochs if of > epoch), None))

    def finish(self):
        for thread in self._threads:
            thread.join()
        if self._process.wait() != 0:
            self._messages.seek(0)
            raise DemoFailed(f"pollux send ended with {self._process.returncode}:\n"
                             + self._messages.read()[-3000:])

    def stop(self):
        self._go_on.set()
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _wait(self, condition):
        with self._changed:
            found = self._changed.wait_for(lambda: condition() or self._ended, ACK_SECONDS_MAX)
            if not found or not condition():
                raise DemoFailed(f"{self._events} events were acknowledged, and no more")
            return condition()

    def _write(self):
        try:
            with open(self._path, encoding="utf-8", newline="") as file:
                for number, line in enumerate(file):  # the first names the columns
                    if number == self._at_first + 1:
                        self._process.stdin.flush()
                        self._go_on.wait()
                    self._process.stdin.write(line)
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended; its exit code says how

    def _read(self):
        for line in self._process.stdout:
            told = json.loads(line)
            with self._changed:
                if "batch" in told:
                    self._take(told)
                else:
                    self.summary = told
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, ack):
        self.acked[ack["batch"]] = ack["events"]
        self._events += ack["events"]
        if not self._epochs or ack["epoch"] > self._epochs[-1][0]:
            self._epochs.append((ack["epoch"], time.monotonic()))
