"""Organisations, people with sessions and conversations for a private site. Import after Django is set up for it."""

import os

import django

from ._browser import Person
from ._site import Site


def set_up(site: Site) -> None:
    """Points this process at the site's database."""
    os.environ.update(site.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "sharing.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the harness asks the database between two faults, one at a time
    django.setup()


def people(threads: int, per_thread: int = 2, *, prefix: str = "c", accounts: int | None = None) -> list[list[Person]]:
    """Conversations of two organisations, with so many signed-in people each, sides in turn.

    accounts: that many people altogether, who then sit in several conversations.
    """
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.contenttypes.models import ContentType
    from django.middleware.csrf import _get_new_csrf_string

    from accounts.models import Membership, User
    from accounts.sessions import SessionStore
    from messaging.models import Thread, ThreadParty
    from tests.world import make_organisation, make_regions

    make_regions()
    sides = [make_organisation(f"{prefix} Owner"), make_organisation(f"{prefix} Operator")]
    kind = ContentType.objects.get_for_model(User)
    made: list[Person] = []
    rooms = []
    for i in range(threads):
        first = None
        room = []
        for j in range(per_thread):
            known = len(made) >= (accounts or 1 << 30)
            if known:
                user_id = made[(i * per_thread + j) % len(made)].user
                user, side = User.objects.get(pk=user_id), sides[((i * per_thread + j) % len(made)) % 2]
            else:
                side = sides[len(made) % 2]
                user = User.objects.create(email=f"{prefix}{i}-{j}@example.org", name=f"{prefix} {i}-{j}", password="!")
                Membership.objects.create(user=user, organisation=side, roles=["admin", "negotiator"])
            if first is None:
                first = Thread.objects.create(subject_type=kind, subject_id=user.pk * 1000 + i, title=f"{prefix} {i}")
                for party in sides:
                    ThreadParty.objects.create(thread=first, organisation=party)
            session = SessionStore()
            session[SESSION_KEY] = str(user.pk)
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
            session.create()
            token = _get_new_csrf_string()
            cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key}; {settings.CSRF_COOKIE_NAME}={token}"
            person = Person(cookie, token, first.pk, user.pk, side.pk)
            if not known:
                made.append(person)
            room.append(person)
        rooms.append(room)
    return rooms
