"""Who sends to a pair, and who gets its results: both remember everything; for scripts/failover."""
import http.server
import json
import os
import queue
import subprocess
import threading
import time

from failover_pair import FailoverFailed

ROWS = 5
PAUSE_SECONDS = 0.005


class Sender:
    """One `pollux send`, which numbers the batches it reads and tells each that is acknowledged. It
    has a thread of its own: a node that is down must not hold up who sends to the other as well."""

    def __init__(self, command, name, path, on_told):
        self._command = command
        self._name = name
        self._ledger = path + ".jsonl"
        self._messages = path + ".log"
        self._on_told = on_told
        self.has_told = False
        self._batches = queue.SimpleQueue()
        self._process = None
        self._threads = [threading.Thread(target=work, daemon=True)
                         for work in (self._write, self._read)]

    def start(self):
        with open(self._messages, "wb") as messages:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=messages, text=True)
        for thread in self._threads:
            thread.start()

    def put(self, batch):
        """None: there are no more."""
        self._batches.put(batch)

    def finish(self):
        for thread in self._threads:
            thread.join()
        if self._process.wait() != 0:
            with open(self._messages, encoding="utf-8", errors="replace") as file:
                raise FailoverFailed(f"{self._name} ended with {self._process.returncode}:\n"
                                     + file.read()[-3000:])

    def abandon(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _write(self):
        try:
            while (batch := self._batches.get()) is not None:
                self._process.stdin.write(batch)
                self._process.stdin.flush()
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended; its exit code says how

    def _read(self):
        with open(self._ledger, "w", encoding="utf-8") as ledger:
            for line in self._process.stdout:
                told = json.loads(line)
                sent = self._on_told(told)
                self.has_told = True
                ledger.write(json.dumps({"sent": sent, "acked": time.monotonic(), **told}) + "\n")


class Producer:
    """Makes numbered batches and lets a `pollux send` send them to whichever of two nodes takes
    them, or to each node one of its own."""

    def __init__(self, pollux, servers, name, folder, duplicated=False):
        self.name = name
        self.acked = set()  # numbers
        self.first_sent = {}  # by number: when
        self.duplicates = 0  # events that were acknowledged when they came again
        self._lock = threading.Lock()
        targets = servers if duplicated else [",".join(servers)]
        self._senders = [
            Sender([pollux, "send", "Sent", "-", "--format", "jsonl", "--batch", str(ROWS),
                    "--producer", name, "--acks", "--json", "--server", target], name,
                   os.path.join(folder, f"acked.{name}.{number}"), self._note)
            for number, target in enumerate(targets)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._make, daemon=True)

    def start(self):
        for sender in self._senders:
            sender.start()
        self._thread.start()

    def is_under_way(self):
        """Each node that it sends to has acknowledged something."""
        return all(sender.has_told for sender in self._senders)

    def finish(self):
        """What was made is still acknowledged."""
        self._stop.set()
        self._thread.join()
        for sender in self._senders:
            sender.finish()

    def abandon(self):
        self._stop.set()
        for sender in self._senders:
            sender.abandon()

    def _make(self):
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            self.first_sent[number] = time.monotonic()
            batch = "".join(json.dumps({"producer": self.name, "seq": number, "row": row}) + "\n"
                            for row in range(ROWS))
            for sender in self._senders:
                sender.put(batch)
        for sender in self._senders:
            sender.put(None)

    def _note(self, told):
        """When it was sent; None: it is of no batch."""
        with self._lock:
            if "batch" in told:
                self.acked.add(told["batch"])
                return self.first_sent[told["batch"]]
            self.duplicates += told["duplicates"]
            return None


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
