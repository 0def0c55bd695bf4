from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template

from irapp.common.templatetags import navigation


class Sample(forms.Form):
    reason = forms.CharField(help_text="Say why.")
    note = forms.CharField(required=False)
    scope = forms.ChoiceField(widget=forms.RadioSelect, choices=[("a", "Alpha"), ("b", "Beta")])
    sure = forms.BooleanField(label="I am sure")


def render(source, **values):
    return Template("{% load ui %}" + source).render(Context(values))


def test_help_and_errors_are_linked_to_their_field():
    shown = render("{% field form.reason %}", form=Sample({}))

    assert 'aria-describedby="id_reason_helptext id_reason_error"' in shown
    assert 'id="id_reason_helptext"' in shown
    assert 'id="id_reason_error"' in shown
    assert 'aria-invalid="true"' in shown


def test_only_what_may_be_left_out_is_called_optional():
    assert "(optional)" in render("{% field form.note %}", form=Sample())
    assert "(optional)" not in render("{% field form.reason %}", form=Sample())


def test_a_choice_of_several_is_a_fieldset_with_a_legend():
    shown = render("{% field form.scope %}", form=Sample())

    assert "<legend>Scope" in shown
    assert 'for="id_scope_1"' in shown


def test_the_summary_links_each_error_to_its_field():
    shown = render("{% error_summary form %}", form=Sample({"reason": "x"}))

    assert 'href="#id_scope' in shown
    assert "I am sure: This field is required." in shown
    assert "autofocus" in shown


def test_a_form_without_errors_has_no_summary():
    assert render("{% error_summary form %}", form=Sample()).strip() == ""


@pytest.mark.parametrize("tag", ["panel", "notice", "dialog"])
def test_a_frame_escapes_its_title_and_keeps_its_content(tag):
    arguments = {"panel": "title", "notice": '"warn" title', "dialog": '"id" title'}[tag]

    shown = render(
        f"{{% {tag} {arguments} %}}<em>{{{{ inside }}}}</em>{{% end{tag} %}}", title="<b>", inside="<script>"
    )

    assert "&lt;b&gt;" in shown
    assert "<em>&lt;script&gt;</em>" in shown


def test_an_element_that_keeps_itself_fresh_names_its_topic_and_address():
    shown = render("<p {% live topic url %}></p>", topic="incident:12", url="/i/12/?a=1&b=2")

    assert 'hx-trigger="live:incident:12 from:body' in shown
    assert 'hx-get="/i/12/?a=1&amp;b=2"' in shown


def match(view_name):
    namespace = view_name.rpartition(":")[0]
    return SimpleNamespace(view_name=view_name, namespace=namespace)


@pytest.mark.parametrize(
    ("view_name", "label"),
    [
        ("incidents:queue", "Queue"),
        ("monitoring:signal", "Queue"),
        ("incidents:list", "Incidents"),
        ("incidents:detail", "Incidents"),
        ("post_incident:review", "Incidents"),
        ("incidents:inbox", "Inbox"),
        ("corrections:gateways", "Gateways"),
        ("corrections:proposal", "Corrections"),
        ("audit:events", "Audit"),
    ],
)
def test_exactly_one_place_is_marked(view_name, label):
    marked = [place.label for place in navigation.PLACES if navigation.is_here(place, match(view_name))]

    assert marked == [label]


def test_a_page_outside_every_place_marks_none():
    assert not any(navigation.is_here(place, match("design_system")) for place in navigation.PLACES)
    assert not any(navigation.is_here(place, None) for place in navigation.PLACES)
