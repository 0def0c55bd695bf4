from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine
from django.template import Context, Template

from irapp.common.templatetags import formats

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def render(source, **values):
    return Template("{% load formats %}" + source).render(Context(values))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (180_000, "2 d"),
    ],
)
def test_a_duration_is_told_in_its_largest_units(seconds, words):
    assert formats.duration(seconds) == words


@pytest.mark.parametrize(("minutes", "words"), [(-4, "4 min ago"), (0, "now"), (90, "in 1 h 30 min")])
def test_a_distance_knows_past_and_future(minutes, words):
    assert formats.relative(NOW + timedelta(minutes=minutes), NOW) == words


@time_machine.travel(NOW, tick=False)
def test_a_moment_is_shown_in_utc_with_its_distance():
    elsewhere = datetime(2026, 11, 22, 5, 30, tzinfo=timezone(timedelta(hours=2)))

    shown = render("{% moment at %}", at=elsewhere)

    assert 'datetime="2026-11-22T03:30:00Z"' in shown
    assert "2026-11-22 03:30 UTC" in shown
    assert "30 min ago" in shown


@pytest.mark.parametrize("tag", ["moment", "ago", "day"])
def test_a_time_that_is_not_set_is_a_dash(tag):
    assert render("{% " + tag + " at %}", at=None) == "—"


def test_a_day_has_no_clock():
    assert render("{% day at %}", at=date(2026, 1, 2)).count("2026-01-02") == 2


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("minutes", "state", "words"),
    [(60, "ok", "1 h left"), (5, "soon", "5 min left"), (-3, "over", "3 min over")],
)
def test_a_deadline_says_how_it_stands(minutes, state, words):
    shown = render('{% countdown due "to decide" %}', due=NOW + timedelta(minutes=minutes))

    assert f'data-state="{state}"' in shown
    assert words in shown
    assert "to decide" in shown


def test_no_deadline_is_said():
    assert "No deadline" in render("{% countdown due %}", due=None)


def test_a_digest_is_short_on_the_screen_and_whole_for_the_clipboard_and_paper():
    digest = "sha256:" + "ab" * 32

    shown = render("{% digest value %}", value=digest)

    assert ">abababababab…<" in shown
    assert f'data-copy="{digest}"' in shown
    assert f'class="full">{digest}<' in shown


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("[x](javascript:alert(1))", "href"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("![pixel](https://example.org/p.png)", "<img"),
        ('<p style="color:red">x</p>', "<p style"),
        ("[x](data:text/html,x)", "href"),
    ],
)
def test_markdown_lets_nothing_dangerous_through(text, missing):
    assert missing not in formats.markdown(text)


def test_headings_of_a_note_stand_below_those_of_its_page():
    assert formats.markdown("# Title\n\n###### Deep").split() == ["<h3>Title</h3>", "<h6>Deep</h6>"]


def test_markdown_keeps_tables_and_emphasis():
    shown = formats.markdown("**b**\n\n| a |\n|---|\n| 1 |")

    assert "<strong>b</strong>" in shown
    assert "<td>1</td>" in shown


def test_nothing_becomes_no_markdown():
    assert formats.markdown("") == ""
