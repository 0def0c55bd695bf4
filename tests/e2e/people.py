"""People at their browsers, and callers of the gateway."""

import os
from contextlib import contextmanager
from pathlib import Path

import openai
from playwright.sync_api import expect

from tests.looking import violations

TOUR = Path(__file__).parents[2] / "docs" / "tour"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SOON = 30_000


class Person:
    """One of the demo's people, signed in."""

    def __init__(self, browser, stack, name, *, viewport=DESK, scheme="light"):
        self.base = stack.addresses.web
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.set_default_timeout(SOON)
        self.complaints = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.base}/sign-in/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(f"demo-{name}-2026")
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.base}/")

    def go(self, path):
        self.page.goto(path if path.startswith("http") else self.base + path)

    def sees(self, text, *, soon=SOON):
        expect(self.page.get_by_role("main")).to_contain_text(text, timeout=soon)

    def press(self, name, *, role="button", within=None):
        (within or self.page.get_by_role("main")).get_by_role(role, name=name, exact=True).first.click()

    def fill(self, label, text):
        self.page.get_by_label(label).first.fill(text)

    def choose(self, label, option):
        self.page.get_by_label(label).first.select_option(label=option)

    def accessible(self):
        """axe-core finds nothing, and nothing complained in the console."""
        assert violations(self.page) == ""
        assert self.complaints == [], "\n".join(self.complaints)

    def picture(self, name):
        """For the README, when asked for; the page is checked in any case."""
        self.accessible()
        if os.environ.get("IRAPP_TOUR"):
            TOUR.mkdir(exist_ok=True)
            self.page.screenshot(path=TOUR / f"{name}.png")


@contextmanager
def signed_in(browser, stack, *names, **how):
    people = [Person(browser, stack, name, **how) for name in names]
    try:
        yield people
    finally:
        for person in people:
            person.context.close()


class Caller:
    """A customer's program, with the real client library."""

    def __init__(self, stack, key):
        base = f"{stack.addresses.gateway}/v1"
        self.client = openai.OpenAI(base_url=base, api_key=f"sk-demo-{key}", max_retries=0, timeout=30)

    def ask(self, model="aurora-large", **more):
        said = [{"role": "user", "content": "What will the weather be?"}]
        return self.client.chat.completions.create(model=model, messages=said, max_tokens=8, **more)

    def served(self, **how):
        return bool(self.ask(**how).choices[0].message.content)

    def refusal(self, **how):
        """The refusal, as the client library understands it."""
        try:
            self.ask(**how)
        except openai.APIStatusError as error:
            return error
        raise AssertionError("it was served")
