"""Lists that a policy names are read once, however many there are."""

import pytest

from corrections.publishing.attachments import stored
from corrections.segments import contents
from tests.corrections.segments.factories import lists_of, make_segment

pytestmark = pytest.mark.django_db


def test_however_many_lists_a_policy_names_each_is_read_once(django_assert_num_queries):
    segments = [make_segment(f"somebody-{number}") for number in range(9)]
    addresses = [lists_of(each)[0]["attachment"] for each in segments]
    contents.subjects.cache_clear()
    first, second = stored(), stored()

    with django_assert_num_queries(9):
        for attachments in (first, first, second):
            held = [attachments.subjects(address) for address in addresses]

    assert [first.subjects(address) for address in addresses] == held
    assert held[3] == {"somebody-3"}
    assert all(first.subjects(address) is second.subjects(address) for address in addresses)
