"""The README is held against the code."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from incidents.states import mermaid

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DRAWN = re.compile(r"<!-- states: (\S+) -->\n```mermaid\n(.*?)\n```", re.DOTALL)


@pytest.mark.parametrize(("model", "diagram"), DRAWN.findall(README))
def test_the_readme_shows_the_moves_that_exist(model, diagram):
    assert diagram == mermaid(apps.get_model(model))


def test_the_readme_draws_the_incident_and_the_correction():
    assert {model for model, _ in DRAWN.findall(README)} == {"incidents.Incident", "corrections.Correction"}


def test_the_readme_is_short():
    assert len(README.splitlines()) < 200


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)", README))))
def test_what_the_readme_links_to_exists(target):
    assert (ROOT / target).exists()
