"""Rules of the design system that hold for every template and style sheet, whoever writes it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

TEMPLATES = Path(settings.BASE_DIR, "templates")
STATIC = Path(settings.BASE_DIR, "irapp/static/irapp")
PAGES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
COMPONENTS = sorted(path.name for path in (TEMPLATES / "components").glob("*.html"))
SYMBOLS = re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text())


def source(name):
    return (TEMPLATES / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_no_template_breaks_the_content_security_policy(name):
    text = source(name)

    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=\s*[\"']|hx-on|javascript:", text)
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("name", PAGES)
def test_every_template_compiles(name):
    assert get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_every_icon_that_a_template_names_is_drawn(name):
    named = set(re.findall(r'{% icon "([^"]+)" %}', source(name)))

    assert named <= set(SYMBOLS)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_short_and_states_its_inputs(name):
    lines = source(f"components/{name}").splitlines()

    assert len(lines) <= 40
    assert re.match(r"{#.*([Ii]nputs?[: ]|No inputs)", lines[0])


@pytest.mark.parametrize("path", sorted((STATIC / "css").glob("*.css")), ids=lambda path: path.name)
def test_colours_are_named_in_one_place_only(path):
    if path.name == "tokens.css":
        pytest.skip("this is the place")

    assert not re.search(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|oklab)\(", path.read_text(), re.IGNORECASE)


def test_every_token_that_is_used_exists():
    styles = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    defined = set(re.findall(r"(--[\w-]+)\s*:", styles))

    assert set(re.findall(r"var\((--[\w-]+)", styles)) <= defined


@pytest.mark.parametrize("path", sorted((STATIC / "js").glob("*.js")), ids=lambda path: path.name)
def test_a_script_is_one_small_behaviour_that_says_what_it_does(path):
    text = path.read_text()

    assert text.startswith("//")
    assert len(text.splitlines()) <= 100
    assert not re.search(r"\beval\(|new Function|\.style\b|innerHTML\s*=", text)


def test_every_script_is_loaded():
    loaded = source("components/assets.html")

    assert all(f"irapp/js/{path.name}" in loaded for path in (STATIC / "js").glob("*.js"))
