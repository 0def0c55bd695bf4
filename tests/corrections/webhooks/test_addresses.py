"""Nobody reaches the inside of the network through a webhook."""

import socket
from ipaddress import ip_address

import pytest

from corrections.webhooks import addresses, sending
from irapp.common.errors import InvalidError

PRIVATE = [
    *("10.0.0.5", "172.16.3.4", "192.168.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1"),  # noqa: S104
    *("::1", "::", "fc00::1", "fd12::3", "::ffff:10.0.0.5", "64:ff9b::a00:5", "2002:a00:5::1", "ff02::1"),
]
NEVER = [
    *("169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"),
]


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses_are_sent_to(settings, address):
    settings.WEBHOOK_ALLOWED_NETWORKS = []

    assert addresses.why_not(ip_address(address), "https") == ""


@pytest.mark.parametrize("address", [*PRIVATE, "127.0.0.1", "127.9.9.9"])
def test_private_addresses_are_not_sent_to_unless_they_are_named(settings, address):
    settings.WEBHOOK_ALLOWED_NETWORKS = []

    assert "WEBHOOK_ALLOWED_NETWORKS" in addresses.why_not(ip_address(address), "https")


def test_a_named_network_is_sent_to_and_its_neighbour_is_not(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["10.1.0.0/16"]

    assert addresses.why_not(ip_address("10.1.2.3"), "https") == ""
    assert addresses.why_not(ip_address("::ffff:10.1.2.3"), "https") == ""
    assert addresses.why_not(ip_address("10.2.0.1"), "https") != ""


@pytest.mark.parametrize("address", NEVER)
def test_metadata_services_are_never_sent_to_whatever_is_named(settings, address):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["0.0.0.0/0", "::/0"]

    assert "never" in addresses.why_not(ip_address(address), "https")


def test_plain_http_stays_on_the_loopback(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["0.0.0.0/0"]

    assert addresses.why_not(ip_address("127.0.0.1"), "http") == ""
    assert "loopback" in addresses.why_not(ip_address("93.184.216.34"), "http")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "begins with https://"),
        ("gateway.example.org", "begins with https://"),
        ("ftp://gateway.example.org", "begins with https://"),
        ("https://", "begins with https://"),
        ("http://gateway.example.org", "loopback only"),
        ("http://10.0.0.1/", "loopback only"),
        ("https://me:pw@gateway.example.org/", "no user name"),
        ("https://gateway.example.org/#part", "no fragment"),
        ("https://gateway.example.org:99999/", "not an address"),
        ("https://[::1/", "not an address"),
        ("https://gateway.example.org/a b", "without spaces"),
        ("https://gäteway.example.org/", "plain ASCII"),
        ("https://gateway.example.org/" + "x" * 500, "at most 500"),
        ("https://gateway.example.org/\r\nX-Evil: 1", "without spaces"),
    ],
)
def test_what_is_no_address_is_refused_by_the_field(url, words):
    with pytest.raises(InvalidError) as refused:
        addresses.parse(url)

    assert refused.value.field == "url"
    assert words in str(refused.value)


def test_an_address_is_taken_apart_with_its_port_and_query():
    target = addresses.parse("https://gateway.example.org:8443/hook?tenant=1")

    assert target == addresses.Target("https", "gateway.example.org", 8443, "/hook?tenant=1")
    assert target.host_header == "gateway.example.org:8443"
    assert addresses.parse("https://[2606:2800::1]/").host_header == "[2606:2800::1]"


def resolving(monkeypatch, *found):
    """Let the one name lead to these addresses, one after another; others lead where they do."""
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443))] for each in found]
    real = socket.getaddrinfo

    def answer(host, *more, **named):
        return answers.pop(0) if host == "gateway.example.org" else real(host, *more, **named)

    monkeypatch.setattr("corrections.webhooks.addresses.socket.getaddrinfo", answer)
    return answers


def test_a_name_that_leads_inside_is_not_sent_to(monkeypatch):
    resolving(monkeypatch, "10.0.0.5")

    with pytest.raises(sending.SendError, match=r"gateway\.example\.org is 10\.0\.0\.5: private"):
        sending.post("https://gateway.example.org/", b"{}", {})


def test_one_address_inside_is_enough_to_refuse_the_name(monkeypatch):
    both = [(socket.AF_INET, 1, 6, "", ("93.184.216.34", 443)), (socket.AF_INET, 1, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr("corrections.webhooks.addresses.socket.getaddrinfo", lambda *_a, **_n: both)

    with pytest.raises(addresses.AddressError, match="private"):
        addresses.resolve(addresses.parse("https://gateway.example.org/"))


def test_a_name_is_looked_up_once_so_that_it_cannot_lead_elsewhere_afterwards(monkeypatch, settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    left = resolving(monkeypatch, "127.0.0.1", "10.0.0.5")

    with pytest.raises(sending.SendError, match="does not answer"):
        sending.post("https://gateway.example.org:1/", b"{}", {})

    assert len(left) == 1


def test_a_host_that_cannot_be_found_is_told(monkeypatch):
    def lost(*_args, **_named):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("corrections.webhooks.addresses.socket.getaddrinfo", lost)

    with pytest.raises(sending.SendError, match="cannot be found"):
        sending.post("https://gateway.example.org/", b"{}", {})
