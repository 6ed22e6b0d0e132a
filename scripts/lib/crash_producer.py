"""Sends numbered batches and remembers what was acknowledged; for scripts/crash-test."""
import http.client
import json
import threading

from crash_server import CrashTestFailed

USERS = 40
ROWS_MAX = 120
PAUSE_SECONDS = 0.01
ANSWER_SECONDS_MAX = 60
UNANSWERED_MAX = 20_000


class Producer:
    """On a thread of its own. A batch without an answer is sent again under its number."""

    def __init__(self, server, name, chance):
        self.name = name
        self.acked = {}  # by number: rows
        self.resent = 0
        self._server = server
        self._chance = chance
        self._stop = threading.Event()
        self._wrong = None
        self._connection = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def finish(self):
        """The batch under way is still acknowledged."""
        self._stop.set()
        self._thread.join()
        if self._wrong:
            raise CrashTestFailed(self._wrong)

    def abandon(self):
        self._stop.set()

    def _run(self):
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            rows = self._rows(number)
            if not self._send_until_acked(number, rows):
                return
            self.acked[number] = rows

    def _rows(self, number):
        return [[self.name, number, row, f"user-{self._chance.randrange(USERS)}",
                 self._chance.random() < 0.8]
                for row in range(self._chance.randint(1, ROWS_MAX))]

    def _send_until_acked(self, number, rows):
        names = ("producer", "seq", "row", "user", "ok")
        body = json.dumps([dict(zip(names, row)) for row in rows])
        for attempt in range(UNANSWERED_MAX):
            self.resent += attempt > 0
            status, answer = self._send(number, body)
            if status == 200:
                return True
            if status not in (None, 429, 503):
                self._wrong = f"batch {number} of {self.name} got {status}: {answer}"
                return False
            threading.Event().wait(PAUSE_SECONDS)
        self._wrong = f"batch {number} of {self.name} is never acknowledged"
        return False

    def _send(self, number, body):
        """Status and body; None: no answer."""
        address = self._server.address
        if address is None:
            return None, ""
        try:
            if self._connection is None or self._connection[0] != address:
                self._connection = (address, http.client.HTTPConnection(
                    address, timeout=ANSWER_SECONDS_MAX))
            connection = self._connection[1]
            connection.request("POST", "/v1/streams/Logins/events", body,
                               {"Content-Type": "application/json", "Pollux-Producer": self.name,
                                "Pollux-Sequence": str(number)})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            self._connection = None
            return None, ""
