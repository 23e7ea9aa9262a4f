"""The whole form of a resource: its fields, and the rows beside them, read together into what save_resource() takes."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Organisation
from listings.forms import parts
from listings.forms.resources import ResourceForm, pool_formset
from listings.kinds.parts import BoreData, Parts
from listings.models import Kind, Resource


class Editor:
    """form, pools and the part rows of a kind. data None: to be shown; else bound to what was sent."""

    def __init__(self, data: Any, *, kind: str, resource: Resource | None, owner: Organisation, is_owners: bool = True):
        self.kind, self.resource = kind, resource
        self.form = ResourceForm(data, kind=kind, resource=resource, owner=owner, is_owners=is_owners)
        self.pools = pool_formset(kind, data, resource)
        self.notes = parts.note_rows(data, kind, resource)
        is_duct = kind == Kind.DUCT
        self.bores = parts.bore_rows(data, resource) if is_duct else None
        self.chambers = parts.chamber_rows(data, resource) if is_duct else None
        self.carriers = parts.carrier_rows(data, resource) if kind == Kind.CABLE else None

    @property
    def row_sets(self) -> list[Any]:
        """The formsets beside the fields that are there and were sent."""
        every = (self.pools, self.bores, self.chambers, self.carriers, self.notes)
        return [rows for rows in every if rows is not None and rows.is_bound]

    @property
    def has_bores(self) -> bool:
        return self.bores is not None and bool(self.bores.initial_form_count())

    @property
    def row_errors(self) -> list[tuple[str, Any]]:
        """(id, title) of the parts with errors in their rows; the capacity's own summary names each."""
        titles = {"bores": _("Bores and sub-ducts"), "chambers": _("Manholes and handholes"),
                  "carriers": _("Which duct or pole line it lies in"),
                  "notes": _("Values left empty, and sources of single facts")}  # fmt: skip
        return [(rows.prefix, titles[rows.prefix]) for rows in self.row_sets[1:] if rows.total_error_count()]

    @property
    def row_error_count(self) -> int:
        return len(self.row_errors)

    def is_valid(self) -> bool:
        checked = [self.form.is_valid(), *(rows.is_valid() for rows in self.row_sets)]
        return all(checked) and self._notes_hold()

    def _notes_hold(self) -> bool:
        """A note speaks of one fact once, and of a missing one only where none is given."""
        seen: set[str] = set()
        for form in self.notes.forms if self.notes.is_bound else ():
            row = form.cleaned_data
            name = row.get("field")
            if not name or row.get("DELETE"):
                continue
            value = self.form.cleaned_data.get(name)
            label = dict(parts.fact_choices(self.kind)).get(name, name)
            if name in seen:
                form.add_error("field", _("There is a note on this fact already."))
            elif row["reason"] and value not in (None, ""):
                form.add_error("reason", _("%(field)s has a value.") % {"field": label})
            seen.add(name)
        return not self.notes.is_bound or self.notes.total_error_count() == 0

    def arguments(self) -> dict[str, Any]:
        """What save_resource() takes beside by, membership and resource."""
        row = self.form.row()
        if self.notes.is_bound:
            notes = list(self.notes.rows())
            row["data"] |= {
                "missing": {note["field"]: note["reason"] for note in notes if note["reason"]},
                "provenance": {note["field"]: _whence(note) for note in notes if not note["reason"]},
            }
        return {**row, "pools": self.pools.data_rows(), "parts": self._parts(row["facts"])}

    def _parts(self, facts: dict[str, Any]) -> Parts:
        given: dict[str, Any] = {}
        if self.bores is not None and self.bores.is_bound:
            given["bores"] = parts.bores_of(self.bores) or _filled_face(facts, self.form.data)
        if self.chambers is not None and self.chambers.is_bound:
            given["chambers"] = parts.chambers_of(self.chambers)
        if self.carriers is not None and self.carriers.is_bound:
            given["carriers"] = parts.carriers_of(self.carriers)
        return Parts(**given)


def _whence(note: dict[str, Any]) -> dict[str, str]:
    said = {"source": note["source"].strip(), "on": note["on"].isoformat() if note["on"] else ""}
    return {name: value for name, value in said.items() if value}


def _filled_face(facts: dict[str, Any], data: Any) -> list[BoreData]:
    """A bore for every place of the face (a1, a2 … b1 …), where that was ticked: the owner then marks what is taken."""
    rows, columns = facts.get("face_rows"), facts.get("face_columns")
    if not data.get("fill_face") or not rows or not columns or rows > 20:
        return []
    return [
        BoreData(
            label=f"{chr(96 + row)}{column}",
            row=row,
            column=column,
            material=facts.get("material") or "",
            inner_mm=facts.get("inner_mm"),
            outer_mm=facts.get("outer_mm"),
        )
        for row in range(1, rows + 1)
        for column in range(1, columns + 1)
    ]
