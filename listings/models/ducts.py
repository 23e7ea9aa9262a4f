"""What a duct is made of: bores with sub-ducts, chambers at its ends; and which line carries which cable."""

from django.contrib.gis.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.kinds.models import Duct

from .resources import Occupancy


def _mm(label):
    return models.DecimalField(label, max_digits=6, decimal_places=1, null=True, blank=True)


class Bore(models.Model):
    """One bore on the face of a duct bank, or a sub-duct inside one (parent). Rows count from the top.

    Further rules stand in triggers (migration 0007): a sub-duct fits its parent, a bore lies on the duct's face,
    and it is blocked within the duct's length.
    """

    duct = models.ForeignKey("listings.Resource", models.CASCADE, related_name="bores")
    label = models.CharField(_("label"), max_length=20)  # "a1", sub-ducts "a1-1"
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="sub_ducts")
    row = models.PositiveSmallIntegerField(_("row on the face"), null=True, blank=True)
    column = models.PositiveSmallIntegerField(_("column on the face"), null=True, blank=True)
    material = models.CharField(_("material"), max_length=10, choices=Duct.Material.choices, blank=True)
    inner_mm = _mm(_("inner diameter (mm)"))
    outer_mm = _mm(_("outer diameter (mm)"))
    cable_count = models.PositiveSmallIntegerField(_("cables inside"), default=0)
    occupancy_pct = models.DecimalField(_("occupied (%)"), max_digits=5, decimal_places=1, null=True, blank=True)
    cable_max_mm = _mm(_("largest cable allowed (mm)"))
    mandrel_tested_on = models.DateField(_("last mandrel test"), null=True, blank=True)
    blocked_at_m = models.DecimalField(_("blocked at (m)"), max_digits=8, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("bore")
        verbose_name_plural = _("bores")
        ordering = ["duct", "row", "column", "label"]
        constraints = [
            models.UniqueConstraint(
                fields=["duct", "label"], name="bore_label_once",
                violation_error_message=_("Two bores of the duct have the same label."),
            ),
            models.UniqueConstraint(
                fields=["duct", "row", "column"], name="bore_place_once",
                violation_error_message=_("Two bores stand at the same row and column of the face."),
            ),
            models.CheckConstraint(
                condition=Q(row=None, column=None)
                | Q(row__isnull=False, row__gte=1, column__isnull=False, column__gte=1, parent=None),
                name="bore_row_with_column",
                violation_error_message=_(
                    "A bore on the face has a row and a column from 1; a sub-duct has neither, its bore does."
                ),
            ),
            models.CheckConstraint(
                condition=(Q(inner_mm=None) | Q(inner_mm__gt=0)) & (Q(outer_mm=None) | Q(outer_mm__gt=0))
                & (Q(inner_mm=None) | Q(outer_mm=None) | Q(outer_mm__gt=F("inner_mm"))),
                name="bore_inner_below_outer",
                violation_error_message=_("The inner diameter must be smaller than the outer."),
            ),
            models.CheckConstraint(
                condition=Q(cable_max_mm=None) | Q(inner_mm=None) | Q(cable_max_mm__lte=F("inner_mm")),
                name="bore_cable_fits", violation_error_message=_("The largest cable is wider than the bore."),
            ),
            models.CheckConstraint(
                condition=Q(occupancy_pct=None) | Q(occupancy_pct__gte=0, occupancy_pct__lte=100),
                name="bore_occupancy_is_share", violation_error_message=_("Occupied is a share of 0 to 100 %."),
            ),
            models.CheckConstraint(
                condition=Q(blocked_at_m=None) | Q(blocked_at_m__gte=0), name="bore_blocked_not_negative",
                violation_error_message=_("“Blocked at” must not be negative."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.label

    @property
    def occupancy(self) -> str:
        """Blocked bores count as not usable, whatever lies in them."""
        if self.blocked_at_m is not None:
            return Occupancy.NOT_USABLE
        if self.occupancy_pct is not None and self.occupancy_pct >= 100:
            return Occupancy.FULL
        return Occupancy.ROOM_LEFT if self.occupancy_pct or self.cable_count else Occupancy.EMPTY


class Chamber(models.Model):
    """A manhole or handhole where ducts meet; several ducts of one owner share it."""

    class Type(models.TextChoices):
        MANHOLE = "manhole", _("Manhole")
        HANDHOLE = "handhole", _("Handhole")
        ENTRY = "entry", _("Building entry")
        POLE_RISER = "pole_riser", _("Riser at a pole")

    owner = models.ForeignKey(Organisation, models.PROTECT, related_name="chambers")
    code = models.CharField(_("number"), max_length=80)
    chamber_type = models.CharField(_("type"), max_length=10, choices=Type.choices, default=Type.MANHOLE)
    place = models.PointField(_("place"), srid=4326)  # exact: shown with a duct's exact place only
    depth_m = models.DecimalField(_("depth (m)"), max_digits=5, decimal_places=2, null=True, blank=True)
    ducts = models.ManyToManyField("listings.Resource", through="DuctChamber", related_name="chambers")

    class Meta:
        verbose_name = _("chamber")
        verbose_name_plural = _("chambers")
        ordering = ["code", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "code"], name="chamber_code_once"),
            models.CheckConstraint(
                condition=Q(depth_m=None) | Q(depth_m__gt=0, depth_m__lte=50), name="chamber_depth_in_range",
                violation_error_message=_("A chamber's depth lies between 0 and 50 m."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.code


class DuctChamber(models.Model):
    """A chamber at a duct's end, or at_m metres along it."""

    class End(models.TextChoices):
        A = "a", _("End A")
        BETWEEN = "between", _("Between")
        B = "b", _("End B")

    duct = models.ForeignKey("listings.Resource", models.CASCADE, related_name="chamber_links")
    chamber = models.ForeignKey(Chamber, models.CASCADE, related_name="duct_links")
    end = models.CharField(_("where"), max_length=7, choices=End.choices)
    at_m = models.DecimalField(_("at (m)"), max_digits=8, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("chamber of a duct")
        verbose_name_plural = _("chambers of ducts")
        ordering = ["duct", "end", "at_m", "pk"]  # a < b < between: pages sort by place
        constraints = [
            models.UniqueConstraint(
                fields=["duct", "chamber"], name="duct_chamber_once",
                violation_error_message=_("The duct names this chamber twice."),
            ),
            models.UniqueConstraint(
                fields=["duct", "end"], condition=Q(end__in=["a", "b"]), name="duct_chamber_one_per_end",
                violation_error_message=_("A duct has one chamber at each end."),
            ),
            models.CheckConstraint(
                condition=Q(end="between", at_m__isnull=False, at_m__gte=0) | Q(end__in=["a", "b"], at_m=None),
                name="duct_chamber_between_has_metres",
                violation_error_message=_("A chamber between the ends says at how many metres; one at an end doesn’t."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.duct_id} {self.end} {self.chamber}"


class Carriage(models.Model):
    """A cable lies in a duct, or hangs on a pole or pylon. The poles of one line share Tower.line_name."""

    cable = models.ForeignKey("listings.Resource", models.CASCADE, related_name="carriers")
    carrier = models.ForeignKey("listings.Resource", models.CASCADE, related_name="carried")
    bore = models.ForeignKey(Bore, models.SET_NULL, null=True, blank=True, related_name="carriages")

    class Meta:
        verbose_name = _("carried cable")
        verbose_name_plural = _("carried cables")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["cable", "carrier"], name="carriage_once",
                violation_error_message=_("The cable names this duct or pole twice."),
            ),
            models.CheckConstraint(
                condition=~Q(cable=F("carrier")), name="carriage_not_itself",
                violation_error_message=_("A cable does not carry itself."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.cable_id} → {self.carrier_id}"
