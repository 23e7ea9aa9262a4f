"""What is asked of the inbox, of a person's choices, and how a pinned place is read."""

import json

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.contrib.gis.gdal import GDALException
from django.contrib.gis.geos import GEOSException, GEOSGeometry
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.errors import Refused
from accounts.numbers import without_nul

from . import subjects
from .kinds import KINDS
from .models import MailChoice
from .models.notices import Mail
from .search import QUERY_MAX, mentioning, threads_found

SHAPE_CHARS_MAX = 40_000


class InboxForm(forms.Form):
    """GET form of the inbox; what cannot be read is taken as not given."""

    q = forms.CharField(label=_("Search in conversations"), required=False, strip=True)
    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("All")), ("unread", _("Unread")), ("mentions", _("I am called by name"))],
    )
    kind = forms.ChoiceField(label=_("About"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Open and closed")),
            ("open", pgettext_lazy("of a conversation", "Open")),
            ("closed", _("Closed")),
        ],
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kinds = [(model._meta.label_lower, subject.kind) for model, subject in subjects.registered().items()]
        self.fields["kind"].choices = [("", _("Everything")), *kinds]
        self.is_valid()

    def _value(self, name: str) -> str:
        return self.cleaned_data.get(name, "") if hasattr(self, "cleaned_data") else ""

    @property
    def query(self) -> str:
        return without_nul(self._value("q"))[:QUERY_MAX]

    @property
    def is_narrowed(self) -> bool:
        return any(self._value(name) for name in self.fields)

    def narrowed(self, threads, user):
        """The threads that fit. threads: annotated with unread."""
        if self.query:
            threads = threads_found(threads, self.query)
        if self._value("show") == "unread":
            threads = threads.filter(unread__gt=0)
        elif self._value("show") == "mentions":
            threads = mentioning(threads, user)
        if kind := self._value("kind"):
            threads = threads.filter(subject_type=ContentType.objects.get_by_natural_key(*kind.split(".")))
        if state := self._value("state"):
            threads = threads.filter(closed_at__isnull=state == "open")
        return threads

    # The base class asks for it when a value holds NUL.
    def clean_q(self):
        return without_nul(self.cleaned_data["q"])


class MailForm(forms.ModelForm):
    """Quiet hours, the hour of the digest, and how each kind of notification is mailed (fields kind_<name>)."""

    class Meta:
        model = MailChoice
        fields = ("quiet_from", "quiet_until", "digest_at")
        widgets = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
            for name in ("quiet_from", "quiet_until", "digest_at")
        }

    def __init__(self, *args, chosen: dict[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        for kind, (label, default) in KINDS.items():
            self.fields[f"kind_{kind}"] = forms.ChoiceField(
                label=label, choices=Mail.choices, initial=chosen.get(kind, default)
            )

    def kinds(self) -> dict[str, str]:
        return {kind: self.cleaned_data[f"kind_{kind}"] for kind in KINDS}

    def clean(self):
        values = super().clean()
        if bool(values.get("quiet_from")) != bool(values.get("quiet_until")):
            raise ValidationError(_("Quiet hours need a beginning and an end."))
        return values


def read_shape(text: str) -> GEOSGeometry | None:
    """A point or line out of GeoJSON (lon, lat, WGS 84); None where none was given. Raises Refused for others."""
    if not text.strip():
        return None
    wrong = Refused(_("This place cannot be read: set it on the map again."), code="shape")
    if len(text) > SHAPE_CHARS_MAX:
        raise wrong
    try:
        value = json.loads(text)
        if not isinstance(value, dict) or value.get("type") not in ("Point", "LineString"):
            raise wrong
        shape = GEOSGeometry(json.dumps({"type": value["type"], "coordinates": value["coordinates"]}), srid=4326)
    except (ValueError, TypeError, KeyError, GDALException, GEOSException) as error:
        raise wrong from error
    if shape.hasz:
        raise wrong
    return shape
