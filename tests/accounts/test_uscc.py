"""The credit code's check: one rule, in Python for the sentence and in SQL for the table."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.uscc import ALPHABET, check_character, is_valid_uscc, validate_uscc

REAL = ["91110000802100433B", "91330100799655058B", "12100000400002259P"]  # as public registers show them
any_code = st.one_of(
    st.text(alphabet=ALPHABET, min_size=17, max_size=17).map(lambda first: first + check_character(first)),
    st.text(alphabet=ALPHABET, min_size=18, max_size=18),
    st.text(alphabet=ALPHABET + "IOSVZabc -１", max_size=20),
)


def sql_says(code: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT uscc_is_valid(%s)", [code])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=any_code)
def test_python_and_sql_agree(code):
    assert is_valid_uscc(code) == sql_says(code)


@given(first=st.text(alphabet=ALPHABET, min_size=17, max_size=17), at=st.integers(0, 16), by=st.sampled_from(ALPHABET))
def test_one_mistyped_character_is_always_found(first, at, by):
    code = first + check_character(first)
    mistyped = code[:at] + by + code[at + 1 :]
    assert is_valid_uscc(code)
    assert is_valid_uscc(mistyped) == (mistyped == code)


@pytest.mark.parametrize("code", REAL)
def test_codes_of_real_holders_are_valid(code):
    assert is_valid_uscc(code)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("9111000080210043", "length"),
        ("91110000802100433BX", "length"),
        ("9111000080210043IB", "characters"),
        ("91110000802100434B", "check_character"),
    ],
)
def test_each_fault_has_its_own_sentence(code, error):
    with pytest.raises(ValidationError) as caught:
        validate_uscc(code)
    assert caught.value.code == error


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["91110000802100434B", "", "9111000080210043IB", "91110000802100433b"])
def test_the_table_refuses_a_wrong_code_whoever_writes(world, code):
    with pytest.raises(IntegrityError, match="organisation_uscc_valid"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_organisation SET uscc = %s WHERE id = %s", [code, world.power.pk])
