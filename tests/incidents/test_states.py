"""The picture of the machine is made from the machine."""

from incidents.models import Incident
from incidents.states import mermaid, passed_over


def test_the_diagram_shows_every_move_that_exists():
    lines = [line.strip() for line in mermaid(Incident).splitlines()]

    assert lines[0] == "stateDiagram-v2"
    assert "[*] --> PREPARATION" in lines
    assert "PREPARATION --> MONITORING: begin_monitoring" in lines
    field = Incident._meta.get_field("state")
    assert len(lines) == 2 + len(list(field.get_all_transitions(Incident)))


def test_every_move_has_words_and_an_event_of_its_own():
    moves = list(Incident._meta.get_field("state").get_all_transitions(Incident))
    verbs = {move.name: move.custom["terms"].verb for move in moves}

    assert all(verb.startswith("incident.") for verb in verbs.values())
    assert len(set(verbs.values())) == len(verbs)


def test_transitions_have_empty_bodies():
    for move in Incident._meta.get_field("state").get_all_transitions(Incident):
        assert move.method.__code__.co_names == (), move.name


def test_a_jump_names_the_stages_it_passes_over():
    assert passed_over("PREPARATION", "EXECUTION") == ("begin_monitoring", "begin_execution")
    assert passed_over("MONITORING", "EXECUTION") == ("begin_execution",)
    assert passed_over("EXECUTION", "EXECUTION") == ()
    assert passed_over("POST_INCIDENT", "EXECUTION") == ()
    assert passed_over("DISMISSED", "MONITORING") == ("begin_monitoring",)
