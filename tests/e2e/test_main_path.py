"""The main job, from the first signal to the closed incident, as people do it; the README's tour too."""

import re
from datetime import UTC, datetime, timedelta

import openai
import pytest
from playwright.sync_api import expect

from tests.e2e.people import Caller, signed_in
from tests.patience import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
WAIT = 60_000


def in_hours(number):
    return (datetime.now(UTC) + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M")


def open_from_signal(rosa):
    """On-call sees the signal in the queue and starts an incident from it."""
    rosa.go("/")
    rosa.picture("1-queue")
    rosa.page.get_by_role("link", name=re.compile("intrusion", re.IGNORECASE)).first.click()
    rosa.press("Acknowledge")
    rosa.sees("is looking at it")
    rosa.press("Start an incident", role="link")
    rosa.press("Start the incident")
    rosa.page.wait_for_url(re.compile(r"/incidents/\d+/$"))
    return rosa.page.url


def prepare(connor, incident):
    """The commander completes what preparation asks for."""
    connor.go(incident)
    connor.page.locator("#panel-preparation").wait_for()
    complete(connor, "Severity judged", "High")
    complete(connor, "Commander assigned", "Connor Vale")
    complete(connor, "Affected model registered", "aurora-large")
    complete(connor, "Threat bound")
    complete(connor, "Plan bound")
    complete(connor, "Fallback considered")
    complete(connor, "Authority known")
    connor.picture("2-incident")
    move(connor, "Begin monitoring")


def complete(person, condition, option=None):
    """Meet one condition in place, if it is still missing."""
    row = person.page.locator("#panel-preparation li", has_text=condition)
    if row.locator("select, input:not([type=hidden])").count() == 0:
        return
    select = row.locator("select")
    if select.count():
        options = select.first.locator("option").all_text_contents()
        wanted = next(number for number, text in enumerate(options) if number and (option or "") in text)
        select.first.select_option(index=wanted)
    else:
        row.locator("input:not([type=hidden])").first.fill("The duty officer; an executive for a shutdown")
    row.get_by_role("button", name="Save").click()
    met = person.page.locator("#panel-preparation li.met", has_text=condition)
    expect(met).to_be_visible(timeout=WAIT)


def move(person, label):
    stage = person.page.locator("#stage")
    stage.get_by_role("link", name=re.compile(f"^{label}")).click()
    person.press(label)
    person.page.wait_for_url(re.compile(r"/incidents/\d+/$"))


def assess(connor):
    connor.fill("Write a note", "Two accounts of initech drive the model at machine speed. High confidence.")
    connor.choose("Kind", "Assessment")
    connor.press("Add to the record")
    expect(connor.page.locator("#timeline")).to_contain_text("machine speed", timeout=WAIT)


def propose_block(connor, organisation):
    """T1, for one organisation, with the impact on recent traffic shown before it is proposed."""
    connor.press("Propose a correction", role="link")
    connor.fill("Organisations", organisation)
    fill_reasons(connor, "Automated intrusion was seen from this organisation.")
    expect(connor.page.locator("#preview")).to_contain_text("Requests", timeout=WAIT)
    connor.picture("3-propose")
    connor.press("Save and propose")
    connor.page.wait_for_url(re.compile(r"/corrections/(proposals/)?\d+/"))
    return connor.page.url


def propose_end(connor, depth, field, reason):
    """From an incident's page: T5 for everybody at the small model; the depth asks for a field of its own."""
    connor.press("Propose a correction", role="link")
    connor.page.get_by_label(depth).check()
    connor.page.get_by_label(field).first.wait_for()
    connor.page.get_by_role("checkbox", name="aurora-large").uncheck()
    connor.page.get_by_role("checkbox", name="aurora-small").check()
    fill_reasons(connor, reason)
    connor.fill("Why a narrower option was rejected", "Accounts come back under new names.")
    connor.press("Save and propose")


def fill_reasons(connor, reason):
    connor.fill("Review (UTC)", in_hours(12))
    connor.fill("Expires (UTC)", in_hours(24))
    connor.fill("Reason shown to refused callers", reason)
    connor.fill("Where they can appeal", "https://example.org/appeal")
    connor.fill("Exit criteria", "No intrusion for a day.")


def decide(person, about, reason, *, verdict="Approve", picture=""):
    """From the inbox to a vote, in two steps."""
    take_up(person, about)
    person.page.locator("#ballot").wait_for()
    if picture:
        person.picture(picture)
    ballot(person, reason, verdict=verdict)


def ballot(person, reason, *, verdict="Approve"):
    """Vote on what the page shows, in two steps."""
    person.page.locator("#ballot").wait_for()
    person.page.get_by_label(verdict, exact=False).first.check()
    person.fill("Reason", reason)
    person.press("Review my decision")
    person.press(f"{verdict} it")


def take_up(person, about):
    """Open what waits in the inbox for this incident."""
    person.go("/inbox/")
    person.page.locator("#waiting tr[data-row]", has_text=about).locator("th a").first.click()


def state_of(person, text):
    """Live: the page turns by itself."""
    current = person.page.locator("main [aria-current=step]")
    expect(current).to_contain_text(text, timeout=WAIT)


def test_from_the_first_signal_to_the_closed_incident(browser, stack):
    names = ("rosa", "connor", "dora", "edgar", "ada")
    with signed_in(browser, stack, *names) as (rosa, connor, dora, edgar, ada):
        walk(stack, rosa, connor, dora, edgar, ada)


def walk(stack, rosa, connor, dora, edgar, ada):
    dave, alice = Caller(stack, "dave"), Caller(stack, "alice")
    assert dave.served()

    incident = open_from_signal(rosa)
    prepare(connor, incident)
    assess(connor)
    move(connor, "Begin execution")

    proposal = propose_block(connor, "initech")
    connor.go(proposal)
    connor.sees("Whoever proposed it does not decide")
    rosa.go(proposal)
    assert rosa.page.locator("#ballot input[type=radio]").count() == 0

    about = reference(connor, incident)
    decide(dora, about, "Seventeen organisations were attacked from these accounts.", picture="4-decide")
    wait_for(lambda: is_refused(dave), told="the gateway to refuse what was restricted")
    refusal = dave.refusal()
    assert refusal.status_code == 403
    assert refusal.code == "access_restricted"
    assert alice.served(), "somebody else was restricted"

    correction = open_correction(connor, incident, "initech")
    state_of(connor, "Active")
    connor.page.wait_for_timeout(300)
    connor.picture("5-in-force")

    lift(connor, dora, correction, about)
    state_of(connor, "Lifted")
    assert dave.served()

    shut_down(stack, connor, dora, edgar, incident, about)

    review(connor, ada, incident, about)
    audit(ada)


def reference(person, incident):
    """The name of the incident, as inboxes show it."""
    person.go(incident)
    return person.page.locator(".kicker").inner_text().strip()


def is_refused(caller):
    try:
        return not caller.served()
    except openai.PermissionDeniedError:
        return True


def open_correction(person, incident, about):
    person.go(incident)
    person.page.locator("#corrections th a", has_text=about).first.click()
    person.page.wait_for_url(re.compile(r"/corrections/\d+/"))
    return person.page.url


def shut_down(stack, connor, dora, edgar, incident, about):
    """T5 for everybody needs two people, one of them an executive; nothing changes before the second."""
    bob = Caller(stack, "bob")
    connor.go(incident)
    reason = "This model is suspended while an incident is handled."
    propose_end(connor, "Suspend the model", "Try again after", reason)
    connor.page.wait_for_url(re.compile(r"/corrections/(proposals/)?\d+/"))

    decide(dora, about, "Agreed.")
    dora.sees("Waiting for 1")
    assert bob.served(model="aurora-small"), "one of two votes was enough"
    decide(edgar, about, "Agreed.")
    correction = open_correction(connor, incident, "aurora-small")
    state_of(connor, "Active")
    refusal = bob.refusal(model="aurora-small")
    assert (refusal.status_code, refusal.code) == (503, "model_suspended")
    assert bob.served(model="aurora-large")

    lift(connor, dora, correction, about)
    decide(edgar, about, "The danger is over.")
    connor.go(correction)
    state_of(connor, "Lifted")
    assert bob.served(model="aurora-small")


def lift(connor, dora, correction, about):
    connor.go(correction)
    connor.press("Lift", role="link")
    connor.fill("Reason", "The accounts were closed and the keys rotated.")
    connor.page.get_by_role("main").locator("form button[type=submit]").click()
    connor.page.wait_for_url(re.compile(r"/corrections/(proposals/)?\d+/$"))
    decide(dora, about, "The danger is over.")
    connor.go(correction)


def review(connor, ada, incident, about):
    """The report is written by the commander and signed by the auditor; the incident closes behind it."""
    connor.go(incident)
    move(connor, "Begin post-incident")
    connor.press("Begin the review")
    connor.press("Write", role="link")
    connor.fill("Summary", "One organisation ran automated intrusion. It was blocked within minutes.")
    connor.fill("What worked", "The detector fired early.")
    connor.press("Save")
    connor.page.get_by_text("Add a finding").click()
    connor.page.get_by_label("Finding", exact=True).fill("No limit on agent speed")
    connor.press("Add the finding")
    connor.press(re.compile("^Feed back"), role="link")
    connor.choose("It changed", "Plan")
    connor.fill("Which one, and how; or why nothing follows", "Intrusion plan: cap requests per minute first")
    connor.press("Save")
    connor.press("Submit for signature")
    connor.sees("In review")

    take_up(ada, about)
    ada.page.locator("#signature").wait_for()
    ada.picture("6-review")
    ada.fill("Comment", "Complete and supported by the record.")
    ada.press("Sign this content")
    ada.sees("Signed")

    close(connor, incident)


def close(connor, incident):
    connor.go(incident)
    open_tasks = connor.page.locator("#tasks li.unmet")
    for left in reversed(range(open_tasks.count())):
        open_tasks.first.get_by_role("button", name=re.compile("^Done")).click()
        expect(open_tasks).to_have_count(left, timeout=WAIT)
    connor.go(incident)
    move(connor, "Close")
    connor.sees("Closed")


def audit(ada):
    """The auditor finds every step, can take them along, and can change nothing."""
    ada.go("/audit/")
    ada.sees("correction")
    ada.picture("7-audit")
