"""What models say beside their answers: it is no other caller's, and leads nowhere."""

from __future__ import annotations


def test_no_cookie_of_the_model_goes_along_with_the_request_of_another(gate, upstream):
    cookie = {"metadata": {"headers": {"set-cookie": "session=alice; Path=/"}}}
    assert gate.ask({"model": "named", **gate.said("-"), **cookie}).headers["set-cookie"]

    gate.ask({"model": "named", **gate.said("-")}, x_irapp_user="bob")

    assert [each["headers"].get("Cookie") for each in upstream.requests] == [None, None]


def test_a_model_that_points_elsewhere_is_not_followed(gate, upstream):
    elsewhere = {"metadata": {"status": 307, "headers": {"location": "/elsewhere"}}}

    assert gate.ask({**gate.said("-"), **elsewhere}).status == 307
    assert [each["path"] for each in upstream.requests] == ["/v1/chat/completions"]
