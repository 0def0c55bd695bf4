import io
import json
import logging

import pytest
import structlog

from irapp.accounts.models import RoleCode
from irapp.common import logs
from tests.irapp.factories import make_user


@pytest.fixture
def lines():
    """What a process would write, as parsed lines."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    configured = logs.configuration("INFO")["formatters"]["line"]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=configured["processors"], foreign_pre_chain=configured["foreign_pre_chain"]
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)


def test_our_logs_and_those_of_libraries_have_one_form(lines):
    structlog.get_logger("irapp.outbox").info("outbox.delivered", item=7)
    logging.getLogger("kombu").warning("connection to %s lost", "broker")

    ours, theirs = lines()

    assert (ours["event"], ours["item"], ours["level"], ours["logger"]) == (
        *("outbox.delivered", 7, "info"),
        "irapp.outbox",
    )
    assert (theirs["event"], theirs["level"]) == ("connection to broker lost", "warning")
    assert ours["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("password", "hunter2", "[removed]"),
        ("enforcement_token", "abc", "[removed]"),
        ("Authorization", "Bearer abc", "[removed]"),
        ("error", "redis://:hunter2@broker:6379 refused", "redis://[removed]broker:6379 refused"),
        ("error", "sent Bearer abcdef", "sent Bearer[removed]"),
        ("error", "key sk-abcdefgh123 unknown", "key [removed] unknown"),
        ("key", "COR-0012.1", "COR-0012.1"),
    ],
)
def test_secrets_do_not_reach_the_log(lines, name, value, kept):
    structlog.get_logger("irapp").info("something", **{name: value})

    assert lines()[0][name] == kept


def test_an_exception_is_one_line_with_its_trace(lines):
    try:
        raise ZeroDivisionError("why")
    except ZeroDivisionError:
        logging.getLogger("x").exception("broken")

    (line,) = lines()

    assert "ZeroDivisionError: why" in line["exception"]


@pytest.mark.django_db
def test_each_request_is_a_line_with_its_route_and_outcome_but_never_its_path(client, lines):
    user = make_user(RoleCode.RESPONDER)
    client.force_login(user)

    response = client.get("/incidents/4711/?q=secret")

    line = next(one for one in lines() if one["event"] == "http.request")
    assert line["request_id"] == response["X-Request-Id"]
    assert (line["route"], line["record"], line["status"]) == ("incidents/<int:pk>/", 4711, 404)
    assert line["account"] == str(user.pk)
    assert "secret" not in json.dumps(line)
