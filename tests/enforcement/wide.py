"""Policies of every kind and scope with requests that meet them, by the number of a draw.

Plain random choices instead of strategies: thousands of pairs have to be made and sent within seconds, and a
failing draw is named by its number.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from enforcement import policy
from enforcement.asking import as_sent
from enforcement.decide import Attributes
from tests.enforcement.generated import APPLICATIONS, ENDPOINTS, KEYS, MODELS, ORGANISATIONS, TOOLS, USERS
from tests.enforcement.world import DIGEST

REGIONS, TIERS, PLATFORMS = ("eu", "us"), ("free", "pro"), ("api", "app")
USES = ("research", "medical", "coding")
LISTS = (
    policy.subject_list(["alice", "zoë", "acme"]),
    policy.subject_list([f"user-{number}" for number in range(1000)] + ["bob", "globex", "key-2"]),
    policy.subject_list(["nobody-else"]),
)
PATTERNS = policy.canonical(
    policy.PatternSet(
        name="never", version=1, patterns=(policy.Pattern(id="p1", text="no request says this"),)
    )
)
ATTACHED = {policy.address(raw): raw for raw in (*LISTS, PATTERNS)}
REF = policy.PatternsRef(attachment=policy.address(PATTERNS), name="never", version=1)


class Attachments:
    """What the generated policies name."""

    def raw(self, address):
        return ATTACHED[address]

    def subjects(self, address):
        return policy.read_subject_list(ATTACHED[address])


def some(rng, names, chance=0.3, most=2):
    if rng.random() > chance:
        return ()
    return tuple(rng.sample(names, rng.randint(1, min(most, len(names)))))


def one_of(rng, *values):
    return rng.choice(values)


EFFECTS = (
    lambda rng, now: policy.Block(),
    lambda rng, now: policy.Allow(),
    lambda rng, now: policy.Exempt(
        corrections=tuple(sorted({f"COR-{rng.randint(1, 30):04}" for _ in range(6)}))
    ),
    lambda rng, now: policy.Exempt(
        corrections=tuple(sorted({f"COR-{rng.randint(1, 30):04}" for _ in range(20)}))
    ),
    lambda rng, now: policy.RequestLimit(requests=one_of(rng, 1, 3), window_seconds=3600, per=_per(rng)),
    lambda rng, now: policy.TokenLimit(tokens=100, window_seconds=60, per=_per(rng)),
    lambda rng, now: policy.ConcurrencyLimit(requests=2, per=_per(rng)),
    lambda rng, now: policy.TurnLimit(turns=one_of(rng, 1, 2, 4)),
    lambda rng, now: policy.ToolsOff(tools=some(rng, TOOLS, 0.7)),
    lambda rng, now: policy.FeatureOff(features=some(rng, policy.FEATURES, 1, 3)),
    lambda rng, now: policy.InputCap(max_bytes=one_of(rng, 100, 300, 900)),
    lambda rng, now: policy.OutputCap(max_tokens=one_of(rng, 1, 64, 4096)),
    lambda rng, now: policy.LoopCap(turns=one_of(rng, 0, 1, 3)),
    lambda rng, now: policy.InputFilter(patterns=REF, action=one_of(rng, "block", "redact", "flag")),
    lambda rng, now: policy.OutputFilter(patterns=REF),
    lambda rng, now: policy.SystemPrompt(text="Be careful."),
    lambda rng, now: policy.Downgrade(fallback_model=rng.choice(MODELS)),
    lambda rng, now: policy.ForbidUse(),
    lambda rng, now: policy.RequireUse(use_cases=some(rng, USES, 0.5)),
    lambda rng, now: policy.Suspend(fallback_models=_fallbacks(rng), retry_after_seconds=60),
    lambda rng, now: policy.MarketRemoval(fallback_models=_fallbacks(rng), fallback_address="https://e.org"),
    lambda rng, now: policy.Halt(fallback_models=_fallbacks(rng)),
    lambda rng, now: policy.Decommission(fallback_models=_fallbacks(rng)),
    lambda rng, now: policy.Reroute(fallback_model=rng.choice(MODELS)),
)


def content(rng, now):
    """Give a policy of up to sixteen corrections; contradictions are drawn again."""
    numbers = sorted(rng.sample(range(1, 31), rng.randint(1, 16)))
    return policy.Content(corrections=tuple(_correction(rng, number, now) for number in numbers))


def attributes(rng):
    """Give a request as it is really sent: its features, tools, turns and length."""
    asked = Attributes(
        user=rng.choice((*USERS, "user-7")),
        organisation=rng.choice(ORGANISATIONS),
        key=rng.choice(KEYS),
        application=rng.choice(APPLICATIONS),
        use_case=one_of(rng, *USES, ""),
        endpoint=rng.choice(ENDPOINTS),
        model=rng.choice(MODELS),
        region=one_of(rng, *REGIONS, ""),
        tier=one_of(rng, *TIERS, ""),
        platform=one_of(rng, *PLATFORMS, ""),
        tools=some(rng, TOOLS, 0.4),
        features=some(rng, policy.FEATURES, 0.4, 3),
        max_tokens=one_of(rng, None, 16, 100000),
        body_bytes=one_of(rng, 0, 200, 600, 1200),
        turns=one_of(rng, 1, 1, 2, 5),
        tool_turns=one_of(rng, 0, 0, 1, 4),
    )
    return asked, as_sent(asked)


def unread(sent):
    """Give what the gateway's script knows of a request: it does not count turns."""
    return replace(sent, turns=None, tool_turns=None)


