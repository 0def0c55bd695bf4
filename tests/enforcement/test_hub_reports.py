"""The hub as a real process: what gateways report and hand in."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from enforcement.hub.statuses import LIVE_SECONDS
from tests.enforcement.disk import in_the_way
from tests.enforcement.hub_process import HubProcess, signed
from tests.patience import in_time


@pytest.fixture
def hub(tmp_path):
    process = HubProcess(tmp_path, more={"HUB_TRAFFIC_RECORDS": "5000"}).start()
    yield process
    process.end(signal.SIGKILL)


def report(gateway="gateway-1", **changes):
    return {"gateway": gateway, "agent_version": "1", "reported_at": "2026-01-02T03:04:05Z", **changes}


def records(count, *, user="alice", start=0):
    return [
        {
            "at": "2026-01-02T03:04:05Z",
            "gateway": "gateway-1",
            "user": user,
            "organisation": "acme",
            "key": "key-alice",
            "application": "acme-support",
            "use_case": "customer-support",
            "endpoint": "chat.completions",
            "model": "aurora-large",
            "status": 200,
            "tokens_in": start + number,
        }
        for number in range(count)
    ]


def hand_in(hub, *args, **options):
    return hub.post("/v1/traffic", {"gateway": "gateway-1", "records": records(*args, **options)})


def traffic(hub, after="", limit=1000):
    return hub.get(f"/v1/traffic?after={after}&limit={limit}").json


def test_a_report_is_given_back_with_when_it_came_and_that_it_lives(hub):
    hub.put(signed(3, "alice"))
    corrections = {
        "COR-0000.1": {"state": "in_force", "verified": True, "checked_at": "2026-01-02T03:04:05Z"}
    }
    assert hub.post("/v1/status", report(corrections=corrections)).status == 204
    status = hub.get("/v1/status").json

    assert status["policy"]["version"] == 3
    assert status["gateways"]["gateway-1"]["live"] is True
    assert status["gateways"]["gateway-1"]["corrections"]["COR-0000.1"]["verified"] is True
    assert status["gateways"]["gateway-1"]["seen_at"] > "2026"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"nope", "malformed"),
        (report(policy="1"), "policy"),
        (report(surprise=1), "surprise"),
        (report(gateway=""), "gateway"),
        (report(gateway="two words"), "gateway"),
        (report(reported_at="yesterday"), "reported_at"),
        (b"[" * 100_000, ""),
    ],
)
def test_a_report_that_is_not_one_is_refused_by_field(hub, body, named):
    answer = hub.post("/v1/status", body)

    assert (answer.status, answer.json["code"]) == (422, "bad_report")
    assert named in answer.json["detail"]
    assert hub.get("/v1/status").json["gateways"] == {}


def waiting(hub, tag, seconds):
    return hub.get(f"/v1/status?wait={seconds}", headers={"if-none-match": tag})


def test_who_waits_hears_something_new_at_once_and_the_same_again_not_at_all(hub):
    hub.post("/v1/status", report())
    tag = hub.get("/v1/status").headers["etag"]
    hub.post("/v1/status", report(reported_at="2026-01-02T03:04:07Z"))
    same = waiting(hub, tag, 0)
    with ThreadPoolExecutor(1) as pool:
        news = pool.submit(waiting, hub, tag, 20)
        hub.post("/v1/status", report(problems=[{"code": "x", "detail": "y"}]))

        assert news.result().json["gateways"]["gateway-1"]["problems"][0]["code"] == "x"
        in_time(news.result().seconds, 2, told="the news")
    assert same.status == 304


def test_a_new_policy_wakes_who_waits_for_the_status(hub):
    tag = hub.get("/v1/status").headers["etag"]
    hub.put(signed(1))

    assert waiting(hub, tag, 20).json["policy"]["version"] == 1


def test_a_gateway_that_falls_silent_is_noticed_by_who_waits(hub):
    heard = time.monotonic()
    hub.post("/v1/status", report())
    tag = hub.get("/v1/status").headers["etag"]
    answer = waiting(hub, tag, 25)

    assert answer.json["gateways"]["gateway-1"]["live"] is False
    assert time.monotonic() - heard >= LIVE_SECONDS
    in_time(answer.seconds, LIVE_SECONDS + 1.5, told="to notice the silence")


def test_a_gateway_that_fell_silent_is_not_forgotten_by_a_restart(hub):
    hub.post("/v1/status", report())
    hub.end(signal.SIGKILL)
    hub.start()

    assert hub.get("/v1/status").json["gateways"]["gateway-1"]["live"] is False


def test_traffic_is_read_in_order_page_by_page(hub):
    hand_in(hub, 3)
    hand_in(hub, 2, start=3)
    first = traffic(hub, limit=4)
    second = traffic(hub, first["cursor"])
    third = traffic(hub, second["cursor"])

    assert [record["tokens_in"] for record in first["records"]] == [0, 1, 2, 3]
    assert [record["tokens_in"] for record in second["records"]] == [4]
    assert (third["records"], third["cursor"]) == ([], second["cursor"])
    assert {page["lost"] for page in (first, second, third)} == {0}


def test_a_cursor_survives_a_killed_hub_and_half_a_line(hub):
    hand_in(hub, 3)
    cursor = traffic(hub, limit=2)["cursor"]
    hub.end(signal.SIGKILL)
    [segment] = (hub.state / "traffic").iterdir()
    with segment.open("ab") as file:
        file.write(b'{"at":"2026')
    hub.start()
    hand_in(hub, 1, user="bob")
    page = traffic(hub, cursor)

    assert [record["user"] for record in page["records"]] == ["alice", "bob"]
    assert traffic(hub, page["cursor"])["records"] == []


def test_a_reader_who_comes_too_late_is_told_how_much_is_lost(hub):
    for batch in range(4):
        hand_in(hub, 5000, start=5000 * batch)
    page = traffic(hub, limit=10_000)

    assert page["lost"] > 0
    assert page["records"][0]["tokens_in"] == page["lost"]
    assert page["lost"] + len(page["records"]) == int(page["cursor"])
    assert sum(1 for _ in (hub.state / "traffic").iterdir()) <= 3


def test_batches_handed_in_at_once_are_all_kept(hub):
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda number: hand_in(hub, 10, start=10 * number).status, range(16)))
    numbers = sorted(record["tokens_in"] for record in traffic(hub)["records"])

    assert statuses == {204}
    assert numbers == list(range(160))


@pytest.mark.parametrize("query", ["after=x", "limit=-1", "after=1&limit=y"])
def test_a_bad_cursor_or_limit_is_refused(hub, query):
    assert hub.get(f"/v1/traffic?{query}").json["code"] == "bad_query"


def batch(*found):
    return {"gateway": "gateway-1", "records": found}


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"status": 1000}, "status", "<= 999"),
        ({"weight": 1_000_001}, "weight", "<= 1000000"),
        ({"seq": -1}, "seq", ">= 0"),
        ({"policy": 2**53}, "policy", "<= 9007199254740991"),
        ({"log": "two words"}, "log", "^[!-~]*$"),
        ({"gateway": "g" * 201}, "gateway", "<= 200"),
        ({"at": "2026-01-02T03:04:05"}, "at", "timezone"),
        ({"tools": [1]}, "tools[0]", "Expected `str`"),
        ({"prompt": "a secret"}, "prompt", "unknown field"),
    ],
)
def test_a_record_that_is_out_of_bounds_holds_up_no_other(hub, wrong, field, said):
    good = records(2)
    answer = hub.post("/v1/traffic", batch(good[0], {**good[0], **wrong}, good[1]))

    assert (answer.status, answer.json["taken"], answer.json["left_out"]) == (200, 2, 1)
    [example] = answer.json["examples"]
    assert (example["place"], example["field"]) == (1, field)
    assert said in example["reason"]
    assert "secret" not in answer.raw.decode()
    assert [record["tokens_in"] for record in traffic(hub)["records"]] == [0, 1]


def test_bytes_that_are_no_text_in_one_record_hold_up_no_other(hub):
    raw = json.dumps(batch(*records(3))).encode().replace(b'"alice"', b'"al\xffce"', 1)
    answer = hub.post("/v1/traffic", raw)

    assert (answer.status, answer.json["taken"], answer.json["left_out"]) == (200, 2, 1)
    assert len(traffic(hub)["records"]) == 2


def test_of_many_that_are_left_out_the_first_few_are_shown_and_all_are_counted(hub):
    bad = [{**record, "status": -1} for record in records(50)]
    answer = hub.post("/v1/traffic", batch(*bad))

    assert (answer.status, answer.json["taken"], answer.json["left_out"]) == (200, 0, 50)
    assert [example["place"] for example in answer.json["examples"]] == [0, 1, 2, 3, 4]
    assert traffic(hub)["records"] == []
    assert '"left_out": 50' in hub.log.read_text()


@pytest.mark.parametrize("changes", [{}, {"status": -1}])
def test_a_batch_has_a_most_that_it_may_hold(hub, changes):
    raw = [json.dumps(record | changes).encode() for record in records(5001)]
    answer = hub.post("/v1/traffic", _in_one(raw))

    assert (answer.status, answer.json["code"]) == (422, "bad_traffic")
    assert "at most length 5000" in answer.json["detail"]
    assert traffic(hub)["records"] == []
    assert hub.post("/v1/traffic", _in_one(raw[:5000])).status == (200 if changes else 204)


@pytest.mark.parametrize("record", [b"0", b"{}"])
def test_a_batch_of_millions_of_records_that_are_none_costs_the_hub_no_memory(hub, record):
    before = _most_memory(hub)
    answer = hub.post("/v1/traffic", _in_one([record] * (15_900_000 // (len(record) + 1))))

    assert (answer.status, answer.json["code"]) == (422, "bad_traffic")
    assert _most_memory(hub) - before < 120_000


def _in_one(raw):
    return b'{"gateway": "gateway-1", "records": [' + b",".join(raw) + b"]}"


def _most_memory(hub):
    return int(Path(f"/proc/{hub.process.pid}/status").read_text().partition("VmHWM:")[2].split()[0])  # kB


@pytest.mark.parametrize(
    "body",
    [
        b"nope",
        b"\xff",
        {"gateway": "gateway-1"},
        {"gateway": "gateway-1", "records": {}},
        {"gateway": "g" * 201, "records": []},
        {"gateway": "gateway-1", "records": [], "surprise": 1},
        b'{"gateway": "gateway-1", "records": [' + b"[" * 100_000,
    ],
)
def test_what_is_no_batch_at_all_is_refused_whole(hub, body):
    answer = hub.post("/v1/traffic", body)

    assert (answer.status, answer.json["code"]) == (422, "bad_traffic")
    assert traffic(hub)["records"] == []


def test_a_full_disk_refuses_traffic_and_breaks_nothing(hub):
    hand_in(hub, 1)
    [segment] = (hub.state / "traffic").iterdir()
    kept = json.loads(segment.read_bytes())
    with in_the_way(segment):
        assert hand_in(hub, 1).status == 503
    hand_in(hub, 1, user="bob")

    assert [record["user"] for record in traffic(hub)["records"]] == [kept["user"], "bob"]
