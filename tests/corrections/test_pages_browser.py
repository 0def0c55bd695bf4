"""The pages in Chromium, under the real Content-Security-Policy, with htmx and without scripts."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import expect

from corrections.models import Correction
from corrections.states import State
from tests.corrections import factories, gateways
from tests.corrections.pages import create_url, url
from tests.incidents.factories import make_commander, make_incident, make_model
from tests.looking import violations
from tests.patience import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1280, 900), "phone": (360, 740)}


@pytest.fixture
def opened(browser, live_server):
    """Open a page as somebody and, at the end, insist that nothing broke the policy or threw."""
    complaints, contexts = [], []

    def open_page(user, path, **options):
        visitor = Client()
        visitor.force_login(user)
        contexts.append(browser.new_context(reduced_motion="reduce", **options))
        cookie = visitor.cookies[settings.SESSION_COOKIE_NAME].value
        contexts[-1].add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if "Security" in line.text else None)
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    wait_for(nobody_asks, told="what pages had asked for last")  # their tables are emptied next
    assert complaints == []


def nobody_asks():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return cursor.fetchone() == (0,)


def insist_on_access(page):
    assert violations(page) == ""
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, "the page is wider than the screen"


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_axe_finds_nothing_on_any_page(opened, scheme, size):
    by, officer = make_commander(), factories.make_officer()
    active = factories.make_correction(
        users={"users": ["alice"]}, functionality={"models": [make_model().name]}
    )
    proposal = factories.make_proposal(terms=factories.make_shutdown(), by=by)
    gateways.show("gateway-2", wrong=[active.policy_id])
    page = opened(
        officer,
        "/corrections/",
        color_scheme=scheme,
        viewport=dict(zip(("width", "height"), SIZES[size], strict=True)),
    )

    for path in ("/corrections/", "/corrections/gateways/", url("detail", active), url("proposal", proposal)):
        page.goto(re.sub(r"(?<=\d)/.*", path, page.url))
        insist_on_access(page)
    page.get_by_role("button", name="Review my decision").click()
    expect(page.locator(".error-summary")).to_be_focused()
    insist_on_access(page)
    page.get_by_label("Approve").check()
    page.get_by_label("Reason").fill("Proportionate.")
    page.get_by_role("button", name="Review my decision").click()
    page.wait_for_url(re.compile("/review/$"))
    insist_on_access(page)

    writing = opened(by, create_url(proposal.correction.package.incident), color_scheme=scheme)
    insist_on_access(writing)
    writing.goto(writing.url.split("/corrections")[0] + url("lift", active))
    insist_on_access(writing)


def test_choosing_another_kind_asks_for_its_fields_and_keeps_the_rest(opened):
    page = opened(make_commander(), create_url(make_incident()))
    page.locator("#id_users").fill("alice")

    page.get_by_label("Limit requests per window").check()

    expect(page.locator("#id_requests")).to_be_visible()
    expect(page.locator("#id_users")).to_have_value("alice")
    expect(page.get_by_label("Limit requests per window")).to_be_focused()


def test_the_preview_follows_what_is_typed(opened):
    page = opened(make_commander(), create_url(make_incident()))

    page.locator("#id_users").fill("alice")

    expect(page.locator("#preview")).to_contain_text("Refuses user alice")
    page.locator("#id_users").fill('a"b')
    expect(page.locator("#preview")).to_contain_text("Not complete yet: Users")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_correction_is_written_with_and_without_scripts(opened, scripts):
    page = opened(make_commander(), create_url(make_incident()), java_script_enabled=scripts)

    page.get_by_label("Cap the length of answers").check()
    if not scripts:
        page.get_by_role("button", name="Show the fields of this choice").click()
    page.locator("#id_max_tokens").fill("256")
    page.locator("#id_exit_criteria").fill("Fixed.")
    page.get_by_role("button", name="Save as draft").click()

    page.wait_for_url(re.compile(r"/corrections/\d+/$"))
    correction = Correction.objects.get()
    assert (correction.kind, correction.parameters, correction.state) == (
        "output_cap",
        {"max_tokens": 256},
        State.DRAFT,
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_a_decision_takes_a_keyboard_and_two_steps(opened, scripts):
    proposal = factories.make_proposal()
    page = opened(factories.make_executive(), url("proposal", proposal), java_script_enabled=scripts)

    page.get_by_label("Approve").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Proportionate.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/review/$"))
    page.get_by_role("button", name="Approve it").focus()
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/corrections/\d+/$"))
    assert factories.fresh(proposal.correction).state == State.ENFORCING


def test_what_the_reader_opened_stays_open_when_the_page_updates_itself(opened):
    correction = factories.make_correction()
    page = opened(make_commander(), url("detail", correction))
    page.get_by_text("What was probed").click()
    page.locator("#gateways-title").evaluate("heading => { heading.textContent = 'Old' }")

    page.evaluate(f"document.body.dispatchEvent(new CustomEvent('live:correction:{correction.pk}'))")

    expect(page.locator("#gateways-title")).to_have_text("At the gateways")
    expect(page.locator("#gateways details[open]")).to_have_count(1)
