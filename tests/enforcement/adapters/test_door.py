"""The door without LiteLLM's server: before the first policy, after a restart, and with bad settings."""

import asyncio
import json
import subprocess
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from enforcement import policy
from enforcement.adapters.litellm import keeping
from enforcement.adapters.litellm.counting import Counting
from enforcement.adapters.litellm.keeping import Keeper
from enforcement.adapters.litellm.ruling import RefusedError
from enforcement.adapters.litellm.settings import SettingsError, from_environment
from enforcement.adapters.litellm.telling import Ledger
from enforcement.agent.state import State
from enforcement.decide import Attributes
from tests.enforcement.adapters.proxy import LITELLM, ROOT, correction, signed
from tests.enforcement.hub_process import KEY

ALICE = correction(1, policy.Block(), users=policy.Users(users=("alice",)))
ASKED = Attributes(
    user="",
    organisation="acme",
    key="",
    application="",
    use_case="",
    endpoint="chat.completions",
    model="m",
)
ASK = """
import asyncio, json, os
from litellm.proxy._types import UserAPIKeyAuth
from enforcement.adapters.litellm.callback import Door, RefusalException
from enforcement.adapters.litellm.settings import from_environment

door = Door(from_environment(os.environ))
found = []
for call in ("acompletion", "image_generation", "rerank"):
    data = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    try:
        asyncio.run(door.async_pre_call_hook(UserAPIKeyAuth(user_id="bob"), None, data, call))
        found.append("served")
    except RefusalException as refused:
        found.append(refused.to_dict()["code"])
print(json.dumps(found))
"""


@pytest.fixture
def environment(tmp_path):
    public = b64encode(KEY.public_key().public_bytes_raw()).decode()
    (tmp_path / "keys.json").write_text(json.dumps({"test": public}))
    (tmp_path / "token").write_text("token")
    (tmp_path / "state").mkdir()
    return {
        "IRAPP_STATE_DIR": str(tmp_path / "state"),
        "IRAPP_GATEWAY": "gateway-1",
        "IRAPP_HUB_URLS": "http://127.0.0.1:1",
        "IRAPP_TOKEN_FILE": str(tmp_path / "token"),
        "IRAPP_KEYS_FILE": str(tmp_path / "keys.json"),
    }


def keeping_law(environment, prove=lambda _law: {}):
    settings, ledger = from_environment(environment), Ledger("gateway-1")
    return Keeper(settings, prove, ledger, counting=Counting(), version="test")


@pytest.fixture
def law(environment):
    """Begin with what is on disk; give the law that holds then."""
    return lambda: keeping_law(environment).law


def test_a_failure_nobody_foresaw_does_not_end_the_keeping_of_the_law(environment, monkeypatch):
    failures = iter([LookupError("unforeseen"), SystemExit])

    def prove(_law):
        raise next(failures)

    monkeypatch.setattr(keeping, "AGAIN_SECONDS", 0.05)
    (Path(environment["IRAPP_STATE_DIR"]) / "policy.json").write_bytes(signed(3, ALICE))
    keeper = Keeper(
        from_environment(environment), prove, Ledger("gateway-1"), counting=Counting(), version="test"
    )

    with pytest.raises(SystemExit):  # the second time: the first did not end it
        keeper._keep()


ODD = (RecursionError("deep"), UnicodeDecodeError("utf-8", b"", 0, 1, "odd"))


@pytest.mark.parametrize("error", ODD, ids=repr)
def test_a_policy_that_cannot_even_be_read_is_settled(environment, error):
    async def scenario():
        keeper = Keeper(
            from_environment(environment),
            lambda _law: {},
            Ledger("gateway-1"),
            counting=Counting(),
            version="test",
        )
        keeper._state = State("gateway-1")
        keeper._store.verified = Mock(side_effect=error)
        assert await keeper._take(b"{}")
        return keeper._state.report().problems

    assert [each.code for each in asyncio.run(scenario())] == ["policy_refused"]


def test_a_policy_is_saved_only_when_what_it_names_is_on_the_disk(environment):
    keeper, told = keeping_law(environment), Mock()
    told.complete = AsyncMock(return_value=True)
    keeper._state, keeper._fetcher = State("gateway-1"), told
    keeper._attachments.settle, keeper._store.save = told.settle, told.save

    assert asyncio.run(keeper._take(signed(3, ALICE)))

    assert [name for name, *_ in told.mock_calls] == ["complete", "settle", "save"]


def test_a_policy_whose_attachments_do_not_get_to_the_disk_is_asked_for_again(environment):
    keeper = keeping_law(environment)
    keeper._state = State("gateway-1")
    keeper._fetcher = Mock(complete=AsyncMock(return_value=True))
    keeper._attachments.settle = Mock(side_effect=OSError(28, "No space left on device"))

    assert not asyncio.run(keeper._take(signed(3, ALICE)))

    assert [each.code for each in keeper._state.report().problems] == ["disk"]
    assert keeper.law is None


def test_a_policy_that_another_hub_outran_does_not_come_into_force(environment):
    keeper = keeping_law(environment)
    keeper._state = State("gateway-1")

    async def outrun(*_):
        keeper._fetcher = Mock(complete=AsyncMock(return_value=True))
        return await keeper._take(signed(4, ALICE))

    keeper._fetcher = Mock(complete=outrun)

    assert asyncio.run(keeper._take(signed(3)))

    assert (keeper.law.signed.version, keeper._store.current.version) == (4, 4)


