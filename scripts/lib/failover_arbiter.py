"""What decides who leads, started for one run; for scripts/failover.

Databases and etcd stand on this machine, with their data in the run's folder or one of their own,
and take connections at `host`, where both nodes can reach them.
"""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SECONDS_MAX = 30
POSTGRES = "/usr/lib/postgresql/15/bin"


def wait_until(condition, what, process):
    until = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > until or process.poll() is not None:
            raise TimeoutError(f"{what} does not answer")
        time.sleep(0.05)


class FileArbiter:
    def __init__(self, folder, _host, _free_ports):
        path = os.path.join(folder, "arbiter")
        os.makedirs(path)
        self.settings = {"PAIR__ARBITER": f"file:{path}"}

    def close(self):
        pass


class EtcdArbiter:
    def __init__(self, folder, host, free_ports):
        client, peer = free_ports(2)
        url = f"http://{host}:{client}"
        self.settings = {"PAIR__ARBITER": f"etcd:{url}"}
        with open(os.path.join(folder, "arbiter.log"), "wb") as log:
            self._process = subprocess.Popen(
                ["etcd", "--data-dir", os.path.join(folder, "etcd"), "--listen-client-urls", url,
                 "--advertise-client-urls", url, "--listen-peer-urls", f"http://127.0.0.1:{peer}"],
                stdout=log, stderr=log)
        try:
            wait_until(lambda: self._answers(url), "etcd", self._process)
        except TimeoutError:
            self.close()
            raise

    @staticmethod
    def _answers(url):
        try:
            with urllib.request.urlopen(url + "/health", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def close(self):
        self._process.kill()
        self._process.wait()


class DatabaseArbiter:
    """A database server of Debian's package, which refuses to run as root: so it gets the user of
    that package, and a folder that this user can reach."""

    password = "of-a-run"

    def __init__(self, folder, host, free_ports):
        self.host = host
        self.port, = free_ports(1)
        self._log = os.path.join(folder, "arbiter.log")
        self._process = None
        self.folder = tempfile.mkdtemp(prefix="pollux-arbiter-")
        self._as_user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self._as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.data = os.path.join(self.folder, "data")
        self.settings = {
            "PAIR__ARBITER": f"{self.scheme}://pollux@{host}:{self.port}/pollux",
            "PAIR__ARBITER_PASSWORD": self.password}
        try:
            self.prepare()
            self._process = self._start(self.command())
            wait_until(self.answers, self.scheme, self._process)
            self.make_database()
        except BaseException:
            self.close()
            raise

    def _start(self, words):
        with open(self._log, "ab") as log:
            return subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **self._as_user)

    def run(self, *words):
        """True when it ends with 0."""
        return self._start(words).wait() == 0

    def must(self, *words):
        if not self.run(*words):
            with open(self._log, encoding="utf-8", errors="replace") as log:
                raise OSError(f"{words[0]} failed:\n{log.read()[-3000:]}")

    def close(self):
        if self._process is not None:
            self._process.send_signal(self.stop_signal)
            self._process.wait()
        shutil.rmtree(self.folder)


class PostgresArbiter(DatabaseArbiter):
    scheme = "postgresql"
    user = "postgres"
    stop_signal = signal.SIGQUIT  # killed, it would leave its shared memory

    def prepare(self):
        self.must(f"{POSTGRES}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E",
                  "UTF8", "--locale=C", "--no-sync")
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write("local all all trust\nhost all all samenet scram-sha-256\n")

    def command(self):
        return [f"{POSTGRES}/postgres", "-D", self.data, "-p", str(self.port), "-k", self.folder,
                "-c", f"listen_addresses={self.host}", "-c", "dynamic_shared_memory_type=mmap"]

    def answers(self):
        return self.run(f"{POSTGRES}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port))

    def make_database(self):
        for statement in (f"CREATE USER pollux PASSWORD '{self.password}'",
                          "CREATE DATABASE pollux OWNER pollux"):
            self.must(f"{POSTGRES}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                      "-p", str(self.port), "-U", "postgres", "-c", statement)


class MysqlArbiter(DatabaseArbiter):
    scheme = "mysql"
    user = "mysql"
    stop_signal = signal.SIGKILL

    @property
    def _socket(self):
        return os.path.join(self.folder, "m.sock")

    def prepare(self):
        self.must("/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={self.data}",
                  "--skip-test-db", "--auth-root-authentication-method=normal",
                  "--skip-name-resolve")

    def command(self):
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.data}",
                f"--socket={self._socket}", f"--port={self.port}", f"--bind-address={self.host}",
                f"--pid-file={self.folder}/m.pid", "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=1"]

    def answers(self):
        return self.run("/usr/bin/mariadb-admin", "--no-defaults", "-u", "root", "-S",
                        self._socket, "ping")

    def make_database(self):
        for statement in ("CREATE DATABASE pollux",
                          f"CREATE USER pollux@'%' IDENTIFIED BY '{self.password}'",
                          "GRANT CREATE, SELECT, INSERT, UPDATE ON pollux.* TO pollux@'%'"):
            self.must("/usr/bin/mariadb", "--no-defaults", "-u", "root", "-S", self._socket, "-e",
                      statement)


ARBITERS = {"file": FileArbiter, "postgresql": PostgresArbiter, "mysql": MysqlArbiter,
            "etcd": EtcdArbiter}
