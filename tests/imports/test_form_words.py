"""What a form calls a choice can stand in a file, and is what pages and reports call it."""

import pytest
from django.utils.translation import override

from listings.imports import form_words, templates, values
from listings.imports.findings import worded
from listings.kinds.registry import SPECS

TOWER = {spec.field: spec for spec in SPECS["tower"].columns}


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("tower_type", "电杆", "power_pole"),
        ("tower_type", "电力杆", "power_pole"),
        ("structure", "木", "wood"),
        ("structure", "水泥杆", "concrete"),
        ("spacing_reason", "现状如此，已实测", "as_built"),
        ("spacing_reason", "实测如此", "as_built"),
        ("spacing_reason", "未列出全部平台", "partial_list"),
        ("spacing_reason", "Not all platforms are listed", "partial_list"),
    ],
)
def test_the_words_of_files_and_of_forms_are_both_read(field, cell, value):
    assert values.parse(cell, TOWER[field]) == (value, [])


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("kind", list(SPECS))
def test_every_word_a_form_shows_is_read_back_as_the_same(kind, language):
    with override(language):
        for spec in SPECS[kind].columns:
            for value in spec.choices if spec.type in ("choice", "choices") else ():
                word = form_words.shown(spec, value)
                assert values.choice(word, spec, {}) == (value, "", ""), (spec.field, word)


def test_reports_and_templates_say_what_the_form_says():
    _value, (guessed,) = values.parse("旧的电力杆", TOWER["tower_type"])
    _value, (unknown,) = values.parse("飞船", TOWER["structure"])
    with override("zh-hans"):
        assert "电杆" in worded(guessed.as_json())["message"]
        assert "混凝土" in worded(unknown.as_json())["fix"]
        assert "水泥杆" not in templates._accepted(TOWER["structure"])
    with override("en"):
        assert "Power pole" in worded(guessed.as_json())["message"]
        assert "Concrete" in worded(unknown.as_json())["fix"]
