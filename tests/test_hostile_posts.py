"""Every form of ours, posted to by somebody who may, with what nobody types: never a fault, nothing half stored.

Forms are found as a browser finds them: on the pages of the access table. Addresses that only take POST and whose form
was not met get the names that our views read.
"""

import itertools
import random
import re
from html.parser import HTMLParser
from urllib.parse import quote_plus, urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from tests.access_table import ROLES, TABLE
from tests.test_access import Undo, things  # noqa: F401  the fixture

HOSTILE = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "huge number": b"1e400",
    "tiny number": b"1e-400",
    "not a quantity": b"1E+30",
    "long digits": b"9" * 400,
    "long fraction": b"0." + b"1" * 400,
    "negative": b"-1",
    "NUL": b"a\x00b",
    "lone surrogate, encoded": b"\xed\xa0\x80",
    "lone surrogate, escaped": b"\\ud800",
    "not UTF-8": b"\xff\xfe",
    "long text": b"x" * 100_000,
    "last day": b"9999-12-31",
    "first day": b"0001-01-01",
    "no day": b"2026-02-30",
    "JSON": b'{"type":"Point","coordinates":[1e400,NaN]}',
    "big list": b"[" * 3_000,
    "empty geometry": b"POINT EMPTY",
    "geometry far off": b"SRID=4326;POINT(1e308 -1e308)",
    "formula": b"=1+1",
    "direction marks": "\u202e\u0000e9\u2028".encode(),
    "bigint": b"9223372036854775808",
    "spaces": b" \t\r\n ",
    "other digits": "١٢٣".encode(),
    "superscript": "²".encode(),
}
PLAIN_NAMES = [
    "text",
    "reason",
    "note",
    "body",
    "code",
    "answer",
    "act",
    "pk",
    "next",
    "number",
    "client_uuid",
    "months",
]
WRITES = re.compile(r"^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)")
UNCOUNTED = {"accounts_session", "accounts_user"}  # the last sign-in
FIELDS_EACH = 2  # how many fields of a form the quick edition tries; the slow one tries each value in each field
_turn = itertools.cycle(HOSTILE.items())  # through all forms, so that every value comes up


class Forms(HTMLParser):
    """action → {field: value} of the forms of a page that post."""

    def __init__(self, address: str):
        super().__init__()
        self.address, self.found, self.fields, self.select = address, {}, None, ""

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.fields = None
            if given.get("method", "get").lower() == "post":
                action = urlsplit(given.get("action") or self.address)
                self.fields = self.found.setdefault(action.path + (f"?{action.query}" if action.query else ""), {})
        elif self.fields is not None and given.get("name") and tag in ("input", "textarea", "select", "button"):
            self.fields.setdefault(given["name"], given.get("value") or "")
            self.select = given["name"] if tag == "select" else ""
        elif tag == "option" and self.fields is not None and self.select and "selected" in given:
            self.fields[self.select] = given.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self.fields = None


def allowed_role(row) -> str | None:
    """Somebody the table lets in, the more powerful first; None: a visitor's page or nobody."""
    codes = dict(zip(ROLES, row.codes.split(), strict=True))
    return next((r for r in ("alice", "carol", "dave", "nora", "uma") if codes[r] in ("200", "302", "422")), None)


def clients(world):
    made = {"visitor": Client()}
    for role in ("alice", "carol", "dave", "nora", "uma"):
        made[role] = Client()
        made[role].force_login(world.user(role), backend="accounts.backends.PasswordBackend")
    return made


@pytest.fixture
def forms(world, things):  # noqa: F811
    """[(role, address, {field: value})], each form once."""
    people, found, posts = clients(world), {}, []
    for name, row in TABLE.items():
        address = reverse(name, args=[things.get(a, a) if isinstance(a, str) else a for a in row.args])
        address += row.query.format_map(things)
        role = allowed_role(row)
        if role is None:
            continue
        if row.method == "POST":
            posts.append((role, address))
            continue
        page = people[role].get(address)
        if page.status_code == 200 and "text/html" in page.get("Content-Type", ""):
            parser = Forms(address)
            parser.feed(page.content.decode())
            for action, fields in parser.found.items():
                found.setdefault(action, (role, fields))
    for address in (reverse("account_login"), reverse("account_signup"), reverse("account_reset_password")):
        parser = Forms(address)
        parser.feed(people["visitor"].get(address).content.decode())
        found[address] = ("visitor", parser.found[address])
    for role, address in posts:
        found.setdefault(address, (role, dict.fromkeys(PLAIN_NAMES, "1")))
    signing_out = reverse("account_logout")
    every = [(role, action, fields) for action, (role, fields) in found.items() if not action.startswith(signing_out)]
    return people, every


def body(pairs) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()


def bodies(fields: dict, is_all: bool):
    """(what, request body): nothing at all, everything hostile, each field hostile among good ones, lists for one."""
    good = {name: value.encode() for name, value in fields.items() if name != "csrfmiddlewaretoken"}
    yield "nothing", b""
    if is_all:
        yield "doubled", body([pair for pair in good.items() for _twice in range(2)])
        yield "arrays", body([(f"{name}[]", value) for name, value in good.items()])
    for what, value in HOSTILE.items() if is_all else itertools.islice(_turn, 1):
        yield f"all {what}", body([(name, value[:10_000]) for name in good])
    fields_tried = (
        list(good) if is_all else random.Random(str(sorted(good))).sample(list(good), min(FIELDS_EACH, len(good)))
    )
    for field in fields_tried:
        for what, value in HOSTILE.items() if is_all else itertools.islice(_turn, 1):
            yield f"{field} = {what}", body({**good, field: value}.items())


def send(client, address, content):
    """(status, tables written to) of a post that is taken back; a fault comes as its exception's words."""
    written = set()

    def watch(execute, sql, params, many, context):
        if match := WRITES.match(sql):
            written.add(match[2])
        return execute(sql, params, many, context)

    try:
        with transaction.atomic(), connection.execute_wrapper(watch):
            status = client.post(address, content, content_type="application/x-www-form-urlencoded").status_code
            raise Undo
    except Undo:
        return status, written - UNCOUNTED
    except Exception as fault:  # the fault is what is looked for
        return f"{type(fault).__name__}: {str(fault)[:160]}", set()


def faults(forms, is_all: bool) -> list[str]:
    people, every = forms
    wrong = []
    for role, address, fields in every:
        for what, content in bodies(fields, is_all):
            status, written = send(people[role], address, content)
            if isinstance(status, str) or status >= 500:
                wrong.append(f"{address} as {role}, {what}: {status}")
            elif written and status not in (301, 302, 303) and "/unsubscribe/" not in address:  # one click is the deed
                wrong.append(f"{address} as {role}, {what}: refused with {status}, yet wrote to {sorted(written)}")
    return wrong


def test_hostile_values_meet_an_answer_and_store_nothing_by_halves(forms, fresh_limits):
    assert len(forms[1]) > 40
    wrong = faults(forms, is_all=False)
    assert not wrong, f"{len(wrong)} faults\n" + "\n".join(wrong[:60])


@pytest.mark.slow
def test_each_hostile_value_in_each_field(forms, fresh_limits):
    wrong = faults(forms, is_all=True)
    assert not wrong, f"{len(wrong)} faults\n" + "\n".join(wrong[:200])
