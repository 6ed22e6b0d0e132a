"""Who sends to a pair, and who gets its results: both remember everything; for scripts/failover."""
import http.server
import json
import os
import subprocess
import threading
import time

from failover_pair import FailoverFailed

ROWS = 5
PAUSE_SECONDS = 0.005


class Producer:
    """Writes numbered batches into a `pollux send` of its own, which sends them to whichever of two
    nodes takes them and tells each that is acknowledged."""

    def __init__(self, pollux, servers, name, folder):
        self.name = name
        self.acked = set()  # numbers
        self.first_sent = {}  # by number: when
        self.duplicates = 0  # events that were acknowledged when they came again
        self._ledger = os.path.join(folder, f"acked.{name}.jsonl")
        self._messages = os.path.join(folder, f"{name}.log")
        self._command = [pollux, "send", "Sent", "-", "--format", "jsonl", "--batch", str(ROWS),
                         "--producer", name, "--acks", "--json", "--server", ",".join(servers)]
        self._process = None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._write, self._read)]

    def start(self):
        with open(self._messages, "wb") as messages:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=messages, text=True)
        for thread in self._threads:
            thread.start()

    def finish(self):
        """What was written is still acknowledged."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._process.wait() != 0:
            with open(self._messages, encoding="utf-8", errors="replace") as file:
                raise FailoverFailed(f"{self.name} ended with {self._process.returncode}:\n"
                                     + file.read()[-3000:])

    def abandon(self):
        self._stop.set()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _write(self):
        number = 0
        try:
            while not self._stop.wait(PAUSE_SECONDS):
                number += 1
                self.first_sent[number] = time.monotonic()
                self._process.stdin.write("".join(
                    json.dumps({"producer": self.name, "seq": number, "row": row}) + "\n"
                    for row in range(ROWS)))
                self._process.stdin.flush()
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended; its exit code says how

    def _read(self):
        with open(self._ledger, "w", encoding="utf-8") as ledger:
            for line in self._process.stdout:
                told = json.loads(line)
                if "batch" not in told:
                    self.duplicates = told["duplicates"]
                    continue
                number = told["batch"]
                ledger.write(json.dumps({"sent": self.first_sent[number],
                                         "acked": time.monotonic(), **told}) + "\n")
                self.acked.add(number)


class Webhook:
    """Takes results and writes each down, with the time of its arrival."""

    def __init__(self, folder, host):
        self.path = os.path.join(folder, "webhook.jsonl")
        self.arrived = set()  # (producer, number), with the first row of it
        self._watched = []  # (producer, number, when), since watch()
        self._file = open(self.path, "w", encoding="utf-8", buffering=1)
        self._lock = threading.Lock()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.take(json.loads(body))
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a node that is killed breaks off in the middle; it or the other tries again

        self._server = Server((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}/results"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, results):
        now = time.monotonic()
        with self._lock:
            for result in results:
                key = (result["data"]["producer"], result["data"]["seq"])
                if key not in self.arrived:
                    self.arrived.add(key)
                    self._watched.append((*key, now))
                self._file.write(json.dumps({"at": now, **result}) + "\n")

    def watch(self):
        with self._lock:
            self._watched = []

    def first_sent_behind(self, blow, producers):
        """When the first result arrived of a batch that was sent behind that moment, which was not
        before the last watch()."""
        sent = {producer.name: producer.first_sent for producer in producers}
        with self._lock:
            found = [when for name, number, when in self._watched if sent[name][number] > blow]
        return min(found, default=None)

    def close(self):
        self._server.shutdown()
        self._file.close()


class Journal:
    """What a pair has committed, copied from its nodes again and again before it is trimmed."""

    def __init__(self, folder, name="entries"):
        self.path = os.path.join(folder, f"{name}.jsonl")
        self._part = os.path.join(folder, f"{name}.part.jsonl")
        self._next = 1

    def take(self, member, committed=None):
        """From the data of `member`, up to a position; without one all, when it has ended."""
        upto = [] if committed is None else ["--to", str(committed)]
        if upto and committed < self._next:
            return
        member.pollux("journal", "export", member.data, "--from", str(self._next), *upto, "-o",
                      self._part)
        with open(self._part, encoding="utf-8") as part, \
                open(self.path, "a", encoding="utf-8") as whole:
            for line in part:
                position = int(json.loads(line)["id"].split(".")[1])
                if position != self._next:
                    raise FailoverFailed(f"entry {self._next} is not in {member.name}'s journal")
                self._next += 1
                whole.write(line)
        os.remove(self._part)


def batches_in(export):
    """(producer, number) -> how often it stands there."""
    found = {}
    with open(export, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["type"] == "events":
                key = (entry["producer"], entry["number"])
                found[key] = found.get(key, 0) + 1
    return found
