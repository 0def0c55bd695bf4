"""msgspec must have met every struct before threads do: it crashes when two of them are the first."""

import json
import subprocess
import sys

import pytest

from deploy.embedded.process import ROOT
from tests.enforcement.hub_process import signed

FIRST_USE = """
import sys, threading
import msgspec
from {module} import {kind}
raw = sys.stdin.buffer.read()
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
def first():
    ready.wait()
    msgspec.json.decode(raw, type={kind})
threads = [threading.Thread(target=first) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
"""
NOW = "2026-01-02T03:04:05Z"
PROBE = {"endpoint": "messages", "expect": "refuse", "subject": "inside", "status": 403, "ok": True}
CORRECTION = {"state": "in_force", "verified": True, "checked_at": NOW, "probes": [PROBE]}
REPORT = {
    "gateway": "gateway-1",
    "agent_version": "1",
    "reported_at": NOW,
    "policy": {"version": 1, "digest": ""},
    "envoy": {"version": "1"},
    "corrections": {"COR-0001.1": CORRECTION},
    "lifted": {"COR-0002.1": {"verified": True, "probes": [PROBE]}},
    "problems": [{"code": "x", "detail": "y"}],
}


@pytest.mark.parametrize(
    ("module", "kind", "raw"),
    [
        ("enforcement.policy", "Policy", signed(1, "alice", "bob")),
        ("enforcement.report", "GatewayReport", json.dumps(REPORT).encode()),
        (
            "enforcement.hub.statuses",
            "SeenReport",
            json.dumps(REPORT | {"seen_at": NOW, "live": True}).encode(),
        ),
    ],
    ids=["policy", "report", "seen"],
)
def test_eight_threads_may_be_the_first_to_read_one(module, kind, raw):
    code = FIRST_USE.format(module=module, kind=kind)
    for _ in range(4):
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=raw, check=True)
