from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Tone(models.TextChoices):
    """How much of a resource is free; the map's colour and the list's word."""

    FREE = "free", _("All free")
    PARTLY = "partly", _("Partly free")
    FULL = "full", _("Nothing free")


class Tally(models.Model):
    """What searches filter, sort and colour by: one resource's pools, facts and shown places in one narrow row.

    Kept by triggers on resource, pools and facts (SQL function tally_resources), and never written from Python. The
    main unit is the kind's own: antenna positions, bores, cores, rack units; a room whose kW are used up counts as
    full. Boxes are in millionths of a degree, rounded outwards: open_… around the place every visitor is shown,
    verified_… around what any verified organisation is shown; no exact place that is disclosed to nobody stands here.
    """

    resource = models.OneToOneField("listings.Resource", models.CASCADE, primary_key=True, related_name="tally")
    total_units = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    free_units = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    free_kw = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # rooms with a kW pool
    price_fen = models.BigIntegerField(null=True)  # lowest per main unit and year; None: to be negotiated
    height_m = models.DecimalField(max_digits=6, decimal_places=1, null=True)  # of the structure, else highest platform
    tone = models.CharField(max_length=6, choices=Tone.choices, default=Tone.FULL)
    facets = models.BigIntegerField(default=0)  # search_keys.LAYOUT; 0: not published
    open_west = models.IntegerField(default=0)
    open_south = models.IntegerField(default=0)
    open_east = models.IntegerField(default=0)
    open_north = models.IntegerField(default=0)
    verified_west = models.IntegerField(default=0)
    verified_south = models.IntegerField(default=0)
    verified_east = models.IntegerField(default=0)
    verified_north = models.IntegerField(default=0)
    span = models.IntegerField(default=0)  # longer side of the open box
    published_at = models.DateTimeField(null=True)
    owner_id = models.BigIntegerField(default=0)
    manager_id = models.BigIntegerField(default=0)  # 0: the owner manages
    is_timed = models.BooleanField(default=False)  # free capacity depends on the day: a window, or units taken here
    slot = models.IntegerField(null=True)  # place in the search blocks; None: not there yet

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        indexes = [
            models.Index(fields=["resource"], condition=Q(slot=None, facets__gt=0), name="tally_not_placed"),
            models.Index(fields=["owner_id", "slot"], name="tally_owner"),
            models.Index(fields=["manager_id", "slot"], condition=Q(manager_id__gt=0), name="tally_manager"),
            models.Index(fields=["slot"], condition=Q(is_timed=True), name="tally_timed"),
            models.Index(fields=["-span"], condition=Q(span__gt=50_000), name="tally_long"),
        ]  # fmt: skip
        # Only where there is a slot: else the planner would look for the few that wait for one among all unpublished.
        constraints = [
            models.UniqueConstraint(fields=["slot"], condition=Q(slot__isnull=False), name="tally_slot_once")
        ]

    def __str__(self):
        return f"{self.free_units} / {self.total_units} · {self.resource_id}"


class BitsField(models.Field):
    """PostgreSQL's bit varying; read and written by listings/search_index alone."""

    def db_type(self, connection):
        return "bit varying"


class SearchBlock(models.Model):
    """Up to 2,048 resources near each other, column by column: what a search reads where a line cuts through them.

    Derived from Tally by listings/search_index/fold.py and safe to delete: rows without a block are read one by one.
    Columns are little-endian arrays in slot order; boxes as four arrays one after the other.
    """

    number = models.IntegerField(primary_key=True)
    count = models.IntegerField()  # published ones
    open_west = models.IntegerField()  # around the open boxes of its published rows; millionths of a degree
    open_south = models.IntegerField()
    open_east = models.IntegerField()
    open_north = models.IntegerField()
    verified_west = models.IntegerField()
    verified_south = models.IntegerField()
    verified_east = models.IntegerField()
    verified_north = models.IntegerField()
    facets = models.BinaryField()  # int64; 0 where a slot is empty
    ids = models.BinaryField()  # int64
    open_boxes = models.BinaryField()  # int32 × 4
    verified_boxes = models.BinaryField()  # int32 × 4
    prices = models.BinaryField()  # int64 fen; the highest number where there is none
    frees = models.BinaryField()  # int64 hundredths of a unit
    published = models.BinaryField()  # int64 microseconds since 1970

    class Meta:
        verbose_name = _("search block")
        verbose_name_plural = _("search blocks")

    def __str__(self):
        return f"{self.number}: {self.count}"


class SearchBits(models.Model):
    """One bit per slot of a block: which resources have a value of a facet."""

    block = models.IntegerField()
    facet = models.SmallIntegerField()
    value = models.IntegerField()
    bits = BitsField()

    class Meta:
        verbose_name = _("search bits")
        verbose_name_plural = _("search bits")
        constraints = [
            models.UniqueConstraint(fields=["block", "facet", "value"], name="search_bits_once")
        ]  # fmt: skip

    def __str__(self):
        return f"{self.block} {self.facet}={self.value}"


class SearchDirty(models.Model):
    """A block some of whose rows have changed since it was folded; written by triggers, taken away by the fold."""

    block = models.IntegerField()

    class Meta:
        verbose_name = _("block to fold again")
        verbose_name_plural = _("blocks to fold again")

    def __str__(self):
        return str(self.block)


class SearchFold(models.Model):
    """One row whose number changes with every fold: a search of several queries sees whether one came between."""

    folds = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("fold")
        verbose_name_plural = _("folds")

    def __str__(self):
        return str(self.folds)
