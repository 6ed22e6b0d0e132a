"""Who sends to a pair, and who gets its results: both remember everything; for scripts/failover."""
import http.client
import http.server
import json
import os
import threading
import time

from failover_pair import FailoverFailed

ROWS = 5
PAUSE_SECONDS = 0.005
ANSWER_SECONDS_MAX = 1.0
UNANSWERED_SECONDS_MAX = 60


class Producer:
    """Sends numbered batches on a thread of its own, to whichever of two nodes answers."""

    def __init__(self, addresses, name):
        self.name = name
        self.acked = set()  # numbers
        self.resent = 0
        self.first_sent = {}  # by number: when
        self._addresses = addresses
        self._target = 0
        self._connection = None
        self._stop = threading.Event()
        self._wrong = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def finish(self):
        """The batch under way is still acknowledged."""
        self._stop.set()
        self._thread.join()
        if self._wrong:
            raise FailoverFailed(self._wrong)

    def abandon(self):
        self._stop.set()

    def _run(self):
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            self.first_sent[number] = time.monotonic()
            if not self._send_until_acked(number):
                return
            self.acked.add(number)

    def _send_until_acked(self, number):
        body = json.dumps([{"producer": self.name, "seq": number, "row": row}
                           for row in range(ROWS)])
        until = time.monotonic() + UNANSWERED_SECONDS_MAX
        while time.monotonic() < until:
            status, answer = self._send(number, body)
            if status == 200:
                return True
            if status not in (None, 404, 429, 503):  # a node that has just come may lack the plan
                self._wrong = f"batch {number} of {self.name} got {status}: {answer}"
                return False
            self.resent += 1
            if status != 429:
                self._target = 1 - self._target
            threading.Event().wait(PAUSE_SECONDS)
        self._wrong = f"batch {number} of {self.name} is never acknowledged"
        return False

    def _send(self, number, body):
        """Status and body; None: no answer."""
        address = self._addresses[self._target]
        try:
            if self._connection is None or self._connection[0] != address:
                self._connection = (address, http.client.HTTPConnection(
                    address, timeout=ANSWER_SECONDS_MAX))
            connection = self._connection[1]
            connection.request("POST", "/v1/streams/Sent/events", body,
                               {"Content-Type": "application/json", "Pollux-Producer": self.name,
                                "Pollux-Sequence": str(number)})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            self._connection = None
            return None, ""


class Webhook:
    """Takes results and writes each down, with the time of its arrival."""

    def __init__(self, folder, host):
        self.path = os.path.join(folder, "webhook.jsonl")
        self.arrived = {}  # by (producer, number): when the first row of it came
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
                data = result["data"]
                self.arrived.setdefault((data["producer"], data["seq"]), now)
                self._file.write(json.dumps({"at": now, **result}) + "\n")

    def first_sent_behind(self, blow, producers):
        """When the first result arrived of a batch that was first sent behind that moment."""
        with self._lock:
            arrived = dict(self.arrived)
        found = [arrived[producer.name, number]
                 for producer in producers
                 for number, sent in list(producer.first_sent.items())
                 if sent > blow and (producer.name, number) in arrived]
        return min(found, default=None)

    def close(self):
        self._server.shutdown()
        self._file.close()
