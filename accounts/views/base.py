"""What every view of this room leans on: who acts, and how a refusal becomes a sentence on the page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.errors import NotPermitted, Refused


def member_required(*roles: str):
    """For pages of one's own organisation: anonymous → sign-in, nobody's member → My work, role missing → 403."""

    def decorate(view):
        @wraps(view)
        @login_required
        def checked(request, *args, **kwargs):
            if not request.membership:
                messages.info(request, _("Join an organisation or set one up first."))
                return redirect("my_work")
            if roles and not request.membership.has_role(*roles):
                raise PermissionDenied(_("Your role in this organisation does not include this page."))
            return view(request, *args, **kwargs)

        return checked

    return decorate


def attempt(request, act: Callable[..., Any], *, form=None, field: str | None = None, **kwargs) -> Any:
    """Runs an action: its result, or None after the refusal has been put on the form or into a message.

    NotPermitted becomes 403. An action that returns None itself counts as done: it gives True.
    """
    try:
        result = act(**kwargs)
    except NotPermitted as error:
        raise PermissionDenied(str(error.message)) from error
    except Refused as error:
        if form is None:
            messages.error(request, str(error.message))
        else:
            form.add_error(field, str(error.message))
        return None
    except ValidationError as error:
        if form is None:
            messages.error(request, " ".join(error.messages))
        else:
            form.add_error(None, error)
        return None
    return True if result is None else result
