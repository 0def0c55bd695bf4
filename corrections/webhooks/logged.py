"""How what happens to webhooks reads in the audit log, and where their pages are."""

from __future__ import annotations

from django.urls import reverse

from incidents import telling

WORDS = {
    "webhook.added": ("Webhook added", "plus", "info"),
    "webhook.secret_rotated": ("Secret of a webhook rotated", "loop", "info"),
    "webhook.paused": ("Webhook paused", "slash", "warn"),
    "webhook.resumed": ("Webhook resumed", "loop", "info"),
    "webhook.required": ("Webhook required for corrections to be in force", "shield-check", "info"),
    "webhook.not_required": ("Webhook no longer waited for", "slash", "warn"),
    "webhook.removed": ("Webhook removed", "cross-circle", "warn"),
    "webhook.pinged": ("Webhook tried out", "signal", "neutral"),
    "webhook.failing": ("Webhook does not acknowledge", "octagon-cross", "danger"),
    "webhook.recovered": ("Webhook acknowledges again", "check-circle", "ok"),
}


def register() -> None:
    """Tell the floors below."""
    for verb, words in WORDS.items():
        telling.register(verb, *words)
    telling.register_address("webhooks.endpoint", lambda pk: reverse("webhooks:detail", args=[pk]))
