"""Works under construction, as tests take them on: a checklist, papers, inspections."""

import datetime as dt
import io
from uuid import uuid4

from PIL import Image

from agreements.projects import actions
from listings.models import Standard, StandardItem
from tests import papers as make_papers


def checklist(kind="duct"):
    """Two points that must pass and one that may be left out; nothing else is in force for the kind."""
    Standard.objects.filter(type="acceptance").delete()
    made = Standard.objects.create(
        code="D-ACC", version="1", type="acceptance", kinds=[kind], title_zh="管道验收", title_en="Duct acceptance",
        source="test", valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip
    for number, text in enumerate(["试通", "埋深", "标识"], start=1):
        StandardItem.objects.create(standard=made, number=number, text_zh=text, is_required=number < 3)
    return made


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, "PNG")
    return out.getvalue()


def hand_in(world, project, name="alice", sort="drawing"):
    data, file = (make_papers.pdf(), "drawing.pdf") if sort == "drawing" else (picture(), "site.png")
    return actions.add_document(
        project=project, by=world.user(name), membership=world.as_[name], sort=sort, file=io.BytesIO(data), name=file,
        size_bytes=len(data),
    )  # fmt: skip


def papers(world, project):
    for sort in ("drawing", "photo"):
        hand_in(world, project, sort=sort)


def inspect(world, project, name, *, note="", key=None, as_built=None, **results):
    """Every point passes but those named: r2="fail"."""
    current = actions.checklist_for(project)
    said = {item.number: (results.get(f"r{item.number}", "pass"), "1.2 m") for item in current.items.all()}
    return actions.inspect(
        project=project, by=world.user(name), membership=world.as_[name], checklist=current, results=said, note=note,
        key=key or uuid4(), as_built=as_built,
    )  # fmt: skip


def accept(world, project, *names):
    """Called for, handed in, and passed by all named."""
    checklist(kind={"positions": "tower"}.get(project.unit, "duct"))
    actions.advance(project=project, verb="call", by=world.alice, membership=world.as_["alice"])
    papers(world, project)
    for name in names:
        inspect(world, project, name)
    project.refresh_from_db()
    return project
