"""The whole stack with real processes: what `make run` promises."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import openai
import psutil
import psycopg2
import pytest

from deploy.embedded import leftovers, ports
from deploy.embedded.process import ROOT
from deploy.embedded.stack import PASSED_ON, temporary
from tests.patience import wait_for

pytestmark = pytest.mark.timeout(300)


def processes_of(folder):
    return {process.pid for process in (*leftovers.marked(folder), *leftovers.recorded(folder))}


def still_running(pids):
    """Those of them that run. One that has ended is not; who inherited it may take a moment to bury it."""
    alive = psutil.process_iter(["pid", "status"])
    return [one for one in alive if one.pid in pids and one.info["status"] != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def stack():
    with temporary() as running:
        folder = running.state.folder
        yield running
        ours = processes_of(folder)
    assert len(ours) > 12
    wait_for(lambda: not still_running(ours), 60, told="the end of every process")
    assert not folder.exists()


def get(port, path):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("location") or response.read().decode()


def test_pages_ask_who_you_are_and_the_demo_says_who_you_can_be(stack):
    status, location = get(stack.ports.web, "/")
    assert status == 302

    status, page = get(stack.ports.web, location)
    assert status == 200
    assert "demo-rosa-2026" in page


def test_the_printed_request_is_answered_by_the_demo_model(stack):
    with closing(
        openai.OpenAI(base_url=f"{stack.addresses.gateway}/v1", api_key="sk-demo-alice", max_retries=0)
    ) as client:
        answer = client.chat.completions.create(
            model="aurora-small", messages=[{"role": "user", "content": "What will the weather be?"}]
        )

    assert answer.system_fingerprint == "irapp-demo"
    assert answer.choices[0].message.content


def test_there_is_gentle_traffic_to_estimate_from(stack):
    token = stack.state.secret("control-token").read_text()

    def records():
        with closing(http.client.HTTPConnection("127.0.0.1", stack.ports.hub, timeout=10)) as connection:
            connection.request("GET", "/v1/traffic", headers={"authorization": f"Bearer {token}"})
            return json.load(connection.getresponse())["records"]

    record = wait_for(lambda: [record for record in records() if record["status"] == 200])[0]
    assert record["user"] in {"alice", "bob", "carol", "dave", "erin"}


@pytest.mark.parametrize("name", ["worker", "valkey", "hub", "web", "postgres"])
def test_a_part_that_is_killed_comes_back(stack, name):
    before = stack.children[name].pid
    os.kill(before, signal.SIGKILL)

    child = wait_for(lambda: stack.children[name].pid not in {None, before} and stack.children[name])
    wait_for(lambda: child.program.ready(child))


def test_a_management_command_runs_in_the_stack(stack):
    assert "no issues" in stack.manage("check")


class Up:
    """``python -m deploy.embedded up`` as a process."""

    def __init__(self, folder):
        names = vars(ports.Ports(web=1))
        self.ports = ports.all_free()
        self.folder = folder / "state"
        self.log = folder / "up.log"
        self.environment = {
            **{key: os.environ[key] for key in PASSED_ON if key in os.environ},
            **{ports.variable(name): str(getattr(self.ports, name)) for name in names},
            "IRAPP_STATE_DIR": str(self.folder),
            "IRAPP_POSTGRES_HOME": str(folder / "machine"),
            "IRAPP_TRAFFIC": "off",
        }

    def call(self, command):
        return subprocess.run(
            [sys.executable, "-m", "deploy.embedded", command],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self):
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.embedded", "up"],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: "Try the gateway" in self.log.read_text() or process.poll() is not None, 240)
        assert process.poll() is None, self.log.read_text()
        return process

    def query(self, sql):
        with closing(psycopg2.connect(self.call("psql-url").stdout.strip())) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else None


@pytest.fixture
def up():
    with tempfile.TemporaryDirectory(prefix="irapp-up-") as name:
        Path(name).chmod(0o711)
        tool = Up(Path(name))
        yield tool
        leftovers.end_all(tool.folder)
        for data in Path(name).glob("machine/*/data"):
            leftovers.end_postgres(data)


def test_make_run_goes_on_with_its_data_even_after_a_kill_and_stops_all_of_it(up):
    first = up.start()
    second, reset = up.call("up"), up.call("reset")
    up.query("CREATE TABLE kept AS SELECT 42 AS x")
    first.kill()
    first.wait()
    assert processes_of(up.folder)

    again = up.start()
    kept = up.query("SELECT x FROM kept")
    ours = processes_of(up.folder)
    again.terminate()
    again.wait(60)
    assert (second.returncode, reset.returncode, again.returncode) == (1, 1, 0)
    assert f"is running already (process {first.pid}" in second.stderr
    assert "left behind" in up.log.read_text()
    assert kept == [(42,)]
    wait_for(lambda: not still_running(ours), 60, told="the end of every process")

    assert up.call("reset").returncode == 0
    assert not up.folder.exists()
    assert "no embedded database" in up.call("psql-url").stderr


def test_a_taken_port_ends_it_with_one_line(up):
    with ports.socket.socket() as taken:
        taken.bind((ports.LOOPBACK, up.ports.gateway))
        taken.listen()
        result = up.call("up")

    assert result.returncode == 1
    assert f"{up.ports.gateway} (IRAPP_GATEWAY_PORT)" in result.stderr
    assert result.stderr.count("\n") == 1


def test_ctrl_c_while_starting_leaves_nothing_running(up):
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.embedded", "up"],
        env=up.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for((up.folder / "run" / "postgres").exists)
        ours = processes_of(up.folder)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[0]

    with suppress(FileNotFoundError):
        assert list((up.folder / "run").iterdir()) == []
    assert process.returncode == 0
    assert "Stopped" in told
    wait_for(lambda: not still_running(ours), 60, told="the end of every process")
