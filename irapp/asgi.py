"""Live updates, in a process of their own: pages and API are served by :mod:`irapp.wsgi`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irapp.settings")
django.setup()

from irapp.audit.live.app import Live  # noqa: E402 - needs the apps

application = Live()
