"""Which rows. Adjectives filter, with_… annotates; visible_to() is the only way from a reader to resources."""

from django.contrib.gis.db import models

from accounts.models import Membership
from listings import disclosure


class ResourceQuerySet(models.QuerySet):
    def visible_to(self, membership: Membership | None):
        """What this reader may read, with shown_place and is_exact; the exact columns are not fetched."""
        return (
            self.filter(disclosure.listed_for(membership))
            .annotate(shown_place=disclosure.shown_place(membership), is_exact=disclosure.is_exact(membership))
            .defer("place", "shown_cell")
        )

    def published(self):
        return self.filter(state="published")

    def owned_by(self, organisation):
        return self.filter(owner=organisation)


class DemandListQuerySet(models.QuerySet):
    def public(self):
        """Under notice, in force or closed: what anyone may read."""
        return self.filter(state__in=["notice", "in_force", "closed"])


class DemandLineQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state="open")
