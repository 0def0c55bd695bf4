import json
import subprocess
import sys
import threading
import time

import psutil
import pytest

from deploy.embedded import leftovers
from deploy.embedded.errors import StartError
from deploy.embedded.process import ROOT, Child, Program
from deploy.embedded.ready import says, stays
from deploy.embedded.supervisor import Supervisor
from tests.patience import wait_for

INTERRUPTED = """
import signal, sys, time, psutil
from pathlib import Path
from deploy.embedded.process import Child, Program
program = Program(name="part", command=("sleep", "600"), ready=lambda child: True, stop_within=5)
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have been inherited as ignored
signal.signal(signal.SIGALRM, lambda number, frame: signal.raise_signal(signal.SIGINT))
interrupted = 0
for step in range(1, 200):
    child = Child(program, log=Path(sys.argv[1]))
    try:
        signal.setitimer(signal.ITIMER_REAL, step * 0.00005)
        child.launch()
        time.sleep(1)
    except KeyboardInterrupt:
        interrupted += 1
    child.stop()
assert interrupted == 199, interrupted
assert psutil.Process().children() == []
"""
SLEEPS = "print('ready.', flush=True); import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
WITH_A_CHILD = f"import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid); {SLEEPS}"


def program(code, **changes):
    options = {"name": "part", "ready": says("ready."), "ready_within": 20, "stop_within": 0.5}
    return Program(command=(sys.executable, "-c", code), **(options | changes))


@pytest.fixture
def child(tmp_path):
    started = []

    def make(code, **changes):
        started.append(Child(program(code, **changes), log=tmp_path / "part.log"))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def test_ctrl_c_at_any_moment_of_a_start_leaves_nothing_that_nobody_ends(tmp_path):
    subprocess.run([sys.executable, "-c", INTERRUPTED, tmp_path / "log"], check=True, cwd=ROOT, timeout=120)


def test_a_program_that_does_not_answer_is_an_error_with_its_last_words(child):
    slow = child("import time; print('looking for the moon', flush=True); time.sleep(600)", ready_within=1)
    slow.launch()
    wait_for(lambda: "moon" in slow.said())
    with pytest.raises(StartError, match=r"did not answer within 1 s[\s\S]*looking for the moon"):
        slow.await_ready()
    with pytest.raises(StartError, match="did not answer within 1 s"):
        slow.bring_up()

    assert slow.pid is None


def test_a_program_that_ends_while_starting_is_an_error_although_somebody_else_answers(child):
    broken = child("raise SystemExit('no configuration')", ready=lambda _me: True)
    broken.launch()
    wait_for(lambda: broken.pid is None)
    with pytest.raises(StartError, match=r"ended while starting[\s\S]*no configuration"):
        broken.await_ready()


def test_a_program_that_may_try_again_does(child, tmp_path):
    obstacle = tmp_path / "obstacle"
    obstacle.mkdir()
    code = f"from pathlib import Path\npath = Path({str(obstacle)!r})\n"
    code += "if path.exists():\n path.rmdir()\n exit(1)\n"
    lucky = child(code + SLEEPS, attempts=2)
    lucky.bring_up()

    assert lucky.pid is not None


def test_a_program_that_ignores_the_signal_is_ended_all_the_same(child):
    stubborn = child(STUBBORN)
    stubborn.bring_up()
    pid = stubborn.pid
    stubborn.stop()

    assert not psutil.pid_exists(pid)


def test_what_a_program_started_ends_with_it(child):
    parent = child(WITH_A_CHILD)
    parent.bring_up()
    grandchild = int(parent.said().split()[0])
    assert psutil.pid_exists(grandchild)
    parent.stop()

    wait_for(lambda: not psutil.pid_exists(grandchild))


def test_words_of_an_earlier_run_do_not_count_as_ready(child):
    child(SLEEPS).bring_up()
    silent = child("import time; time.sleep(600)", ready_within=0.5)

    with pytest.raises(StartError):
        silent.bring_up()


def test_a_program_that_died_is_started_again_and_told(tmp_path):
    told = []
    supervisor = Supervisor(tmp_path, tell=told.append)
    supervisor.bring_up([program(SLEEPS)])
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    first = supervisor.children["part"].pid
    psutil.Process(first).kill()

    wait_for(lambda: supervisor.children["part"].pid not in {None, first})
    supervisor.over.set()
    watcher.join()
    second = supervisor.children["part"].pid
    supervisor.stop()
    assert told == [f"part ended (-9); starting it again, see {tmp_path / 'logs' / 'part.log'}"]
    assert not psutil.pid_exists(second)


def test_a_program_that_dies_again_and_again_is_started_ever_later(tmp_path, monkeypatch):
    monkeypatch.setattr("deploy.embedded.supervisor.BACK_OFF", (0.0, 60.0))
    monkeypatch.setattr("deploy.embedded.supervisor.LOOK_EVERY", 0.05)
    told = []
    supervisor = Supervisor(tmp_path, tell=told.append)
    supervisor.bring_up([program("import time; time.sleep(0.3)", ready=lambda _child: True)])
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    wait_for(lambda: len(told) == 2)
    time.sleep(1)
    supervisor.over.set()
    watcher.join()
    supervisor.stop()

    assert len(told) == 2


def test_leftovers_are_known_by_their_mark_alone(tmp_path, child):
    ours = child(SLEEPS, environment={leftovers.MARK: str(tmp_path)})
    other = child(SLEEPS, environment={leftovers.MARK: str(tmp_path / "other")})
    unmarked = child(SLEEPS)
    for one in (ours, other, unmarked):
        one.bring_up()

    assert leftovers.end_all(tmp_path) == 1
    assert (ours.pid, other.pid is None, unmarked.pid is None) == (None, False, False)


def test_leftovers_that_hide_their_mark_are_known_by_their_record(tmp_path):
    supervisor = Supervisor(tmp_path, tell=print)
    supervisor.bring_up([program(SLEEPS), program(SLEEPS, name="other")])
    pid = supervisor.children["part"].pid
    noted = tmp_path / "run" / "other"
    noted.write_text(json.dumps(json.loads(noted.read_text()) | {"born": 1.0}))  # as if the number came again

    assert leftovers.end_all(tmp_path) == 1
    assert supervisor.children["other"].pid is not None
    assert not psutil.pid_exists(pid) or supervisor.children["part"].pid is None
    supervisor.stop()
    assert list((tmp_path / "run").iterdir()) == []


def test_a_stopped_program_says_how_it_ended(child):
    short = child("raise SystemExit(3)", ready=stays)
    short.launch()
    wait_for(lambda: short.pid is None)

    assert short.exit_code == 3