def refused(law, user):
    asked = replace(ASKED, user=user)
    try:
        law.rule(asked, now=datetime.now(UTC))
    except RefusedError as error:
        return error.correction
    return ""


def test_without_any_policy_the_door_is_closed_and_only_what_is_opened_passes(environment):
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: make litellm")
    more = {
        "PYTHONPATH": str(ROOT),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "IRAPP_UNGUARDED_CALLS": "rerank",
    }
    done = subprocess.run(
        [LITELLM.with_name("python"), "-c", ASK],
        env=environment | more | {"IRAPP_UNGUARDED_CALLS": "rerank, search"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout.splitlines()[-1]) == ["gateway_closed", "endpoint_not_served", "served"]


PUT = (
    ASK[: ASK.index("for call")]
    + """
for sent in json.loads(os.environ["SENT"]):
    data = {**sent["body"], "proxy_server_request": sent}
    try:
        asyncio.run(door.async_pre_call_hook(UserAPIKeyAuth(user_id="bob"), None, data, "acompletion"))
        found.append("served")
    except RefusalException as refused:
        found.append(refused.to_dict()["code"])
print(json.dumps(found))
"""
)


@pytest.fixture
def put(environment, tmp_path):
    """Put requests to a door whose policy caps the input; give what became of each."""
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: make litellm")
    (tmp_path / "state" / "policy.json").write_bytes(signed(3, correction(1, policy.InputCap(max_bytes=99))))

    def run(*sent):
        more = {"PYTHONPATH": str(ROOT), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "SENT": json.dumps(sent)}
        command = [LITELLM.with_name("python"), "-c", PUT]
        done = subprocess.run(command, env=environment | more, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    return run


def request(text="x", *, headers=None, **more):
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **more}
    return {"headers": {"content-length": "60"} if headers is None else headers, "body": body}


def test_what_would_change_a_request_behind_the_door_is_refused(put):
    names = ("extra_body", "additional_drop_params", "drop_params", "allowed_openai_params", "prompt_id",
             "prompt_variables")  # fmt: skip

    found = put(request(), *(request(**{name: {"tools": []}}) for name in names))

    assert found == ["served", *["invalid_request"] * len(names)]


def test_names_that_differ_by_case_only_are_refused_where_they_decide(put):
    tool, message = {"type": "function", "Name": "shell"}, {"role": "user", "Content": "x"}

    odd = ({"Model": "m"}, {"\u017ftream": True}, {"to\u006fls": [], "TOOLS": []}, {"Messages": []},
           {"tools": [tool]}, {"messages": [message]}, {"N": 2})  # fmt: skip
    plain = ({"Metadata": {"Model": "x"}}, {"tools": [{"type": "function", "function": {"name": "f"}}]})
    found = put(*(request("", **more) for more in (*odd, *plain)))

    assert found == [*["invalid_json"] * len(odd), *["served"] * len(plain)]


def test_a_length_beside_a_body_in_chunks_is_not_believed(put):
    both = {"content-length": "1", "Transfer-Encoding": "chunked"}

    found = put(request(headers=both), request("x" * 200, headers=both), request("x" * 200, headers={}))

    assert found == ["served", "input_restricted", "input_restricted"]


def test_with_nothing_on_disk_there_is_no_law(law):
    assert law() is None


def test_with_the_hub_away_the_last_good_policy_holds_from_the_disk(law, tmp_path):
    (tmp_path / "state" / "policy.json").write_bytes(signed(3, ALICE))

    assert [refused(law(), user) for user in ("alice", "bob")] == ["COR-0001.1", ""]


@pytest.mark.parametrize("damage", [b"", b"{", signed(4).replace(b"4", b"5")])
def test_a_damaged_policy_gives_way_to_the_one_before(law, tmp_path, damage):
    (tmp_path / "state" / "policy.json").write_bytes(damage)
    (tmp_path / "state" / "policy.previous.json").write_bytes(signed(3, ALICE))

    assert refused(law(), "alice") == "COR-0001.1"


def test_a_policy_whose_list_is_lost_gives_way_to_the_one_before(law, tmp_path):
    lists = (policy.SubjectList(of="user", attachment="sha256:" + "1" * 64, count=1),)
    lost = correction(1, policy.Block(), users=policy.Users(lists=lists))
    (tmp_path / "state" / "policy.json").write_bytes(signed(4, lost))
    (tmp_path / "state" / "policy.previous.json").write_bytes(signed(3, ALICE))

    assert refused(law(), "alice") == "COR-0001.1"


@pytest.mark.parametrize("name", ["IRAPP_STATE_DIR", "IRAPP_GATEWAY", "IRAPP_HUB_URLS", "IRAPP_KEYS_FILE"])
def test_a_missing_setting_is_named(environment, name):
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        from_environment(environment | {name: " "})


def test_a_file_that_is_none_is_named(environment, tmp_path):
    with pytest.raises(SettingsError, match=r"IRAPP_TOKEN_FILE: .*No such file"):
        from_environment(environment | {"IRAPP_TOKEN_FILE": str(tmp_path / "nowhere")})
    (tmp_path / "keys.json").write_text("[]")
    with pytest.raises(SettingsError, match="IRAPP_KEYS_FILE: "):
        from_environment(environment)
