import pytest

from irapp.common import checks


@pytest.mark.parametrize(
    ("check", "setting", "wrong", "right", "number"),
    [
        (checks.broker_keeps_messages, "CELERY_BROKER_URL", "", "redis://x", "irapp.E001"),
        (checks.broker_keeps_messages, "CELERY_BROKER_URL", "memory://", "amqp://x", "irapp.E001"),
        (checks.demo_is_off, "DEMO", True, False, "irapp.E002"),
        (checks.pages_are_encrypted, "HTTPS", False, True, "irapp.W001"),
    ],
)
def test_a_wrong_setting_has_a_numbered_message_with_a_hint(settings, check, setting, wrong, right, number):
    setattr(settings, setting, wrong)
    (message,) = check()
    assert message.id == number
    assert message.hint

    setattr(settings, setting, right)
    assert check() == []
