"""The wider toolkit in people's hands: an imported segment, a filter on answers, a halt of running ones."""

import re
import threading

import openai
import pytest
from playwright.sync_api import expect

from tests.e2e.people import Caller, signed_in
from tests.e2e.test_main_path import WAIT, ballot, fill_reasons, open_correction, propose_end, state_of

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
INCIDENT = "Data extortion run through a coding agent"


def test_segments_filters_and_halts_reach_whom_they_name(browser, stack):
    with signed_in(browser, stack, "connor", "dora", "edgar") as (connor, dora, edgar):
        segment = import_segment(connor, "carol\nerin\nbad name\ncarol\n")
        connor.go("/")
        connor.page.get_by_role("link", name=INCIDENT).first.click()
        connor.page.wait_for_url(re.compile(r"/incidents/\d+/$"))
        incident = connor.page.url

        block_segment(stack, connor, dora, incident, segment)
        halt(stack, connor, dora, edgar, incident)


def import_segment(connor, names):
    """Every row is accounted for before anything is taken in."""
    connor.go("/segments/new/")
    connor.fill("Title", "Accounts of the extortion")
    connor.page.get_by_role("main").locator("form button[type=submit]").first.click()
    connor.page.wait_for_url(re.compile(r"/import/$"))
    connor.fill("Or type them", names)
    connor.page.get_by_role("main").locator("form button[type=submit]").first.click()
    connor.sees("contains white space")
    connor.accessible()
    connor.fill("Reason", "Named by two detectors.")
    connor.page.get_by_label("Go on without the invalid row").check()
    connor.press("Add them")
    connor.sees("2 added, 0 removed, 1 invalid left out")
    connor.accessible()
    return connor.page.locator(".kicker").first.inner_text().split(" ")[0]


def block_segment(stack, connor, dora, incident, segment):
    """T1 for whoever stands in the file; the decision is bound to the list as it was shown."""
    carol, alice = Caller(stack, "carol"), Caller(stack, "alice")
    assert carol.served()
    connor.go(incident)
    connor.press("Propose a correction", role="link")
    connor.page.get_by_text("Regions, tiers and imported segments").click()
    connor.page.get_by_role("checkbox", name=re.compile(segment)).check()
    fill_reasons(connor, "These accounts are restricted while an incident is handled.")
    connor.press("Save and propose")
    connor.page.wait_for_url(re.compile(r"/corrections/proposals/\d+/"))
    proposal = connor.page.url
    vote(dora, proposal, "Both detectors agree.")

    open_correction(connor, incident, "2 users listed")
    state_of(connor, "Active")
    assert carol.refusal().code == "access_restricted"
    assert alice.served()


def halt(stack, connor, dora, edgar, incident):
    """T5: running answers of the scope end, others run on."""
    small, large = Running(stack, "alice", "aurora-small"), Running(stack, "bob", "aurora-large")
    connor.go(incident)
    reason = "Inference is halted while an incident is handled."
    propose_end(connor, "Halt: end running answers too", "Where the others may turn", reason)
    connor.page.wait_for_url(re.compile(r"/corrections/proposals/\d+/"))
    proposal = connor.page.url
    vote(dora, proposal, "Agreed.")
    assert small.runs()
    vote(edgar, proposal, "Agreed.")
    open_correction(connor, incident, "aurora-small")
    state_of(connor, "Active")

    assert small.ended(), "the running answer went on"
    assert large.runs(), "somebody else's answer was ended"
    expect(connor.page.get_by_role("main")).to_contain_text("aurora-small", timeout=WAIT)


def vote(person, proposal, reason):
    person.go(proposal)
    ballot(person, reason)


class Running:
    """One streamed answer after the other, until one is refused or broken off."""

    def __init__(self, stack, name, model):
        self.caller, self.model = Caller(stack, name), model
        self.stopped = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while True:
                for _ in self.caller.ask(model=self.model, stream=True):
                    pass
        except openai.OpenAIError:
            self.stopped.set()

    def runs(self):
        return not self.stopped.is_set()

    def ended(self):
        return self.stopped.wait(30)
