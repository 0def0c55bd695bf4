import pytest


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings):
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def admin():
    from irapp.accounts.models import RoleCode
    from tests.irapp.factories import make_user

    return make_user(RoleCode.ADMINISTRATOR)


@pytest.fixture
def receiver(private_key):
    from tests.corrections.webhooks.receiver import Receiver, serving

    with serving(Receiver({"test-key": private_key.public_key()})) as running:
        yield running


@pytest.fixture
def add(admin, receiver):
    """Register the receiver and tell it its secret."""
    from corrections.webhooks import actions

    def adding(name="edge", *, required=True):
        revealed = actions.add_endpoint(name=name, url=receiver.url, required=required, by=admin)
        receiver.secret = revealed.secret
        return revealed.endpoint

    return adding


@pytest.fixture
def deliver():
    """Carry out what is owed to webhooks, once each, as a worker would; give every such item."""
    from django.utils import timezone

    from irapp.audit import leases
    from irapp.audit.models import OutboxItem
    from irapp.audit.outbox import carry_out

    def delivering():
        for claim in leases.claim(now=timezone.now()):
            if claim.handler == "webhook.deliver":
                carry_out(claim.item_id, claim.lease)
        return list(OutboxItem.objects.filter(handler="webhook.deliver").order_by("pk"))

    return delivering
