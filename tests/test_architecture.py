"""Rules of the house that would decay if nobody executed them."""

import ast
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("irapp", "incidents", "corrections", "enforcement", "deploy")
OURS = ("irapp", "incidents", "corrections")
TOP = {
    *("irapp", "incidents", "corrections", "enforcement", "templates", "tests", "bench", "deploy", "docs"),
    *("manage.py", "requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile", "README.md"),
    *("LICENSE", ".gitignore", ".ci", ".dockerignore", "SECURITY.md", "CHANGELOG.md"),
}

APPEND_ONLY = {
    *("audit.Event", "corrections.Vote", "corrections.PolicyVersion", "post_incident.Submission"),
    *("post_incident.Signature", "corrections.DestructionApproval", "corrections.Author"),
    *("segments.Attachment", "segments.SegmentVersion", "segments.Packing", "segments.PatternSetVersion"),
}
MUTABLE = {
    # people: roles and tokens end, accounts are deactivated
    *("accounts.Role", "accounts.User", "accounts.RoleGrant", "accounts.ApiToken"),
    # machinery: leases, answers to repeated calls
    *("audit.OutboxItem", "common.RememberedCall"),
    *("incidents.Incident", "incidents.IncidentRole", "incidents.Note", "incidents.NoteVersion"),
    *("incidents.Task", "incidents.SkippedCondition"),
    *("preparation.DeployedModel", "preparation.Plan", "preparation.PlanVersion", "preparation.Threat"),
    *("preparation.Fallback", "preparation.Binding"),
    *("monitoring.Source", "monitoring.SignalGroup", "monitoring.Link", "monitoring.Signal"),
    *("post_incident.Review", "post_incident.Finding", "post_incident.FollowUp"),
    *("segments.Segment", "segments.PatternSet", "segments.Upload"),
    *("webhooks.Endpoint", "webhooks.Secret", "webhooks.Delivery"),
    *("corrections.Package", "corrections.Correction", "corrections.AuthorityRule"),
    # written once; they move, close or are released, and PostgreSQL lets nothing else change
    *("corrections.DestructionOrder", "corrections.EvidenceHold", "corrections.Proposal"),
    # what hubs and gateways last reported, and traffic that is forgotten after a while
    *("corrections.Hub", "corrections.Gateway", "corrections.CorrectionGateway", "corrections.TrafficRecord"),
    *("corrections.TrafficMatch", "corrections.TrafficSeen", "corrections.RefusalCount"),
    # acknowledgements are forgotten with old traffic; alarms are acknowledged and cleared
    *("corrections.Acknowledgement", "corrections.Alarm"),
}
WRITTEN_ONCE = {"corrections.DestructionOrder", "corrections.EvidenceHold", "corrections.Proposal"}


def sources(*, of=PACKAGES):
    for package in of:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def functions():
    for path in sources():
        if path.name == "demo.py":
            continue  # records written out are data, whatever holds them
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.end_lineno - node.lineno + 1, f"{path.relative_to(ROOT)}:{node.name}"


def test_functions_stay_short():
    sizes = sorted(functions())

    assert [name for size, name in sizes if size > 40] == []
    assert statistics.median(size for size, _ in sizes) <= 8
    assert sizes[int(len(sizes) * 0.9)][0] <= 20


def test_files_stay_short():
    sizes = sorted((len(path.read_text().splitlines()), str(path.relative_to(ROOT))) for path in sources())

    assert [name for size, name in sizes if size > 300] == []
    assert sizes[int(len(sizes) * 0.9)][0] <= 180


def test_nothing_else_stands_at_the_top():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone")

    assert {path.split("/")[0] for path in listed.stdout.splitlines()} <= TOP


def test_every_module_of_the_core_has_its_place_in_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = " ".join(contracts[0]["layers"])
    placed = {word for word in floors.replace(":", " ").replace("|", " ").split() if "." in word}
    modules = {path.stem for path in (ROOT / "incidents").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "incidents").glob("*/__init__.py")} - {"migrations"}

    assert {f"incidents.{name}" for name in modules | packages} <= placed


def test_imports_go_down_only():
    command = [Path(sys.executable).with_name("lint-imports")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def our_models():
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in OURS]


def test_every_model_is_append_only_or_mutable_on_purpose():
    labels = {model._meta.label for model in our_models()}

    assert labels == APPEND_ONLY | MUTABLE
    assert not APPEND_ONLY & MUTABLE


@pytest.mark.parametrize("label", sorted(APPEND_ONLY))
@pytest.mark.django_db
def test_what_is_append_only_is_so_in_postgresql(label):
    update, delete, truncate = 1 << 4, 1 << 3, 1 << 5
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bit_or(tgtype) FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A') AND NOT tgisinternal",
            [apps.get_model(label)._meta.db_table],
        )
        (events,) = cursor.fetchone()

    assert events is not None
    assert events & update
    assert events & delete
    assert events & truncate


@pytest.mark.parametrize("label", sorted(APPEND_ONLY | WRITTEN_ONCE))
@pytest.mark.django_db
def test_what_is_kept_is_not_emptied_either(label):
    table = apps.get_model(label)._meta.db_table
    refused = pytest.raises(IntegrityError, match="append-only")
    with connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.django_db
def test_models_and_migrations_say_the_same():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_migrations_of_each_app_are_one_line():
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    for config in apps.get_app_configs():
        if config.name.split(".")[0] in OURS:
            own = sorted(node for node in graph.nodes if node[0] == config.label)
            parents = [
                [parent for parent in graph.node_map[node].parents if parent[0] == config.label]
                for node in own
            ]
            numbers = [name.split("_")[0] for _, name in own]
            assert [len(some) for some in parents] == [0, *[1] * (len(own) - 1)][: len(own)], own
            assert numbers == [f"{number:04}" for number in range(1, len(own) + 1)], own
