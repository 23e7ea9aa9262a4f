"""Which rows. Adjectives filter, with_… annotates; visible_to() is the only way from a reader to resources."""

from django.contrib.gis.db import models
from django.db.models.functions import Coalesce

from accounts.models import Membership, Organisation
from listings import disclosure


class ResourceQuerySet(models.QuerySet):
    """Resources; one that went through visible_to() remembers its reader, and search() needs one."""

    _reader: tuple = ()  # () before visible_to(), then (membership or None,)

    def _clone(self):
        clone = super()._clone()
        clone._reader = self._reader
        return clone

    def visible_to(self, membership: Membership | None):
        """What this reader may read, with shown_place and is_exact; the exact columns are not fetched."""
        rows = (
            self.filter(disclosure.listed_for(membership))
            .annotate(shown_place=disclosure.shown_place(membership), is_exact=disclosure.is_exact(membership))
            .defer("place", "shown_cell")
        )
        rows._reader = (membership or None,)
        return rows

    def published(self):
        return self.filter(state="published")

    def owned_by(self, organisation):
        return self.filter(owner=organisation)

    def kept_by(self, organisation):
        """Those whose record the organisation keeps: its own, and those it manages."""
        return self.filter(models.Q(owner=organisation) | models.Q(manager=organisation))

    def search(self, **criteria):
        """The resources that meet the criteria (listings/search.py names them), in a total order.

        Stands behind visible_to() only: places, addresses and codes are compared as far as the reader may see
        them. Raises TypeError otherwise. Resolving a text costs up to two small queries per word.
        """
        from listings import search

        if not self._reader:
            raise TypeError("search() needs a reader: call visible_to(membership) first")
        return search.ordered(search.meeting(self, self._reader[0], criteria), self._reader[0], criteria)


def _acts_for_bureau(membership: Membership | None) -> bool:
    """Whether the membership is of a verified bureau: rows are scoped below the layer of permissions."""
    if not membership or membership.ended_at:
        return False
    return membership.organisation.is_bureau and membership.organisation.is_verified


def _overseen(membership: Membership | None, path: str = "") -> models.Q:
    """Lists of the bureau itself, of its region and below, and those it co-signs; nothing for anybody else."""
    if not _acts_for_bureau(membership):
        return models.Q(pk__in=[])
    bureau = membership.organisation
    return (
        models.Q(**{f"{path}bureau_id": bureau.pk})
        | models.Q(**{f"{path}region__code__startswith": bureau.region.prefix})
        | models.Q(**{f"{path}pk__in": bureau.co_signed.order_by().values("demand_list")})
    )


class DemandListQuerySet(models.QuerySet):
    def public(self):
        """Under notice, in force or closed: what anyone may read."""
        return self.filter(state__in=["notice", "in_force", "closed"])

    def curated_by(self, membership: Membership | None):
        """The lists this person's bureau keeps; none for anybody who does not act for a verified bureau."""
        if not _acts_for_bureau(membership):
            return self.none()
        return self.filter(
            bureau_id=membership.organisation_id, region__code__startswith=membership.organisation.region.prefix
        )

    def overseen_by(self, membership: Membership | None):
        """What stands on the person's desk: their bureau's own lists, those of its region, those it co-signs."""
        return self.filter(_overseen(membership))

    def readable_by(self, membership: Membership | None):
        """What is public, and what stands on one's own desk."""
        return self.filter(models.Q(state__in=["notice", "in_force", "closed"]) | _overseen(membership))

    def notice_over(self, now):
        """Lists whose notice has ended, with no objection left to decide, that are not in force yet."""
        undecided = self.model._meta.get_field("objections").related_model.objects.filter(
            demand_list=models.OuterRef("pk"), outcome=""
        )
        return self.filter(~models.Exists(undecided), state="notice", notice_ends_at__lt=now)

    def open_calls(self, now):
        """Drafts that operators can hand lines in to."""
        return self.filter(state="draft", call_closes_at__gt=now)

    def with_counts(self):
        """line_count and of it open_, requested_ and fulfilled_count; besides, withdrawn_count, which it leaves out."""
        lines = self.model._meta.get_field("lines").related_model.objects.filter(demand_list=models.OuterRef("pk"))

        def count(rows):
            counted = rows.order_by().values("demand_list").annotate(n=models.Count("pk")).values("n")
            return Coalesce(models.Subquery(counted, output_field=models.IntegerField()), 0)

        return self.annotate(
            line_count=count(lines.exclude(state="withdrawn")),
            open_count=count(lines.filter(state="open")),
            requested_count=count(lines.filter(state="requested")),
            fulfilled_count=count(lines.filter(state="fulfilled")),
            withdrawn_count=count(lines.filter(state="withdrawn")),
        )

    def search(self, *, text: str = "", state: str = "", region: str = "", batch: str = ""):
        """The lists that fit; an empty value leaves its field open. region: a division code, its divisions included."""
        rows = self
        if text:
            rows = rows.filter(
                models.Q(title_zh__icontains=text)
                | models.Q(title_en__icontains=text)
                | models.Q(reference__icontains=text)
            )
        if state:
            rows = rows.filter(state=state)
        if region:
            prefix = region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region
            rows = rows.filter(region__code__startswith=prefix)
        if batch:
            rows = rows.filter(batch=batch)
        return rows


class DemandLineQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state="open")

    def curated_by(self, membership: Membership | None):
        """The lines of the lists this person's bureau keeps."""
        if not _acts_for_bureau(membership):
            return self.none()
        return self.filter(
            demand_list__bureau_id=membership.organisation_id,
            demand_list__region__code__startswith=membership.organisation.region.prefix,
        )

    def overseen_by(self, membership: Membership | None):
        """The lines of the lists on the person's desk."""
        return self.filter(_overseen(membership, "demand_list__"))

    def readable_by(self, membership: Membership | None):
        """Lines of public lists, and of those on one's own desk. Places of lines are published by the bureau
        (a need is no critical facility), so readers of a line read its exact place."""
        public = models.Q(demand_list__state__in=["notice", "in_force", "closed"])
        return self.filter(public | _overseen(membership, "demand_list__"))

    def handed_in_for(self, membership: Membership | None):
        """What the person's own organisation has handed in; nobody else but the bureau sees it before the notice."""
        if not membership or membership.ended_at:
            return self.none()
        return self.filter(handed_in_by_id=membership.organisation_id)

    def asked_by(self, organisation: Organisation):
        return self.filter(applicant=organisation)

    def search(self, *, text: str = "", kind: str = "", state: str = ""):
        """The lines that fit; an empty value leaves its field open. Digits alone also find the line's number."""
        rows = self
        if kind:
            rows = rows.filter(kind=kind)
        if state:
            rows = rows.filter(state=state)
        if text:
            found = (
                models.Q(title__icontains=text)
                | models.Q(applicant_name__icontains=text)
                | models.Q(applicant__name_zh__icontains=text)
                | models.Q(applicant__name_en__icontains=text)
                | models.Q(applicant_code__icontains=text)
            )
            if text.isdecimal() and len(text) < 9:
                found |= models.Q(number=int(text))
            rows = rows.filter(found)
        return rows
