import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from irapp.common.templatetags import badges

ICONS = Path(settings.BASE_DIR, "irapp/static/irapp/icons.svg").read_text()


def render(source, **values):
    return Template("{% load badges %}" + source).render(Context(values))


def test_a_state_is_told_in_words_and_by_a_shape():
    shown = render('{% state "POST_INCIDENT" %}')

    assert "Post-incident" in shown
    assert "icons.svg#loop" in shown


def test_a_state_that_nobody_foresaw_is_still_shown():
    assert "Half open" in render('{% state "HALF_OPEN" %}')


def test_a_page_may_call_a_state_by_its_own_name():
    assert "Waiting for you" in render('{% state "OPEN" "Waiting for you" %}')


@pytest.mark.parametrize("code", ["CRITICAL", "critical", 1, "S1", "SEV-1", "sev1"])
def test_a_severity_is_recognised_however_it_is_written(code):
    assert "severity-s1" in render("{% severity code %}", code=code)


def test_every_severity_has_a_shape_of_its_own():
    assert len({look.icon for _, look in badges.SEVERITIES.values()}) == len(badges.SEVERITIES)


def test_a_severity_that_is_not_set_says_so():
    assert "Not set" in render('{% severity "" %}')


def test_every_shape_that_a_badge_names_is_drawn():
    drawn = set(re.findall(r'<symbol id="([^"]+)"', ICONS))
    looks = [*badges.STATES.values(), *(look for _, look in badges.SEVERITIES.values())]

    assert {look.icon for look in looks} <= drawn
