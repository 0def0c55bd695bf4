"""Signatures, secrets, and certificates."""

import datetime as dt
import ipaddress
import json
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from corrections.webhooks import actions, delivery, messages, sealing, sending
from corrections.webhooks.models import Delivery, Secret
from irapp.audit.models import Event, OutboxItem
from tests.corrections.webhooks.receiver import Receiver, serving


def test_the_library_verifies_what_we_sign_and_nothing_else():
    secret, now = sealing.new_secret(), timezone.now()
    headers = messages.headers("msg_1", b'{"a":1}', secrets=[secret], now=now)

    assert Webhook(secret).verify(b'{"a":1}', headers) == {"a": 1}
    for body, changed in [
        (b'{"a":2}', {}),
        (b'{"a":1}', {"webhook-id": "msg_2"}),
        (b'{"a":1}', {"webhook-timestamp": str(int(now.timestamp()) + 1)}),
    ]:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(sealing.new_secret()).verify(b'{"a":1}', headers)


def test_secrets_are_long_sealed_and_unsealed_also_after_the_key_was_changed(settings):
    secret = sealing.new_secret()
    sealed = sealing.seal(secret)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-the-application-0123456789"

    assert sealing.unseal(sealed) == secret
    assert secret not in sealed
    assert len(secret) > 40
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(sealing.SealError, match="rotate"):
        sealing.unseal(sealed)


@pytest.mark.django_db
def test_a_secret_is_nowhere_but_sealed(add, receiver, deliver, admin):
    endpoint = add()
    actions.rotate_secret(endpoint_id=endpoint.pk, overlap_hours=24, by=admin)
    delivery.ask(endpoint, quietly=False)

    kept = [
        *Event.objects.values_list("data", flat=True),
        *OutboxItem.objects.values_list("payload", flat=True),
    ]
    kept += [
        *Delivery.objects.values_list("error", flat=True),
        *Secret.objects.values_list("sealed", flat=True),
    ]

    assert receiver.secret not in json.dumps(kept)
    assert receiver.secret.removeprefix("whsec_") not in json.dumps(kept)


@pytest.mark.django_db
def test_while_a_secret_is_rotated_both_the_old_and_the_new_one_verify(add, receiver, admin, clock):
    endpoint = add()
    old = receiver.secret
    new = actions.rotate_secret(endpoint_id=endpoint.pk, overlap_hours=1, by=admin).secret

    for secret in (old, new):
        receiver.secret = secret
        assert delivery.ask(endpoint, quietly=False).error == ""
    clock.shift(3601)
    receiver.secret = old
    assert "401" in delivery.ask(endpoint, quietly=False).error
    receiver.secret = new
    assert delivery.ask(endpoint, quietly=False).error == ""


@pytest.mark.django_db
def test_a_secret_that_others_have_seen_ends_at_once(add, receiver, admin):
    endpoint = add()
    actions.rotate_secret(endpoint_id=endpoint.pk, overlap_hours=24, by=admin)
    actions.rotate_secret(endpoint_id=endpoint.pk, overlap_hours=0, by=admin)

    assert "401" in delivery.ask(endpoint, quietly=False).error
    assert Secret.objects.filter(endpoint=endpoint).current(now=timezone.now()).count() == 1


@pytest.mark.django_db
def test_an_endpoint_whose_secret_cannot_be_unsealed_says_what_to_do(add, settings):
    endpoint = add()
    settings.SECRET_KEY = "another-key-of-the-application-0123456789"

    assert "rotate the secret" in delivery.ask(endpoint, quietly=False).error


def certificate(folder, *, address):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_trusted_certificate_of_the_host_is_accepted(tmp_path, settings):
    context = certificate(tmp_path, address="127.0.0.1")
    settings.WEBHOOK_CA_FILE = str(tmp_path / "cert.pem")
    receiver = Receiver({})
    receiver.answers = [(200, {"version": None, "digest": ""})]

    with serving(receiver, context=context) as running:
        assert sending.post(running.url, b"{}", {}).status == 200


@pytest.mark.parametrize(("address", "trusted"), [("127.0.0.2", True), ("127.0.0.1", False)])
def test_a_certificate_of_another_host_or_of_nobody_known_is_refused(tmp_path, settings, address, trusted):
    context = certificate(tmp_path, address=address)
    settings.WEBHOOK_CA_FILE = str(tmp_path / "cert.pem") if trusted else ""
    receiver = Receiver({})

    with (
        serving(receiver, context=context) as running,
        pytest.raises(sending.SendError, match=r"certificate|match"),
    ):
        sending.post(running.url, b"{}", {})
    assert receiver.seen == []
