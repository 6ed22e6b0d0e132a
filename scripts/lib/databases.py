"""Database servers of Debian's packages, each with its data in a folder of its own, where a user
`pollux` owns a database of that name; for scripts.

Both refuse to run as root: so they get the user of their package, and a folder that it can reach.
"""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

SECONDS_MAX = 60
POSTGRES = "/usr/lib/postgresql/15/bin"
PASSWORD = "of-a-run"
STORES = ("event_store", "event_store_wo", "processed_data_store")


def wait_until(condition, what, process):
    until = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > until or process.poll() is not None:
            raise TimeoutError(f"{what} does not answer")
        time.sleep(0.05)


class Database:
    def __init__(self, folder, host, port, sessions=None, disk_mib=None):
        """`folder`: of the log. `sessions`: at most so many at a time. `disk_mib`: the data is on a
        disk in memory of that size; only root can have that."""
        self.host, self.port, self._sessions = host, port, sessions
        self.url = f"{self.scheme}://pollux@{host}:{port}/pollux"
        self._log = os.path.join(folder, f"{self.scheme}.log")
        self._process = None
        self.folder = tempfile.mkdtemp(prefix=f"pollux-{self.scheme}-")
        self._as_user = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self._as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self._has_disk = disk_mib is not None
        if self._has_disk:
            entry = pwd.getpwnam(self.user)
            self._mount(f"size={disk_mib}m,uid={entry.pw_uid},gid={entry.pw_gid},mode=755")
        self.data = os.path.join(self.folder, "data")
        try:
            self.prepare()
            self.start()
            self.make_database()
        except BaseException:
            self.close()
            raise

    def start(self):
        """Until it answers; behind kill(), over the same data and port."""
        self._process = self._run(self.command())
        wait_until(self.answers, self.scheme, self._process)

    def kill(self):
        self._process.send_signal(self.kill_signal)
        self._process.wait()

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def revive(self):
        """It may have ended by itself, as when its disk was full, or be about to."""
        until = time.monotonic() + SECONDS_MAX
        while self._process.poll() is None and not self.answers():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.scheme} does not answer")
            time.sleep(0.05)
        if self._process.poll() is not None:
            self.start()

    def _mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder], check=True)

    @contextlib.contextmanager
    def full_disk(self):
        filler = os.path.join(self.folder, "filler")
        with open(filler, "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 65_536)
        try:
            yield
        finally:
            os.remove(filler)

    def session(self, sql):
        """A session of the user `pollux` that lasts until its input is closed; None: it was
        refused. The statements give one line."""
        client = subprocess.Popen(self.client(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, cwd="/",
                                  env={**os.environ, **self.client_environment})
        with contextlib.suppress(BrokenPipeError):
            client.stdin.write(sql + "\n")
            client.stdin.flush()
        if client.stdout.readline():
            return client
        self.end_session(client)
        return None

    @staticmethod
    def end_session(client):
        with contextlib.suppress(BrokenPipeError):
            client.stdin.close()
        client.stdout.close()
        client.wait()

    @contextlib.contextmanager
    def locked(self, table):
        """By somebody else."""
        client = self.session(self.lock_statement.format(table))
        try:
            yield
        finally:
            self.end_session(client)

    @contextlib.contextmanager
    def all_sessions_taken(self):
        """Whatever gets free is taken at once, or soon."""
        taken = []
        over = threading.Event()

        def take():
            while not over.is_set():
                if client := self.session("SELECT 1;"):
                    taken.append(client)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            for client in taken:
                self.end_session(client)

    def ask(self, sql):
        """The rows of the answer, each a list of texts, as the user `pollux`."""
        done = subprocess.run(self.client(), input=sql, capture_output=True, text=True, cwd="/",
                              check=False, env={**os.environ, **self.client_environment})
        if done.returncode != 0:
            raise OSError(f"{sql}: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def close(self):
        if self._process is not None and self._process.poll() is None:
            self.kill()
        if self._has_disk:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
        shutil.rmtree(self.folder)

    def _run(self, words):
        with open(self._log, "ab") as log:
            return subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **self._as_user)

    def does(self, *words):
        """True when it ends with 0."""
        return self._run(words).wait() == 0

    def must(self, *words):
        if not self.does(*words):
            with open(self._log, encoding="utf-8", errors="replace") as log:
                raise OSError(f"{words[0]} failed:\n{log.read()[-3000:]}")


class Postgres(Database):
    scheme = "postgresql"
    user = "postgres"
    kill_signal = signal.SIGQUIT  # killed, it would leave its shared memory
    client_environment = {"PGPASSWORD": PASSWORD}
    lock_statement = "BEGIN; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE; SELECT 1;"

    def prepare(self):
        self.must(f"{POSTGRES}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E",
                  "UTF8", "--locale=C", "--no-sync")
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write("local all all trust\nhost all all samenet scram-sha-256\n")

    def command(self):
        return [f"{POSTGRES}/postgres", "-D", self.data, "-p", str(self.port), "-k", self.folder,
                "-c", f"listen_addresses={self.host}", "-c", "dynamic_shared_memory_type=mmap",
                "-c", f"max_connections={self._sessions or 100}"]

    def answers(self):
        return self.does(f"{POSTGRES}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port))

    def client(self):
        return [f"{POSTGRES}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                "-h", self.host, "-p", str(self.port), "-U", "pollux", "pollux"]

    def make_database(self):
        for statement in (f"CREATE USER pollux PASSWORD '{PASSWORD}'",
                          "CREATE DATABASE pollux OWNER pollux"):
            self.must(f"{POSTGRES}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                      "-p", str(self.port), "-U", "postgres", "-c", statement)


class Mysql(Database):
    scheme = "mysql"
    user = "mysql"
    kill_signal = signal.SIGKILL
    client_environment = {"MYSQL_PWD": PASSWORD}
    lock_statement = "LOCK TABLES {} WRITE; SELECT 1;"

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
                "--innodb-flush-log-at-trx-commit=1",
                f"--max-connections={self._sessions or 151}"]

    def answers(self):
        return self.does("/usr/bin/mariadb-admin", "--no-defaults", "-u", "root", "-S",
                         self._socket, "ping")

    def client(self):
        return ["/usr/bin/mariadb", "--no-defaults", "-N", "-B", "--unbuffered", "-h", self.host,
                "-P", str(self.port), "-u", "pollux", "pollux"]

    def make_database(self):
        for statement in ("CREATE DATABASE pollux",
                          f"CREATE USER pollux@'%' IDENTIFIED BY '{PASSWORD}'",
                          "GRANT ALL ON pollux.* TO pollux@'%'"):
            self.must("/usr/bin/mariadb", "--no-defaults", "-u", "root", "-S", self._socket, "-e",
                      statement)


def settings_text(kind, url, stores, *more):
    """Settings of a node whose stores are in a database, whose password is in the variable
    DATABASE_PASSWORD. `stores`: their settings' names; `more`: options of the datasource."""
    options = [f"url: {url}", "password_variable: DATABASE_PASSWORD", *more]
    return ("datasources:\n  - name: database\n"
            f"    type: {kind}\n    options:\n" +
            "".join(f"      {option}\n" for option in options) +
            "stores:\n" + "".join(f"  {store}: database\n" for store in stores))


DATABASES = {"postgresql": Postgres, "mysql": Mysql}
