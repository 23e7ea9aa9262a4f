from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation

from .resources import Resource


class SavedSearch(models.Model):
    """A search a person keeps under a name; told of what newly fits it, as far as they may see it then.

    Belongs to the person as a member of one organisation (None: to the person alone), because that decides what they
    are shown. Which resources fitted when it was saved stands in `known`, so that those are no news.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_searches")
    organisation = models.ForeignKey(Organisation, models.CASCADE, null=True, blank=True, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    query = models.TextField(max_length=20_000)  # the map page's query string without page and view
    is_alerting = models.BooleanField(_("tell me of resources that newly fit"), default=True)
    sieve = models.JSONField(default=dict)  # listings/saved_sieve.py: what a resource must have to come into question
    known = models.BinaryField(null=True)  # saved_sieve.packed() ids; None: too many, only what is published later
    created_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "name"], name="saved_search_name_once", nulls_distinct=False,
                violation_error_message=_("You have a saved search of this name already."),
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(query=""), name="saved_search_says_something",
                violation_error_message=_("A saved search has a name and at least one condition."),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["id"], condition=Q(is_alerting=True), name="saved_search_alerting")]

    def __str__(self):
        return self.name


class SavedFind(models.Model):
    """A resource that newly fits a saved search; once per search, however often it changes."""

    search = models.ForeignKey(SavedSearch, models.CASCADE, related_name="finds")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="+")
    found_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("find of a saved search")
        verbose_name_plural = _("finds of saved searches")
        ordering = ["-found_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["search", "resource"], name="saved_find_once")]
        indexes = [models.Index(fields=["search"], condition=Q(told_at=None), name="saved_find_untold")]

    def __str__(self):
        return f"{self.search_id}: {self.resource_id}"


class SearchChange(models.Model):
    """A published resource that changed in what searches ask; written by triggers, taken away by the alerts."""

    resource_id = models.BigIntegerField()

    class Meta:
        verbose_name = _("change searches may notice")
        verbose_name_plural = _("changes searches may notice")

    def __str__(self):
        return str(self.resource_id)
