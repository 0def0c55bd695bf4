"""What the core itself puts into inboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from incidents import inbox
from incidents.inbox import InboxItem
from incidents.models import Incident, Task
from irapp.accounts.models import RoleCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from irapp.accounts.models import User


def my_tasks(user: User) -> Iterator[InboxItem]:
    """Open tasks that I own, with their deadlines."""
    now = timezone.now()
    visible = Incident.objects.visible_to(user).open().values("pk")
    tasks = Task.objects.open().filter(owner=user, incident__in=visible).select_related("incident")
    for task in tasks.order_by("due_at", "pk")[: inbox.CAP]:
        late = task.due_at is not None and task.due_at < now
        url = f"{task.incident.get_absolute_url()}#task-{task.pk}"
        title = task.incident.title
        yield InboxItem(
            "Task", task.title, title, url, task.due_at, 0 if late else 1, task.incident.reference
        )


def without_commander(user: User) -> Iterator[InboxItem]:
    """Incidents that nobody commands, for those who could."""
    if not user.has_role(RoleCode.COMMANDER):
        return
    waiting = Incident.objects.visible_to(user).open().filter(commander=None).select_related("opened_by")
    for incident in waiting.order_by("rank", "pk")[: inbox.CAP]:
        detail = f"{incident.get_severity_display() or 'Severity not judged'}, opened by {incident.opened_by}"
        url = incident.get_absolute_url()
        yield InboxItem("Commander needed", incident.title, detail, url, None, 1, incident.reference)


def register() -> None:
    """Register the core's sources."""
    inbox.register(my_tasks)
    inbox.register(without_commander)
