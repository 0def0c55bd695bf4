"""Alarms, the picture and the chart in Chromium: readable by everybody, at any width."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from corrections.models import Alarm
from corrections.publishing import alarms, hubs, traffic
from tests.corrections import gateways
from tests.corrections.factories import make_commander, make_correction
from tests.corrections.pages import url
from tests.corrections.test_pages_browser import SIZES, insist_on_access, opened
from tests.corrections.truth.said import refused, said

__all__ = ["opened"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def trouble():
    """A dry run that met requests, a block that lets some through, a gateway that does not do its work."""
    dry = make_correction(mode="shadow")
    block = make_correction(users={"users": ["alice"]})
    gateways.show("gateway-2", wrong=[block.policy_id])
    later = timezone.now() + timedelta(seconds=4)
    hubs.note_policy("http://hub.example", None, now=later)
    gateways.show("gateway-2", wrong=[block.policy_id], now=later)
    gateways.show("gateway-1", now=later)
    traffic.take_in(
        [
            *[said(shadow=(dry.policy_id,), user=f"user-{n}", ago=60 * n) for n in range(20)],
            *[refused(block, ago=60 * n) for n in range(9)],
            said(policy=2, at=later),
        ],
        now=later,
    )
    alarms.settle(now=later)
    return dry, block


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(opened, trouble, size, scheme):
    dry, block = trouble
    width, height = SIZES[size]
    alarm = Alarm.objects.filter(kind="ALLOWED").get()
    pages = ["/corrections/gateways/", "/corrections/alarms/", alarm.get_absolute_url(), url("detail", dry)]

    for path in [*pages, url("detail", block)]:
        page = opened(
            make_commander(), path, viewport={"width": width, "height": height}, color_scheme=scheme
        )
        expect(page.locator("#alarms .alarm-line").first).to_be_visible()
        insist_on_access(page)


def test_the_chart_draws_what_was_counted(opened, trouble):
    dry, _ = trouble

    page = opened(
        make_commander(), url("detail", dry) + "?window=hour", viewport={"width": 360, "height": 800}
    )

    bars = page.locator(".plot-bars rect.bar-shadow")
    assert bars.count() >= 19
    boxes = [bars.nth(place).bounding_box() for place in range(3)]
    assert all(box["height"] > 10 and box["width"] > 1 for box in boxes)
    page.get_by_text("The same as a table").click()
    expect(page.locator("#log table tbody tr").first).to_be_visible()


def test_an_alarm_is_looked_after_in_two_clicks(opened, trouble):
    person = make_commander()
    page = opened(person, "/")

    page.locator("#alarms a").first.click()
    page.get_by_role("button", name="I look after it").click()

    expect(page.locator("#seen")).to_contain_text(str(person))
    expect(page.locator("#alarms")).to_contain_text(f"{person} looks after it")
