"""The four kinds' own tables; each row belongs to one Resource and shares its key."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from listings.kinds import ranges


class Facts(models.Model):
    """What the four tables share: the resource they tell of."""

    class Meta:
        abstract = True

    def __str__(self):
        return f"{self._meta.verbose_name} {self.pk}"


def _metres(label, **options):
    return models.DecimalField(label, max_digits=8, decimal_places=2, null=True, blank=True, **options)


class Tower(Facts):
    """A tower or pole (铁塔·杆). Its platforms are capacity pools with a mounting height."""

    class Type(models.TextChoices):
        TELECOM_TOWER = "telecom_tower", _("Telecom tower")
        POWER_PYLON = "power_pylon", _("Power pylon")
        POWER_POLE = "power_pole", _("Power pole")
        LAMP_POLE = "lamp_pole", _("Lamp pole")
        TRAFFIC_SIGNAL = "traffic_signal", _("Traffic signal pole")
        SURVEILLANCE = "surveillance", _("Surveillance pole")
        GANTRY = "gantry", _("Gantry")
        SMART_POLE = "smart_pole", _("Smart pole")
        ROOF_POLE = "roof_pole", _("Roof pole")
        MAST = "mast", _("Mast")

    class Structure(models.TextChoices):
        ANGLE_STEEL = "angle_steel", _("Angle steel")
        MONOPOLE = "monopole", _("Monopole")
        THREE_TUBE = "three_tube", _("Three-tube")
        GUYED = "guyed", _("Guyed")
        ROOF = "roof", _("Roof structure")
        LANDSCAPE = "landscape", _("Landscape")
        WOOD = "wood", _("Wood")
        CONCRETE = "concrete", _("Concrete")
        STEEL = "steel", _("Steel")

    class Reinforcement(models.TextChoices):
        NONE = "none", _("Not needed")
        POSSIBLE = "possible", _("Possible")
        NOT_ALLOWED = "not_allowed", _("Not allowed (foundation or main members)")

    class SpacingReason(models.TextChoices):
        """Why platforms recorded here may be more than 5 m apart (YD 5191-2009)."""

        PARTIAL_LIST = "partial_list", _("Not all platforms are listed")
        AS_BUILT = "as_built", _("Built so, measured on site")

    resource = models.OneToOneField("listings.Resource", models.CASCADE, primary_key=True, related_name="tower")
    tower_type = models.CharField(_("type"), max_length=16, choices=Type.choices, default=Type.TELECOM_TOWER)
    structure = models.CharField(_("structure"), max_length=12, choices=Structure.choices, blank=True)
    height_m = models.DecimalField(_("height (m)"), max_digits=6, decimal_places=1, null=True, blank=True)
    spacing_reason = models.CharField(
        _("platforms more than 5 m apart, because"), max_length=12, choices=SpacingReason.choices, blank=True
    )
    load_used_pct = models.DecimalField(_("load used (%)"), max_digits=5, decimal_places=1, null=True, blank=True)
    wind_area_m2 = _metres(_("wind area left (m²)"))
    load_kg = _metres(_("load left (kg)"))
    reinforcement = models.CharField(_("reinforcement"), max_length=12, choices=Reinforcement.choices, blank=True)
    is_isolation_met = models.BooleanField(_("isolation satisfied"), null=True, blank=True)
    is_papers_complete = models.BooleanField(_("design and acceptance papers complete"), null=True, blank=True)
    mains_v = models.PositiveIntegerField(_("mains voltage (V)"), null=True, blank=True)
    spare_kva = _metres(_("spare power (kVA)"))
    has_backup = models.BooleanField(_("back-up power"), null=True, blank=True)
    has_fibre = models.BooleanField(_("fibre at site"), null=True, blank=True)
    line_kv = models.PositiveIntegerField(_("power line (kV)"), null=True, blank=True)
    line_name = models.CharField(_("power line"), max_length=80, blank=True)
    line_tower_no = models.CharField(_("tower number on the line"), max_length=40, blank=True)
    live_work_clearance_m = _metres(_("live-work clearance (m)"))
    outage_window = models.CharField(_("outage window"), max_length=160, blank=True)

    class Meta:
        verbose_name = _("tower")
        verbose_name_plural = _("towers")
        constraints = [
            models.CheckConstraint(
                condition=Q(height_m=None) | Q(height_m__gt=0, height_m__lte=500), name="tower_height_in_range",
                violation_error_message=_("A tower's height lies between 0 and 500 m."),
            ),
            models.CheckConstraint(
                condition=Q(load_used_pct=None) | Q(load_used_pct__gte=0, load_used_pct__lte=100),
                name="tower_load_is_share", violation_error_message=_("Load used is a share of 0 to 100 %."),
            ),
            ranges.constraint("tower"),
        ]  # fmt: skip


class Duct(Facts):
    """A duct or pipe segment (管道). Its bores of one size are a capacity pool."""

    class Network(models.TextChoices):
        TELECOM = "telecom", _("Telecom")
        POWER = "power", _("Power")
        GAS = "gas", _("Gas")
        WATER = "water", _("Water")
        SEWER = "sewer", _("Sewer")
        ROAD = "road", _("Road")
        UTILITY_TUNNEL = "utility_tunnel", _("Utility tunnel")

    class Material(models.TextChoices):
        PVC = "pvc", _("PVC")
        HDPE = "hdpe", _("HDPE (silicon core)")
        STEEL = "steel", _("Steel")
        CONCRETE = "concrete", _("Concrete")

    class Surface(models.TextChoices):
        CARRIAGEWAY = "carriageway", _("Carriageway")
        FOOTWAY = "footway", _("Footway")
        VERGE = "verge", _("Verge or green")
        FIELD = "field", _("Field or forest")
        BRIDGE = "bridge", _("Bridge")
        WATER = "water", _("Under water")
        RAILWAY = "railway", _("Under railway")
        INDOOR = "indoor", _("Inside a building or tunnel")

    class Laying(models.TextChoices):
        TRENCH = "trench", _("Open trench")
        DRILLED = "drilled", _("Directional drilling")
        JACKED = "jacked", _("Pipe jacking")
        MICRO_TRENCH = "micro_trench", _("Micro-trench")
        TUNNEL = "tunnel", _("In a utility tunnel")
        CABLE_TRENCH = "cable_trench", _("In a cable trench")
        BRIDGE = "bridge", _("On a bridge")

    class DepthAccuracy(models.TextChoices):
        M_0_1 = "0.1", _("within 0.1 m")
        M_0_3 = "0.3", _("within 0.3 m")
        M_1 = "1", _("within 1 m")
        WORSE = "worse", _("worse than 1 m")
        UNKNOWN = "unknown", _("unknown")

    resource = models.OneToOneField("listings.Resource", models.CASCADE, primary_key=True, related_name="duct")
    network = models.CharField(_("host network"), max_length=16, choices=Network.choices, default=Network.TELECOM)
    material = models.CharField(_("material"), max_length=10, choices=Material.choices, blank=True)
    surveyed_length_m = _metres(_("length as surveyed (m)"))
    cover_depth_m = _metres(_("cover depth (m)"))
    depth_accuracy = models.CharField(_("depth accuracy"), max_length=8, choices=DepthAccuracy.choices, blank=True)
    surface = models.CharField(_("surface above"), max_length=12, choices=Surface.choices, blank=True)
    laying = models.CharField(_("laying method"), max_length=12, choices=Laying.choices, blank=True)
    face_rows = models.PositiveSmallIntegerField(_("rows of the duct-bank face"), null=True, blank=True)
    face_columns = models.PositiveSmallIntegerField(_("columns of the duct-bank face"), null=True, blank=True)
    inner_mm = _metres(_("inner diameter (mm)"))
    outer_mm = _metres(_("outer diameter (mm)"))
    cable_max_mm = _metres(_("largest cable allowed (mm)"))
    blocked_at_m = _metres(_("blocked at (m)"))
    mandrel_tested_on = models.DateField(_("last mandrel test"), null=True, blank=True)

    class Meta:
        verbose_name = _("duct")
        verbose_name_plural = _("ducts")
        constraints = [
            models.CheckConstraint(
                condition=Q(inner_mm=None) | Q(outer_mm=None) | Q(outer_mm__gt=F("inner_mm")),
                name="duct_inner_below_outer",
                violation_error_message=_("The inner diameter must be smaller than the outer."),
            ),
            models.CheckConstraint(
                condition=Q(blocked_at_m=None) | Q(surveyed_length_m=None)
                | Q(blocked_at_m__lte=F("surveyed_length_m")),
                name="duct_blocked_within_length",
                violation_error_message=_("“Blocked at” lies beyond the end of the duct."),
            ),
            models.CheckConstraint(
                condition=Q(cable_max_mm=None) | Q(inner_mm=None) | Q(cable_max_mm__lte=F("inner_mm")),
                name="duct_cable_fits", violation_error_message=_("The largest cable is wider than the bore."),
            ),
            ranges.constraint("duct"),
        ]  # fmt: skip


class Cable(Facts):
    """An optical cable (光缆). Its cores are a capacity pool."""

    class Level(models.TextChoices):
        BACKBONE = "backbone", _("Backbone")
        PROVINCIAL = "provincial", _("Provincial")
        METRO = "metro", _("Metropolitan")
        ACCESS = "access", _("Access")

    class Fibre(models.TextChoices):
        G652D = "g652d", "G.652D"
        G654E = "g654e", "G.654E"
        G655 = "g655", "G.655"
        G657A = "g657a", "G.657A"

    class Carrier(models.TextChoices):
        DUCT = "duct", _("In duct")
        BURIED = "buried", _("Buried")
        OPGW = "opgw", _("OPGW (ground wire)")
        ADSS = "adss", _("ADSS (self-supporting)")
        POLE = "pole", _("On poles")

    resource = models.OneToOneField("listings.Resource", models.CASCADE, primary_key=True, related_name="cable")
    cable_level = models.CharField(_("role"), max_length=10, choices=Level.choices, default=Level.METRO)
    fibre = models.CharField(_("fibre type"), max_length=8, choices=Fibre.choices, blank=True)
    carrier = models.CharField(_("carrier"), max_length=8, choices=Carrier.choices, blank=True)
    sheath_km = models.DecimalField(_("sheath length (km)"), max_digits=9, decimal_places=3, null=True, blank=True)
    attenuation_db_per_km = models.DecimalField(
        _("attenuation (dB/km)"), max_digits=5, decimal_places=3, null=True, blank=True
    )
    end_a = models.CharField(_("end A"), max_length=120, blank=True)
    end_b = models.CharField(_("end B"), max_length=120, blank=True)
    end_a_odf = models.CharField(_("ODF at end A"), max_length=80, blank=True)
    end_b_odf = models.CharField(_("ODF at end B"), max_length=80, blank=True)
    ready_on = models.DateField(_("ready for service"), null=True, blank=True)

    class Meta:
        verbose_name = _("cable")
        verbose_name_plural = _("cables")
        constraints = [
            models.CheckConstraint(
                condition=Q(attenuation_db_per_km=None)
                | Q(attenuation_db_per_km__gt=0, attenuation_db_per_km__lte=5),
                name="cable_attenuation_in_range",
                violation_error_message=_("Attenuation lies between 0 and 5 dB/km."),
            ),
            ranges.constraint("cable"),
        ]  # fmt: skip


class Room(Facts):
    """A machine room (机房). Rack units and kW are two capacity pools, and a request must fit both."""

    resource = models.OneToOneField("listings.Resource", models.CASCADE, primary_key=True, related_name="room")
    area_m2 = _metres(_("floor area (m²)"))
    clear_height_m = _metres(_("clear height (m)"))
    floor_load_kn_per_m2 = _metres(_("floor load (kN/m²)"))
    rack_count = models.PositiveIntegerField(_("racks"), null=True, blank=True)
    rack_height_u = models.PositiveSmallIntegerField(_("rack units per rack (U)"), null=True, blank=True)
    mains_spare_kva = _metres(_("spare mains power (kVA)"))
    has_dc48 = models.BooleanField(_("−48 V supply"), null=True, blank=True)
    has_ups = models.BooleanField(_("UPS"), null=True, blank=True)
    battery_h = _metres(_("battery (hours)"))
    cooling_kw = _metres(_("cooling (kW)"))
    fire_system = models.CharField(_("fire system"), max_length=80, blank=True)
    entry_bore_count = models.PositiveIntegerField(_("cable entry bores"), null=True, blank=True)
    odf_port_count = models.PositiveIntegerField(_("ODF ports"), null=True, blank=True)
    tenure_ends_on = models.DateField(_("tenure ends"), null=True, blank=True)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.CheckConstraint(
                condition=Q(area_m2=None) | Q(area_m2__gt=0), name="room_area_positive",
                violation_error_message=_("The floor area must be above 0 m²."),
            ),
            ranges.constraint("room"),
        ]  # fmt: skip
