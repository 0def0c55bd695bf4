"""Calls that create something may be repeated after a lost answer: the second one changes nothing.

The key is stored in the same transaction as what the call did. So there is no moment in which one of the two
is there without the other, and a second call that arrives during the first waits for its outcome.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.db import transaction
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response

from irapp.common.models import RememberedCall

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView as Base
else:
    Base = object

REMEMBERED = timedelta(days=1)
KEPT_HEADERS = ("ETag", "Location")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
Handler = Callable[..., Response]


class KeyReusedError(APIException):
    """The same key came with another request."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used for another request. Use a new one for each new request."


class Idempotent(Base):
    """Mix into a view whose POST calls take an ``Idempotency-Key``; stand before the view's other bases."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Wrap the handler once it is certain who calls and that they may."""
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None:
            if not _KEY.fullmatch(key):
                raise ValidationError({"Idempotency-Key": ["1 to 200 printable characters without spaces."]})
            self.post: Handler = _once(self.post, key)


def forget(*, now: datetime) -> int:
    """Forget the answers that nobody will ask for again."""
    return RememberedCall.objects.filter(at__lt=now - REMEMBERED).delete()[0]


def _once(handler: Handler, key: str) -> Handler:
    @transaction.atomic
    def call(request: Request, *args: Any, **kwargs: Any) -> Response:
        account, digest = int(request.user.pk or 0), _digest(request)
        mine = RememberedCall(
            account_id=account,
            key=key,
            called=f"{request.method} {request.path}"[:500],
            digest=digest,
        )
        # Waits for the outcome of another call with this key that is under way.
        RememberedCall.objects.bulk_create([mine], ignore_conflicts=True)
        known = RememberedCall.objects.select_for_update().get(account_id=account, key=key)
        if known.status is not None:
            return _again(known, digest)
        return _remember(known, handler(request, *args, **kwargs))

    return call


def _again(known: RememberedCall, digest: str) -> Response:
    if known.digest != digest:
        raise KeyReusedError
    headers = {**known.headers, "Idempotency-Replayed": "true"}
    return Response(known.body, status=known.status, headers=headers)


def _remember(call: RememberedCall, response: Response) -> Response:
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        transaction.set_rollback(True)  # a refusal may be asked again
        return response
    call.status = response.status_code
    call.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    call.body = response.data
    call.save()
    return response


def _digest(request: Request) -> str:
    """Two requests are the same if method, path and the meaning of the body are."""
    said = json.dumps([request.method, request.get_full_path(), request.data], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
