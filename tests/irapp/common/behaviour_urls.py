"""Pages that only exist to try the scripts of the design system, with the real middleware."""

import itertools
import json
import threading
import time
from datetime import timedelta

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.template import engines
from django.urls import include, path
from django.utils import timezone

from irapp.common import showcase
from irapp.common.errors import ConflictError

PAGE = """{% extends "base.html" %}{% load ui formats %}
{% block live %}{% include "components/live_meta.html" with url=stream only %}{% endblock %}
{% block title %}Try{% endblock %}{% block heading %}Try{% endblock %}{% block content %}
{% for verb in verbs %}
<button id="{{ verb }}" hx-{{ verb }}="/answer/" hx-target="#out">{{ verb }}</button>
{% endfor %}
<button id="refuse" hx-post="/refuse/" hx-target="#out">refuse</button>
<button id="crash" hx-post="/crash/" hx-target="#out">crash</button>
<button id="expired" hx-get="/expired/" hx-target="#out">expired</button>
<div id="out">untouched</div>
{% include "counter.html" %}
{% include "form.html" %}
<form id="slow" method="post" action="/slow/" hx-post="/slow/" hx-target="#slow-out">{% csrf_token %}
<button type="submit">Once</button></form><div id="slow-out"></div>
<ul data-list><li data-row><a href="/one/">one</a></li><li data-row><a href="/two/">two</a></li></ul>
<button type="button" data-dialog="sample">Open</button>
{% dialog "sample" "Sample" %}
<form method="post" action="/answer/" hx-post="/answer/" hx-target="#out">
<button type="submit" id="accepted">Accepted</button></form>
<form method="post" action="/refuse/" hx-post="/refuse/" hx-target="#out">
<input name="typed" aria-label="Typed"><button type="submit" id="refused">Refused</button></form>
{% enddialog %}
<div id="own"><h2>Own</h2><button id="gone" hx-get="/own/" hx-target="#own">Replace me</button></div>
{% digest "sha256:abcdef" %} {% countdown due "to decide" %}
{% endblock %}"""
FORM = """{% load ui %}
<form id="form" method="post" action="/form/" hx-post="/form/" hx-target="#form" novalidate>
{% csrf_token %}{% error_summary form %}{% field form.reason %}<button type="submit">Send</button></form>"""

COUNTER = """{% load ui %}
<section id="counter" data-live-label="Counter" {% live "thing:1" "/counter/" %}>{{ text }}</section>"""
PARTS = {'{% include "form.html" %}': FORM, '{% include "counter.html" %}': COUNTER}


class Reason(forms.Form):
    reason = forms.CharField(help_text="Say why.")


class Person:
    is_authenticated = True

    def get_username(self):
        return "connor"

    def __str__(self):
        return "Connor Vale"


state = {"slow": 0, "counter": itertools.count(1), "stream": True}


class Hints:
    """What was said on the streams, numbered, so that each page hears what came after it was made."""

    def __init__(self):
        self.said = 0
        self._more = threading.Condition()

    def say(self):
        with self._more:
            self.said += 1
            self._more.notify_all()

    def after(self, heard, patience):
        with self._more:
            return self._more.wait_for(lambda: self.said > heard, patience)


changes = Hints()


def show(request, source, **values):
    engine = engines["django"]
    values |= {
        "user": Person(),
        "verbs": ["post", "put", "patch", "delete"],
        "stream": f"/stream/?since={changes.said}",
        "due": timezone.now() + timedelta(minutes=15, seconds=3),
    }
    for mark, part in PARTS.items():
        source = source.replace(mark, part)
    return HttpResponse(engine.from_string(source).render(values, request).strip())


def stream(request):
    if not state["stream"]:
        return HttpResponse(status=503)
    last = request.headers.get("Last-Event-ID") or request.GET.get("last_event_id") or request.GET["since"]
    return StreamingHttpResponse(hints(int(last)), content_type="text/event-stream")


def hints(heard):
    yield ": hello\n\n"
    if changes.after(heard, 30):
        yield f"id: {changes.said}\ndata: {json.dumps({'topics': ['thing:1'], 'id': changes.said})}\n\n"


def counter(request):
    return show(request, COUNTER, text=f"fetched {next(state['counter'])}")


def refuse(_request):
    raise ConflictError("It has been decided already.", code="decided")


def form(request):
    sent = Reason(request.POST)
    if sent.is_valid():
        return HttpResponse('<p id="form">thanks</p>')
    answer = show(request, FORM, form=sent)
    answer.status_code = 422
    return answer


def slow(_request):
    state["slow"] += 1
    time.sleep(1.5)
    return HttpResponse(f'<div id="slow-out">{state["slow"]}</div>')


def open_to_all(view):
    return login_not_required(view)


def styles(request):
    return render(request, "design_system.html", {"user": Person(), **showcase.values(timezone.now())})


def answer(request):
    return HttpResponse(f'<div id="out">{request.method} done</div>')


def waiting(_request):
    return HttpResponse('<span id="inbox-count"><span class="count">3</span></span>')


def banner(_request):
    return HttpResponse('<div id="alarms"></div>')


def crash(request):
    return render(request, "500.html", status=500)


views = {
    "try/": lambda request: show(request, PAGE, form=Reason()),
    "answer/": answer,
    "refuse/": refuse,
    "crash/": crash,
    "expired/": lambda _request: HttpResponseRedirect("/login/"),
    "stream/": stream,
    "counter/": counter,
    "form/": form,
    "slow/": slow,
    "own/": lambda _request: HttpResponse('<div id="own"><h2>New</h2></div>'),
    "styles/": styles,
    "one/": lambda request: show(request, PAGE, form=Reason()),
    "two/": lambda request: show(request, PAGE, form=Reason()),
}
incidents = [
    path("incidents/", open_to_all(views["one/"]), name="list"),
    path("inbox/", open_to_all(views["one/"]), name="inbox"),
    path("inbox/count/", open_to_all(waiting), name="inbox_count"),
]
urlpatterns = [path(address, open_to_all(view)) for address, view in views.items()]
urlpatterns += [
    path("", include((incidents, "incidents"))),
    path("corrections/", include(([path("banner/", open_to_all(banner), name="banner")], "corrections"))),
    path("accounts/", include("irapp.accounts.urls")),
    path("login/", open_to_all(lambda request: show(request, "the sign-in page")), name="login"),
    path("logout/", open_to_all(answer), name="logout"),
]
