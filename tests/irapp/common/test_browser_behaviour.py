"""What the scripts of the design system promise, in Chromium under the real Content-Security-Policy."""

import re
from threading import Thread

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, get_internal_wsgi_application
from django.test import override_settings
from django.test.testcases import QuietWSGIRequestHandler
from playwright.sync_api import expect

from tests.irapp.common import behaviour_urls
from tests.looking import violations

pytestmark = pytest.mark.browser
SIZES = {"desk": (1280, 900), "phone": (360, 740), "zoomed": (320, 256)}


@pytest.fixture(scope="module")
def address():
    """Serve the pages without a database: none of this needs one."""
    with override_settings(ROOT_URLCONF=behaviour_urls.__name__):
        server = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
        server.set_app(StaticFilesHandler(get_internal_wsgi_application()))
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def opened(browser, address):
    """Open a page and, at the end, insist that nothing broke the policy or threw."""
    complaints, contexts = [], []

    def open_page(path, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None
        )
        page.goto(address + path)
        return page

    behaviour_urls.state.update(slow=0, stream=True)
    yield open_page
    for context in contexts:
        context.close()
    behaviour_urls.changes.say()
    assert complaints == []


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_every_verb_that_changes_something_carries_the_token(opened, verb):
    page = opened("/try/")

    page.click(f"#{verb}")

    expect(page.locator("#out")).to_have_text(f"{verb.upper()} done")


def test_a_refusal_is_told_in_the_messages_and_the_panel_stays(opened):
    page = opened("/try/")

    page.click("#refuse")

    expect(page.locator("#messages")).to_contain_text("It has been decided already.")
    expect(page.locator("#messages [data-refusal]")).to_be_focused()
    expect(page.locator("#out")).to_have_text("untouched")


def test_a_whole_error_page_never_lands_in_a_panel(opened):
    page = opened("/try/")

    page.click("#crash")

    expect(page.locator("#messages")).to_contain_text("Something broke on our side")
    expect(page.locator("#out")).to_have_text("untouched")


def test_a_server_that_is_away_is_told(opened):
    page = opened("/try/")

    page.route("**/answer/", lambda route: route.abort())
    page.click("#post")

    expect(page.locator("#messages")).to_contain_text("The server did not answer properly")


def test_a_lost_session_asks_for_the_whole_page_again(opened):
    page = opened("/try/")

    with page.expect_navigation():
        page.click("#expired")

    expect(page.locator("#out")).to_have_text("untouched")


def test_a_form_with_an_error_comes_back_in_its_place_with_the_summary_focused(opened):
    page = opened("/try/")

    page.click("#form button")

    expect(page.locator("#form .error-summary")).to_be_focused()
    described = page.get_attribute("#form input[name=reason]", "aria-describedby").split()
    assert [page.locator(f"#{part}").count() for part in described] == [1, 1]


def test_a_second_click_sends_nothing(opened):
    page = opened("/try/")

    page.dblclick("#slow button")
    expect(page.locator("#slow-out")).to_have_text("1")
    page.wait_for_timeout(600)

    assert behaviour_urls.state["slow"] == 1
    expect(page.locator("#slow button")).not_to_have_attribute("aria-busy", "true")


def test_a_hint_makes_the_element_fetch_itself_and_says_so(opened):
    page = opened("/try/")
    expect(page.locator("[data-live-state]")).to_have_text("Live")

    behaviour_urls.changes.say()

    expect(page.locator("#counter")).to_contain_text("fetched")
    expect(page.locator("#live-status")).to_have_text("Counter updated")


def test_without_the_stream_the_page_asks_by_itself(opened):
    behaviour_urls.state["stream"] = False
    page = opened("/incidents/")
    page.clock.install()
    page.reload()
    expect(page.locator("[data-live-state]")).to_have_text("Updating every 10 s")

    page.clock.run_for(11_000)

    expect(page.locator("#counter")).to_contain_text("fetched")


