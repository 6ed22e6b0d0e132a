"""Sends the lines of a file, each "user,success", to the stream Logins (user string, success bool).

Batches are numbered, and sent until each is acknowledged: to the first server, and after trouble to
the other one if there is one. Run it again over the same file, and nothing counts twice.

usage: producer.py NAME FILE HOST:PORT [HOST:PORT]    NAME is this file's and nobody else's
"""
import itertools
import sys
import time

import grpc
import pollux_pb2 as pb
import pollux_pb2_grpc

LINES_A_BATCH = 100
GIVE_UP_SECONDS = 60
PAUSE_SECONDS = 0.1
# A server that says nothing is asked whether it lives; one that does not take a connection is left.
CHANNEL = [("grpc.keepalive_time_ms", 5000), ("grpc.keepalive_timeout_ms", 5000),
           ("grpc.http2.max_pings_without_data", 0),
           ("grpc.initial_reconnect_backoff_ms", 5000), ("grpc.min_reconnect_backoff_ms", 5000)]
OUT_OF_TURN = grpc.StatusCode.FAILED_PRECONDITION.value[0]
ELSEWHERE = grpc.StatusCode.UNAVAILABLE.value[0]
LATER = [grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], grpc.StatusCode.ABORTED.value[0]]


class Trouble(Exception):
    """What is unanswered is to be sent again."""

    def __init__(self, why, elsewhere, pause=PAUSE_SECONDS):
        super().__init__(why)
        self.elsewhere = elsewhere
        self.pause = pause


class Producer:
    def __init__(self, name, targets):
        self.name = name
        self.targets = targets
        self.acked = 0  # the number of the last acknowledged batch
        self.duplicates = 0

    def send(self, batches):
        """Returns when all of them are acknowledged. The first is number 1."""
        tries = itertools.cycle(self.targets)
        target, heard = next(tries), time.monotonic()
        while self.acked < len(batches):
            before = self.acked
            try:
                with grpc.insecure_channel(target, CHANNEL) as channel:
                    self.send_rest(channel, batches)
            except Trouble as trouble:
                if self.acked > before:
                    heard = time.monotonic()
                if time.monotonic() - heard > GIVE_UP_SECONDS:
                    sys.exit(f"gave up: {target}: {trouble}")
                print(f"{target}: {trouble}; sending again", file=sys.stderr, flush=True)
                target = next(tries) if trouble.elsewhere else target
                time.sleep(trouble.pause)

    def send_rest(self, channel, batches):
        requests = (self.request(number, batches[number - 1])
                    for number in range(self.acked + 1, len(batches) + 1))
        # Many are on the way at a time; when too many are unanswered the server reads no more.
        call = pollux_pb2_grpc.PolluxStub(channel).Publish(requests)
        try:
            for reply in call:
                self.take(reply)
        except grpc.RpcError as error:
            raise Trouble(error.details(), elsewhere=True) from error
        finally:
            call.cancel()
        if self.acked < len(batches):
            raise Trouble("the server ended the stream", elsewhere=True)

    def take(self, reply):
        """Replies come in the order of the requests."""
        if reply.HasField("accepted"):
            if reply.number != self.acked + 1:
                sys.exit(f"batch {reply.number} was accepted before batch {self.acked + 1}")
            self.acked = reply.number
            self.duplicates += reply.accepted.duplicate
            return
        rejected = reply.rejected
        if rejected.code in LATER:
            pause = max(PAUSE_SECONDS, rejected.retry_after_ms / 1000)
            raise Trouble(rejected.message, elsewhere=False, pause=pause)
        if rejected.code == ELSEWHERE:
            raise Trouble(rejected.message, elsewhere=True)
        if rejected.code == OUT_OF_TURN and rejected.expected_number <= self.acked:
            sys.exit(f"batches {rejected.expected_number} to {self.acked} were acknowledged, and "
                     "the server has forgotten them")
        sys.exit(f"batch {reply.number} is refused: {rejected.message} {rejected.bad_rows}")

    def request(self, number, lines):
        users, successes = zip(*(line.rsplit(b",", 1) for line in lines))
        return pb.PublishRequest(
            stream="Logins", producer=self.name, number=number,
            columns=pb.Columns(
                rows=len(lines), timestamps_ms=[time.time_ns() // 1_000_000] * len(lines),
                columns=[
                    pb.Column(name="user", strings=pb.Strings(
                        text=b"".join(users), ends=itertools.accumulate(map(len, users)))),
                    pb.Column(name="success",
                              bools=bytes(success == b"true" for success in successes))]))


def main():
    name, path, *targets = sys.argv[1:]
    with open(path, "rb") as file:
        lines = file.read().splitlines()
    batches = [lines[at:at + LINES_A_BATCH] for at in range(0, len(lines), LINES_A_BATCH)]
    producer = Producer(name, targets)
    producer.send(batches)
    print(f"{producer.acked} batches acknowledged, {producer.duplicates} of them known already")


if __name__ == "__main__":
    main()
