"""What the API remembers of calls that must not happen twice."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder


class RememberedCall(models.Model):
    """The answer to a call with an ``Idempotency-Key``, stored in the transaction of what the call did."""

    account_id = models.BigIntegerField()
    key = models.CharField(max_length=200)
    called = models.CharField(max_length=500, help_text="Method and path.")
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty only inside the transaction.")
    headers = models.JSONField(default=dict)
    body = models.JSONField(null=True, encoder=JSONEncoder)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "key"], name="call_remembered_once")
        ]

    def __str__(self) -> str:
        return f"{self.called} {self.key}"
