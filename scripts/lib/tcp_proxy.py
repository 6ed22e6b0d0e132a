"""A plain TCP proxy that can cut, slow down and freeze what goes through it; for scripts."""
import contextlib
import enum
import socket
import threading
import time

PIECE = 16 * 1024


class Cut(enum.Enum):
    """Where a conversation ends when a client says a certain word."""
    BEFORE = "the server never hears it"
    BEHIND = "the server has answered, and the client never hears that"


class Conversation:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.answer_is_lost = False

    def end(self):
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class TcpProxy:
    """From a port of the kernel's choice to `target`, (host, port)."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._conversations = set()
        self._closed = False
        self._cut = None  # (word, Cut)
        self.cuts = 0
        self._delay = 0.0
        self._open = threading.Event()  # not set: nothing comes through, and nobody is told
        self._open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at(self, word, where):
        """The next conversation in which a client says this word."""
        with self._lock:
            self._cut = (word, where)

    def slow_down(self, seconds):
        """For each piece; 0: as fast as it goes."""
        self._delay = seconds

    def freeze(self):
        self._open.clear()

    def thaw(self):
        self._open.set()

    def cut_all(self):
        with self._lock:
            conversations = list(self._conversations)
        for each in conversations:
            each.end()

    def close(self):
        self._closed = True
        self.thaw()
        self._listener.close()
        self.cut_all()

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            talk = Conversation(client, server)
            with self._lock:
                self._conversations.add(talk)
            for carry in (self._carry_questions, self._carry_answers):
                threading.Thread(target=self._run, args=(carry, talk), daemon=True).start()

    def _run(self, carry, talk):
        with contextlib.suppress(OSError):
            carry(talk)
        talk.end()
        with self._lock:
            self._conversations.discard(talk)

    def _pieces(self, source):
        while piece := source.recv(PIECE):
            self._open.wait()
            if self._delay:
                time.sleep(self._delay)
            yield piece

    def _where_cut(self, piece):
        with self._lock:
            if self._cut is None or self._cut[0] not in piece:
                return None
            where, self._cut = self._cut[1], None
            self.cuts += 1
            return where

    def _carry_questions(self, talk):
        for piece in self._pieces(talk.client):
            where = self._where_cut(piece)
            if where == Cut.BEFORE:
                return
            if where == Cut.BEHIND:
                talk.answer_is_lost = True
            talk.server.sendall(piece)

    def _carry_answers(self, talk):
        for piece in self._pieces(talk.server):
            if talk.answer_is_lost:
                return
            talk.client.sendall(piece)
