"""Settings of the tests: the real ones, in an environment that owes nothing to the machine it runs on.

Only ``DATABASE_URL`` is taken from outside. Type checkers load this file too, so it starts nothing.
"""

import os

KEPT = os.environ.get("DATABASE_URL", "postgres://nobody@127.0.0.1:1/not-started")
SET_ASIDE = (
    *("DEBUG", "DEMO", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "LIVE_URL", "PUBLIC_URL", "GATEWAY_URL"),
    *("REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY_FILE", "STATIC_ROOT", "LOG_LEVEL", "BEHIND_PROXY"),
    *("ENFORCEMENT_URLS", "ENFORCEMENT_TOKEN", "ENFORCEMENT_TOKEN_FILE", "SECURE_SSL_REDIRECT"),
    *("POLICY_SIGNING_KEY_FILE", "POLICY_KEY_ID", "WEBHOOK_ALLOWED_NETWORKS", "WEBHOOK_CA_FILE"),
)
for name in SET_ASIDE:
    os.environ.pop(name, None)
os.environ["DATABASE_URL"] = KEPT
os.environ["SECRET_KEY"] = "for-the-tests-alone-and-nowhere-else-0123456789"
os.environ["CELERY_BROKER_URL"] = "redis://127.0.0.1:1/0"  # nobody listens: nothing may depend on it

from irapp.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; the strength is not tested here
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # nobody has collected the files
