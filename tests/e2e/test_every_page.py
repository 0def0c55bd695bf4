"""Every page, in both themes, at a desk and on a phone: axe-core finds nothing, nothing scrolls sideways."""

import pytest

from tests.e2e.people import DESK, PHONE, Person

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
PAGES = {
    "rosa": ["/", "/?tab=all", "/incidents/new/", "/monitoring/signals/1/", "/monitoring/signals/"],
    "connor": [
        "/incidents/",
        "/incidents/1/",
        "/incidents/3/",
        "/incidents/1/edit/",
        "/corrections/",
        "/corrections/1/",
        "/corrections/new/?incident=3",
        "/preparation/",
        "/preparation/plans/",
        "/accounts/",
        "/segments/",
        "/segments/new/",
        "/segments/1/",
        "/segments/1/import/",
        "/segments/1/subjects/",
        "/segments/patterns/",
        "/segments/patterns/1/",
        "/segments/patterns/1/try/",
        "/corrections/alarms/",
        "/corrections/destruction/",
    ],
    "dora": ["/inbox/", "/corrections/proposals/1/", "/corrections/gateways/"],
    "ada": ["/audit/", "/audit/1/"],
    "adam": ["/accounts/people/", "/design-system/", "/webhooks/", "/webhooks/add/"],
}


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_and_fits(browser, stack, name, viewport, scheme):
    person = Person(browser, stack, name, viewport=viewport, scheme=scheme)
    for path in PAGES[name]:
        person.go(path)
        person.accessible()
        wide = person.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
    person.context.close()