def _correction(rng, number, now):
    while True:
        effect = rng.choice(EFFECTS)(rng, now)
        graceful = isinstance(effect, policy.GRACEFUL) and rng.random() < 0.2
        try:
            return policy.Correction(
                id=f"COR-{number:04}.{rng.randint(1, 2)}",
                effect=effect,
                functionality=_functionality(rng, effect),
                users=_users(rng),
                mode="shadow" if rng.random() < 0.2 else "enforce",
                starts_at=_moment(rng, now, 0.15),
                expires_at=_moment(rng, now, 0.15, hours=2),
                at_expiry=one_of(rng, "hold", "lift"),
                grace_until=now + timedelta(hours=1) * one_of(rng, 1, 1, -1) if graceful else None,
                percentage=one_of(rng, 100, 100, 100, 50, 10),
                approval_digest=DIGEST,
            )
        except ValueError:
            continue


def _functionality(rng, effect):
    shutdown = isinstance(effect, policy.Shutdown | policy.Rerouting)
    return policy.Functionality(
        models=some(rng, MODELS, 1 if shutdown else 0.2),
        endpoints=some(rng, ENDPOINTS, 0.2, 3),
        applications=some(rng, APPLICATIONS, 0.15),
        use_cases=some(rng, USES, 0.2),
        platforms=some(rng, PLATFORMS, 1 if isinstance(effect, policy.MarketRemoval) else 0.15),
        features=some(rng, policy.FEATURES, 0.15, 3),
    )


def _users(rng):
    if rng.random() < 0.35:
        return policy.Users()
    return policy.Users(
        users=some(rng, USERS),
        organisations=some(rng, ORGANISATIONS, 0.2),
        keys=some(rng, KEYS, 0.2),
        regions=some(rng, REGIONS, 0.15),
        tiers=some(rng, TIERS, 0.15),
        lists=tuple(
            policy.SubjectList(of=one_of(rng, "user", "organisation", "key"), attachment=address, count=1)
            for address in some(rng, [policy.address(raw) for raw in LISTS], 0.25)
        ),
    )


def _moment(rng, now, chance, hours=1):
    return now + timedelta(hours=hours) * one_of(rng, 1, -1) if rng.random() < chance else None


def _per(rng):
    return one_of(rng, "user", "organisation", "key", "all")


def _fallbacks(rng):
    names = sorted(some(rng, ORGANISATIONS, 0.5))
    return tuple(policy.CustomerFallback(organisation=name, model=rng.choice(MODELS)) for name in names)


def drawn(number):
    """Give the policy of a draw, and what draws its requests."""
    rng = Random(number)  # noqa: S311 - the same draw again, not a secret
    now = datetime.now(UTC)
    return content(rng, now), rng


def told(found):
    """Write a policy so that a failing draw can be read."""
    return "\n".join(_short(item) for item in found.corrections)


def _short(item):
    parts = [
        f"{name}={value}"
        for part in (item, item.effect, item.functionality, item.users)
        for name, value in msgspec.structs.asdict(part).items()
        if value not in ("", (), None, 100, "enforce", DIGEST) and not isinstance(value, msgspec.Struct)
    ]
    return f"{type(item.effect).__name__} {' '.join(parts)}"
