"""What messaging must ask about the thing a thread is about, answered by the app that owns it.

An app registers a Subject for its model in ready(); a thread about anything else gets the plain answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.contrib.gis.geos import GEOSGeometry
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation

from .models import Thread


@dataclass(frozen=True)
class Thing:
    """Something a message can speak of. key: stable within the thread, as "offer:12"."""

    key: str
    label: str
    thing: models.Model


class Subject:
    """The plain answers; an app's own derives from it. None of the methods may write."""

    kind: str | Promise = _("Other")

    def url(self, subject: Any) -> str:
        """The page of the case, in the reader's language; "" where there is none."""
        return subject.get_absolute_url() if hasattr(subject, "get_absolute_url") else ""

    def bureaus(self, subject: Any) -> list[Organisation]:
        """The bureaus that can be asked to join, nearest first."""
        return []

    def things(self, subject: Any, membership: Membership) -> Iterable[Thing]:
        """What messages of this thread can speak of, as this member may see it."""
        return ()

    def thing_url(self, thread: Thread, model: type[models.Model] | None, pk: int) -> str:
        """The page of something a message of the thread speaks of, in the reader's language; "" where there is none."""
        return ""

    def place_warning(self, subject: Any, membership: Membership, shape: GEOSGeometry) -> str:
        """A sentence where the shape shows others an exact place that they see blurred; "" where it does not.

        Must not tell the author anything the author may not see: "" for whoever has no exact place.
        """
        return ""


_SUBJECTS: dict[type[models.Model], Subject] = {}


def register(model: type[models.Model], subject: Subject) -> None:
    """Sets who answers for threads about the model."""
    _SUBJECTS[model] = subject


def of(thread: Thread) -> Subject:
    """Who answers for this thread."""
    model = ContentType.objects.get_for_id(thread.subject_type_id).model_class()  # cached: no query
    return _SUBJECTS.get(model, Subject()) if model else Subject()


def registered() -> dict[type[models.Model], Subject]:
    return dict(_SUBJECTS)
