import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from deploy.embedded import leftovers, ports, postgres
from deploy.embedded.account import Account
from deploy.embedded.process import ROOT, Child
from deploy.embedded.valkey import LONGEST_SOCKET, Valkey

IS_ROOT = os.geteuid() == 0


@contextmanager
def running(program, log):
    child = Child(program, log=log)
    try:
        child.bring_up()
        yield child
    finally:
        child.stop()


def query(url, sql):
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def machine(monkeypatch):
    """A folder that every account can reach: pytest's own is closed to PostgreSQL's."""
    with tempfile.TemporaryDirectory(prefix=leftovers.TEMPORARY) as name:
        leftovers.sign_temporary(Path(name))
        monkeypatch.setenv("IRAPP_POSTGRES_HOME", name)
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def server(tmp_path, machine):
    """A PostgreSQL where root or an ordinary user would have it."""
    return postgres.Postgres(postgres.home_for(tmp_path), port=ports.free())


def test_a_temporary_database_answers_and_leaves_nothing_behind():
    with postgres.temporary() as url:
        [row] = query(url, "SELECT current_setting('server_version_num')::int / 10000, pg_backend_pid()")
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        assert row[0] == 18

    assert not ports.answers(port)


def test_a_database_asks_for_its_password():
    with postgres.temporary() as url, pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(url.replace("irapp:", "irapp:x"))


def test_text_sorts_the_same_on_every_machine():
    with postgres.temporary() as url:
        [row] = query(url, "SELECT array_agg(x ORDER BY x), upper('é') FROM unnest(ARRAY['b','A','a','B']) x")

    assert row == (["A", "B", "a", "b"], "É")


def test_a_killed_database_comes_back_with_its_data(server, tmp_path):
    with running(server.program(), tmp_path / "log") as child:
        query(server.url, "CREATE TABLE kept AS SELECT 42 AS x")
        os.kill(child.pid, signal.SIGKILL)
        child.bring_up()
        assert query(server.url, "SELECT x FROM kept") == [(42,)]
    with running(server.program(), tmp_path / "log"):
        assert query(server.url, "SELECT x FROM kept") == [(42,)]


def test_a_database_that_nobody_supervises_any_more_is_stopped(server, tmp_path):
    with running(server.program(), tmp_path / "log") as child:
        pid = child.pid
        leftovers.end_postgres(server.data)
        assert child.pid is None

    assert not psutil.pid_exists(pid)


def test_a_lock_whose_number_belongs_to_somebody_else_does_no_harm(server, tmp_path):
    with running(server.program(), tmp_path / "log"):
        pass
    lock = server.data / "postmaster.pid"
    lock.write_text(f"{os.getppid()}\n{server.data}\n")
    with running(server.program(), tmp_path / "log"):
        assert query(server.url, "SELECT 1") == [(1,)]

    assert psutil.pid_exists(os.getppid())


@pytest.mark.skipif(not IS_ROOT, reason="only root lends PostgreSQL an account")
def test_root_runs_the_database_under_an_account_without_rights(server, tmp_path, machine):
    with running(server.program(), tmp_path / "log") as child:
        user = psutil.Process(child.pid).uids().effective

    assert user != 0
    assert server.data.stat().st_uid == user
    assert server.home.is_relative_to(machine)


@pytest.mark.skipif(not IS_ROOT, reason="only root lends PostgreSQL an account")
def test_binaries_that_the_account_cannot_reach_are_copied_once(server, tmp_path, machine, monkeypatch):
    reachable = Account.can_run
    monkeypatch.setattr(
        Account, "can_run", lambda me, path: path.is_relative_to(machine) and reachable(me, path)
    )
    copied = postgres.Postgres(server.home, port=ports.free(), settings=postgres.FAST)
    with running(copied.program(), tmp_path / "log") as child:
        binary = Path(psutil.Process(child.pid).exe())

    assert binary.is_relative_to(machine)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user runs every other test")
def test_an_ordinary_user_runs_the_database(tmp_path):
    python = Path("/usr/bin") / f"python{sysconfig.get_python_version()}"
    if not python.exists():
        pytest.skip("no Python that every account can reach")
    code = "from deploy.embedded.postgres import temporary\nwith temporary() as url: print(url)"
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    result = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-c", code],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout.startswith("postgres://"), result.stderr


def test_what_a_killed_test_run_left_behind_is_swept():
    code = (
        "from deploy.embedded.postgres import temporary\n"
        "with temporary() as url:\n    print(url, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        process.kill()
    assert query(url, "SELECT 1") == [(1,)]
    leftovers.sweep_temporary()

    with pytest.raises(psycopg2.OperationalError, match="refused"):
        query(url, "SELECT 1")


def test_a_killed_broker_comes_back_with_its_messages(tmp_path):
    broker = Valkey(tmp_path / "valkey")
    with running(broker.program(os.environ), tmp_path / "log") as child:
        with redis.Redis(unix_socket_path=str(broker.socket)) as client:
            client.rpush("queue", *range(500))
        os.kill(child.pid, signal.SIGKILL)
        child.bring_up()
        with redis.Redis(unix_socket_path=str(broker.socket)) as client:
            assert client.llen("queue") == 500


def test_a_deep_folder_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("d" * 100)
    broker = Valkey(deep)

    assert len(str(broker.socket)) <= LONGEST_SOCKET
    assert broker.socket != Valkey(tmp_path / ("e" * 100)).socket
