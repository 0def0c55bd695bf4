import json
import stat
import subprocess
import sys
from base64 import b64decode
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.embedded import ports
from deploy.embedded.errors import StartError
from deploy.embedded.process import ROOT
from deploy.embedded.settings import compose
from deploy.embedded.state import KEY_ID, State
from enforcement import policy


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state")
    state.prepare()
    return state


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_the_state_or_its_secrets(state):
    secrets = list((state.folder / "secrets").iterdir())

    assert mode(state.folder) == mode(state.folder / "secrets") == 0o700
    assert {mode(path) for path in secrets} == {0o600}
    assert len(secrets) == 6


def test_the_agents_token_is_bound_to_its_gateway(state):
    token = state.secret("agent-token").read_text()

    assert state.secret("agent-tokens").read_text() == f"gateway-1 {token}\n"


def test_the_secrets_stay_the_same_and_differ_from_each_other(state):
    before = [path.read_text() for path in sorted((state.folder / "secrets").iterdir())]
    state.prepare()

    assert [path.read_text() for path in sorted((state.folder / "secrets").iterdir())] == before
    assert len(set(before)) == len(before)


def test_the_key_pair_signs_policies_that_verify(state):
    private = load_pem_private_key(state.secret("policy-signing-key.pem").read_bytes(), None)
    public = json.loads(state.secret("policy-keys.json").read_text())[KEY_ID]
    raw = policy.encode(policy.sign(policy.Content(), version=1, key=private, key_id=KEY_ID))

    keys = {KEY_ID: Ed25519PublicKey.from_public_bytes(b64decode(public))}
    assert policy.verify(raw, keys=keys).version == 1


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StartError, match="IRAPP_STATE_DIR"):
        State(tmp_path).prepare()
    State(tmp_path).remove()

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_second_user_of_the_folder_is_told_who_has_it(state):
    place = repr(str(state.folder))
    code = f"import pathlib; from deploy.embedded.state import State; State(pathlib.Path({place})).lock()"
    run = partial(
        subprocess.run, [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    state.lock()
    second = run()
    state.unlock()
    third = run()

    assert "is running already (process " in second.stderr
    assert third.returncode == 0


def test_what_the_operator_set_is_kept_and_the_rest_is_filled_in(state):
    environment = {"SECRET_KEY": "mine", "ENFORCEMENT_URLS": "https://hub.example"}
    composed = compose(environment, state=state, ports=ports.Ports(web=1234))

    assert (composed["SECRET_KEY"], composed["ENFORCEMENT_URLS"]) == ("mine", "https://hub.example")
    assert "SECRET_KEY_FILE" not in composed
    assert composed["PUBLIC_URL"] == "http://localhost:1234"
    assert composed["ENFORCEMENT_TOKEN_FILE"] == str(state.secret("control-token"))


def test_a_taken_port_is_named_with_the_variable_that_moves_it():
    chosen = ports.all_free()
    ports.check(chosen, ["web", "hub"])
    with ports.socket.socket() as taken:
        taken.bind((ports.LOOPBACK, chosen.hub))
        taken.listen()
        with pytest.raises(StartError, match=rf"{chosen.hub} \(IRAPP_HUB_PORT\)") as refused:
            ports.check(chosen, ["web", "hub"])

    assert "IRAPP_WEB_PORT" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused(text):
    with pytest.raises(StartError, match="IRAPP_ENVOY_ADMIN_PORT"):
        ports.from_environment({"IRAPP_ENVOY_ADMIN_PORT": text})


def test_ports_come_from_the_environment():
    assert ports.from_environment({"IRAPP_WEB_PORT": "9000", "IRAPP_HUB_PORT": ""}) == ports.Ports(web=9000)
