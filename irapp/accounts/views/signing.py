"""Sign-in and sign-out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.utils.decorators import method_decorator

from irapp.accounts import demo


class Login(views.LoginView):
    """Name and password; wrong ones are counted, and five lock the door for a while."""

    redirect_authenticated_user = True

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """Introduce the people of the demo, in the demo."""
        people = demo.shown() if settings.DEMO else []
        return super().get_context_data(**named) | {"demo_people": people}


@method_decorator(login_not_required, name="dispatch")
class Logout(views.LogoutView):
    """Ends the session. Who is signed out already only arrives at the sign-in page."""
