"""Comparing what is wanted with what every gateway shows: how long one round takes, and what it asks.

    PYTHONPATH=. .venv/bin/python bench/bookkeeping.py [gateways] [corrections]

Takes a PostgreSQL of its own unless DATABASE_URL names one; everything is rolled back.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.database import rolled_back

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from corrections.models import Correction

GATEWAYS, CORRECTIONS = 500, 50
PROBES = 6
ROUNDS = 5


def main() -> None:
    """Start what is needed, measure, print."""
    gateways, corrections = [*map(int, sys.argv[1:]), *(GATEWAYS, CORRECTIONS)[len(sys.argv) - 1 :]]
    with rolled_back(), TemporaryDirectory(prefix="irapp-bench-") as folder:
        sign(Path(folder) / "key.pem")
        measure(gateways, corrections)


def sign(file: Path) -> None:
    """Let policies be signed with a key of this run."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    plain = form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    file.write_bytes(Ed25519PrivateKey.generate().private_bytes(*plain))
    settings.POLICY_SIGNING_KEY_FILE, settings.POLICY_KEY_ID = str(file), "bench"


def measure(gateways: int, corrections: int) -> None:
    """Let all gateways report and look at them, again and again."""
    from django.db import connection  # noqa: PLC0415

    wanted = enforce(corrections)
    register(gateways, wanted)
    print(f"{gateways} gateways, {corrections} corrections")
    print(f"{'one round':<44} median ms   worst ms   questions")
    show("every gateway shows everything at first", lambda _: tell(wanted), rounds=1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum would
    show("nothing changed", lambda _: tell(wanted))
    show("every gateway counted refusals of one", lambda turn: tell(wanted, refused={wanted[0].pk: turn}))
    show("every gateway counted refusals of all", lambda turn: tell(wanted, refused=dict.fromkeys(
        (each.pk for each in wanted), 100 + turn)))  # fmt: skip
    show("every gateway lacks one", lambda turn: tell(wanted[turn:]))


def show(label: str, happen: Callable[[int], None], *, rounds: int = ROUNDS) -> None:
    """Let something happen, and look; print how long the looking takes."""
    # Only now is Django configured.
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from corrections.publishing.evaluate import evaluate  # noqa: PLC0415

    took, asked = [], 0
    for turn in range(1, rounds + 1):
        happen(turn)
        began = time.perf_counter()
        evaluate(now=timezone.now())
        took.append((time.perf_counter() - began) * 1000)
    with CaptureQueriesContext(connection) as queries:
        evaluate(now=timezone.now())
    asked = len(queries)
    print(f"{label:<44} {statistics.median(took):9.0f} {max(took):10.0f} {asked:11}", flush=True)


def enforce(corrections: int) -> list[Correction]:
    """Put corrections in force: one by the real actions, the others like it."""
    from corrections.models import Correction, PolicyVersion  # noqa: PLC0415
    from corrections.states import State  # noqa: PLC0415
    from tests.corrections.factories import make_correction  # noqa: PLC0415

    first = make_correction(state=State.ENFORCING)
    names = [field.attname for field in Correction._meta.concrete_fields if not field.primary_key]  # noqa: SLF001
    plain = {name: getattr(first, name) for name in names} | {"state": State.ACTIVE}
    Correction.objects.filter(pk=first.pk).update(state=State.ACTIVE, active_at=first.approved_at)
    Correction.objects.bulk_create(
        Correction(**plain | {"reference": f"COR-9{number:04}"}) for number in range(1, corrections)
    )
    assert PolicyVersion.objects.count() == 1
    return list(Correction.objects.order_by("pk"))


def register(gateways: int, wanted: list[Correction]) -> None:
    """Make gateways that say nothing yet."""
    from corrections.models import Gateway  # noqa: PLC0415

    Gateway.objects.bulk_create(Gateway(name=f"gateway-{number:04}") for number in range(gateways))
    tell(wanted)


def tell(wanted: list[Correction], *, refused: dict[int, int] | None = None) -> None:
    """Let every gateway report that it shows these."""
    from django.utils import timezone  # noqa: PLC0415

    from corrections.models import Gateway, PolicyVersion  # noqa: PLC0415

    now, policy = timezone.now(), PolicyVersion.objects.get()
    counts = refused or {}
    shown = {each.policy_id: seen(now, refused=counts.get(each.pk, 0)) for each in wanted}
    report = {"envoy": {"version": "1", "live": True}, "corrections": shown, "lifted": {}, "problems": []}
    Gateway.objects.update(
        report=report,
        reported_at=now,
        seen_at=now + timedelta(minutes=1),
        policy_version=policy.version,
        policy_digest=policy.digest,
        live=True,
    )


def seen(now: datetime, *, refused: int) -> dict[str, Any]:
    """Say of one correction what a gateway says of it."""
    probe = {
        "endpoint": "chat.completions",
        "expect": "refuse",
        "subject": "inside",
        "status": 403,
        "ok": True,
    }
    return {
        "state": "in_force",
        "verified": True,
        "checked_at": now.astimezone(UTC).isoformat(),
        "refused": refused,
        "detail": "",
        "probes": [probe | {"detail": ""}] * PROBES,
    }


if __name__ == "__main__":
    main()
