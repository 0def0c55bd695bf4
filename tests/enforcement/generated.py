"""Policies and requests for property tests, from few names so that they meet often."""

from __future__ import annotations

from hypothesis import strategies as st

from enforcement import policy
from enforcement.decide import Attributes
from tests.enforcement.world import DIGEST

USERS = ("alice", "bob", "carol", "dave", "eve", "zoë")
ORGANISATIONS = ("acme", "globex", "initech")
KEYS = ("key-1", "key-2", "alice")
APPLICATIONS = ("app-1", "app-2")
USES = ("research", "medical")
MODELS = ("aurora-large", "aurora-small", "other")
TOOLS = ("shell", "weather", "browser")
ENDPOINTS = tuple(policy.ENDPOINTS)


def some(names):
    return st.lists(st.sampled_from(names), max_size=2, unique=True).map(tuple)


def often_none(names):
    return st.one_of(st.just(()), st.just(()), some(names))


functionality = st.builds(
    policy.Functionality,
    models=often_none(MODELS),
    endpoints=often_none(ENDPOINTS),
    applications=often_none(APPLICATIONS),
    use_cases=often_none(USES),
)
users = st.builds(
    policy.Users, users=often_none(USERS), organisations=often_none(ORGANISATIONS), keys=often_none(KEYS)
)
effects = st.one_of(
    st.just(policy.Block()),
    st.just(policy.ForbidUse()),
    st.builds(policy.Suspend, retry_after_seconds=st.sampled_from([None, 60])),
    st.builds(policy.Reroute, fallback_model=st.sampled_from(MODELS)),
    st.builds(policy.ToolsOff, tools=often_none(TOOLS)),
    st.builds(policy.OutputCap, max_tokens=st.sampled_from([1, 64, 4096])),
    st.builds(
        policy.RequestLimit,
        requests=st.sampled_from([1, 3]),
        window_seconds=st.just(3600),
        per=st.sampled_from(["user", "organisation", "key"]),
    ),
)


@st.composite
def corrections(draw, number):
    """Give a correction, or nothing where the parts contradict each other."""
    try:
        return policy.Correction(
            id=f"COR-{number:04}.1",
            effect=draw(effects),
            functionality=draw(functionality),
            users=draw(users),
            mode=draw(st.sampled_from(["enforce", "enforce", "enforce", "shadow"])),
            percentage=draw(st.sampled_from([100, 100, 100, 50, 10])),
            approval_digest=DIGEST,
        )
    except ValueError:
        return None


@st.composite
def contents(draw):
    numbers = draw(st.lists(st.integers(1, 99), max_size=14, unique=True))
    found = [draw(corrections(number)) for number in sorted(numbers)]
    return policy.Content(corrections=tuple(item for item in found if item is not None))


def attributes():
    return st.builds(
        Attributes,
        user=st.sampled_from(USERS),
        organisation=st.sampled_from(ORGANISATIONS),
        key=st.sampled_from(KEYS),
        application=st.sampled_from(APPLICATIONS),
        use_case=st.sampled_from(USES),
        endpoint=st.sampled_from(ENDPOINTS),
        model=st.sampled_from(MODELS),
        tools=some(TOOLS),
        max_tokens=st.sampled_from([None, 16, 100000]),
    )