def test_the_navigation_fetches_how_much_waits(opened):
    page = opened("/try/")

    expect(page.locator("#inbox-count .count")).to_have_text("3")


def test_keys_move_between_places_and_rows(opened):
    page = opened("/try/")

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("a", has_text="two")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/one/")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/incidents/")


def test_keys_do_nothing_inside_a_field(opened):
    page = opened("/try/")

    page.focus("#form input[name=reason]")
    page.keyboard.type("gi j?")

    expect(page.locator("#form input[name=reason]")).to_have_value("gi j?")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_the_shortcuts_can_be_switched_off_for_good(opened):
    page = opened("/try/")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()

    page.uncheck("[data-shortcuts-switch]")
    page.reload()
    page.keyboard.press("?")

    expect(page.locator("#shortcuts")).to_be_hidden()


def test_a_dialog_gives_focus_back_when_it_closes(opened):
    page = opened("/try/")

    page.click("[data-dialog=sample]")
    expect(page.locator("#sample")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("[data-dialog=sample]")).to_be_focused()


def test_a_dialog_closes_when_its_form_was_accepted(opened):
    page = opened("/try/")

    page.click("[data-dialog=sample]")
    page.click("#accepted")

    expect(page.locator("#sample")).to_be_hidden()
    expect(page.locator("#out")).to_have_text("POST done")


def test_a_refusal_is_told_inside_the_open_dialog_and_loses_nothing(opened):
    page = opened("/try/")

    page.click("[data-dialog=sample]")
    page.fill("[name=typed]", "a long reason")
    page.click("#refused")

    expect(page.locator("#sample [data-refusal]")).to_be_focused()
    expect(page.locator("[name=typed]")).to_have_value("a long reason")


def test_focus_is_not_lost_when_its_element_is_replaced(opened):
    page = opened("/try/")

    page.click("#gone")

    expect(page.locator("#own h2", has_text="New")).to_be_focused()


def test_copying_says_so(opened):
    page = opened("/try/", permissions=["clipboard-read", "clipboard-write"])

    page.click("[data-copy]")

    expect(page.locator("#live-status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "sha256:abcdef"


def test_a_deadline_runs_while_the_page_is_open(opened):
    page = opened("/try/")
    expect(page.locator(".clock")).to_have_attribute("data-state", "ok")

    expect(page.locator(".clock")).to_have_attribute("data-state", "soon")
    expect(page.locator(".clock .left")).to_have_text("14 min left")


def test_a_chosen_theme_outlives_the_page_and_the_system(opened):
    page = opened("/try/", color_scheme="light")
    page.click(".person")
    page.click("[data-theme-choice=dark]")

    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("[data-theme-choice=dark]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("size", SIZES)
def test_no_page_scrolls_sideways(opened, size):
    width, height = SIZES[size]
    page = opened("/styles/", viewport={"width": width, "height": height})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_nothing_in_any_component(opened, scheme, size):
    width, height = SIZES[size]
    page = opened("/styles/", viewport={"width": width, "height": height}, color_scheme=scheme)

    assert violations(page) == ""


@pytest.mark.parametrize("opener", ["[data-dialog=approve-dialog]", ".person"])
def test_axe_finds_nothing_in_what_opens(opened, opener):
    page = opened("/styles/")

    page.click(opener)

    assert violations(page) == ""


def test_buttons_are_large_enough_for_a_finger(opened):
    page = opened("/styles/", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)

    heights = page.locator(".button:visible:not(.button-small)").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect().height)"
    )

    assert min(heights) >= 44


def test_paper_is_light_whatever_the_screen(opened):
    page = opened("/styles/", color_scheme="dark")

    page.emulate_media(media="print")

    ink = page.evaluate("getComputedStyle(document.body).color")
    assert float(re.search(r"oklch\(([\d.]+)", ink).group(1)) < 0.4
    expect(page.locator(".rail")).to_be_hidden()
