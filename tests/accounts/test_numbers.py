"""Keys out of addresses, where anybody can write anything."""

import pytest

from accounts.numbers import row_id, without_nul


@pytest.mark.parametrize(
    ("text", "key"),
    [("12", 12), ("", 0), (None, 0), ("²", 0), ("٣", 0), ("-1", 0), ("9" * 19, 0), ("9" * 5000, 0), ("1e3", 0)],
)
def test_only_plain_digits_are_a_key(text, key):
    assert row_id(text) == key


def test_nul_is_dropped():
    assert without_nul("a\x00b") == "ab"


@pytest.mark.parametrize("address", ["/invitations/%00/accept/", "/invitations/a%00b/accept/"])
def test_strange_tokens_are_not_found(client, db, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("pk", ["²", "9" * 5000])
def test_strange_keys_are_no_fault_page(client_as, pk):
    alice = client_as("alice")
    assert alice.get("/imports/new/", {"list": pk}).status_code == 404
    assert alice.post("/resources/bulk/", {"act": "suspend", "pk": pk}).status_code == 302
    assert client_as("carol").get("/cms/demand-lines/", {"demand_list": pk}).status_code in (200, 404)
