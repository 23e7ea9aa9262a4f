"""Form components: every control labelled, every error said twice and tied to its field."""

import pytest
from django import forms
from django.template import RequestContext, Template
from django.test import RequestFactory
from django.utils import translation

from .pages import inline_code


class Sample(forms.Form):
    name = forms.CharField(label="Name", max_length=5, help_text="As in your register.")
    day = forms.DateField(label="Day")
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A"), ("b", "B")])
    modes = forms.MultipleChoiceField(label="Modes", choices=[("x", "X")], widget=forms.CheckboxSelectMultiple)
    agree = forms.BooleanField(label="Agree")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)
    file = forms.FileField(label="File", required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self):
        raise forms.ValidationError("The whole does not fit.")


def render(form) -> str:
    with translation.override("en"):
        template = Template(
            "{% include '_components/form.html' with form=form submit_label='Save' cancel_url='/' only %}"
        )
        return template.render(RequestContext(RequestFactory().get("/"), {"form": form}))


def test_every_control_has_a_label_and_a_class():
    html = render(Sample())
    for name in ("name", "day", "kind", "note", "file"):
        assert f'for="id_{name}"' in html
    assert 'type="date"' in html
    assert "form-select" in html
    assert "<fieldset" in html
    assert 'enctype="multipart/form-data"' in html
    assert "csrfmiddlewaretoken" in html
    assert inline_code(html) == []


def test_the_rare_optional_field_says_so():
    assert render(Sample()).count("(optional)") == 2


@pytest.mark.parametrize("name", ["name", "day", "modes", "agree"])
def test_an_error_stands_in_the_summary_and_at_its_field(name):
    html = render(Sample({"name": "much too long", "kind": "a"}, {}))
    assert f'href="#id_{name}"' in html
    assert f'id="id_{name}_error"' in html


def test_errors_of_the_whole_form_are_said():
    assert "The whole does not fit." in render(Sample({}, {}))


def test_an_invalid_control_points_to_its_hint_and_error():
    html = render(Sample({"name": "much too long"}, {}))
    assert 'aria-describedby="id_name_help id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_a_date_is_filled_in_as_browsers_read_it():
    import datetime as dt

    assert 'value="2026-12-01"' in render(Sample(initial={"day": dt.date(2026, 12, 1)}))


def test_what_was_typed_into_a_date_stays():
    assert 'value="31/31/2026"' in render(Sample({"day": "31/31/2026"}, {}))
