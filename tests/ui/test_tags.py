import re
from datetime import timedelta
from typing import Any

import pytest
from django import forms
from django.contrib.messages import INFO
from django.contrib.messages.storage.base import Message
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from apps.ui.components.people import initials_of
from apps.ui.states import STATES


def draw(source: str, **context: Any) -> str:
    return Template("{% load ui %}" + source).render(Context({"CSP_NONCE": "abc", **context}))


def test_an_element_with_hx_attributes_carries_the_nonce() -> None:
    html = draw('{% button "Save" hx_post="/x/" hx_target="#y" %}')
    assert 'hx-post="/x/"' in html
    assert 'hx-nonce="abc"' in html
    assert "hx-nonce" not in draw('{% button "Save" %}')
    assert (
        draw('<form {% hx post="/x/" target="#t" %}>')
        == '<form  hx-nonce="abc" hx-post="/x/" hx-target="#t">'
    )


def test_a_live_region_names_the_events_that_refresh_it() -> None:
    html = draw('{% live_region id="log" url="/log/" topics="run:31 job:7" %}x{% endlive_region %}')
    assert (
        'hx-trigger="live-run-31 from:body throttle:1s, live-job-7 from:body throttle:1s"' in html
    )
    assert 'hx-nonce="abc"' in html


def test_a_button_with_an_address_is_a_link() -> None:
    assert draw('{% button "Go" href="/x/" %}').startswith('<a class="btn" href="/x/">')
    assert draw('{% button "Go" %}').startswith('<button class="btn" type="submit">')


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_tint_icon_and_word(state: str) -> None:
    html = draw("{% pill state %}", state=state)
    assert re.search(r"tone-\w+", html)
    assert "<svg" in html or "livedot" in html
    assert str(STATES[state].label) in html


def test_an_unknown_state_is_shown_by_its_own_word() -> None:
    assert "Half done" in draw('{% pill "half_done" %}')


def test_text_of_people_is_escaped_everywhere() -> None:
    bad = "<script>x</script>"
    person = {"name": bad, "slot": 1}
    html = draw(
        "{% avatar p %}{% person p %}{% refchip t %}{% tag t %}{% copy t %}{% code t %}{% blanks "
        "t %}{% toast t %}",
        p=person,
        t=bad,
    )
    html += draw(
        '{% card title=t sub=t %}{{ t }}{% endcard %}{% empty "nothing" t t %}{% endempty %}{% '
        "tile t t %}",
        t=bad,
    )
    assert "<script>" not in html


def test_initials_come_from_the_first_and_the_last_name() -> None:
    assert [
        initials_of({"name": name})
        for name in ("Inês Costa", "Piet de Jong", "Plato", "ada@example.org")
    ] == ["IC", "PJ", "PL", "AO"]


def test_a_missing_modality_says_so() -> None:
    html = draw("{% modality_dots present kinds %}", present={"image"}, kinds=["image", "text"])
    assert html.count("dot--missing") == 1
    assert 'aria-label="Text missing"' in html


class ExampleForm(forms.Form):
    rate = forms.FloatField(label="Learning rate", help_text="Above 0")
    note = forms.CharField(required=False)
    ready = forms.BooleanField(required=False, label="Ready")


def test_the_error_stands_beside_the_field_and_in_the_summary_in_the_same_words() -> None:
    form = ExampleForm({"rate": "x"})
    html = draw("{% error_summary form %}{% field form.rate %}", form=form)
    assert html.count("Enter a number.") == 2
    assert 'href="#id_rate"' in html
    assert 'aria-describedby="id_rate-error id_rate-hint"' in html
    assert 'aria-invalid="true"' in html
    assert "data-focus" in html


def test_a_field_has_its_label_and_says_when_it_is_optional() -> None:
    html = draw(
        "{% field form.rate %}{% field form.note %}{% field form.ready %}", form=ExampleForm()
    )
    assert html.count("(optional)") == 1
    assert re.search(r'<label class="label" for="id_rate">Learning rate</label>', html)


def test_a_chosen_radio_card_is_checked() -> None:
    options = [{"value": 1, "title": "One"}, {"value": 2, "title": "Two", "picture": "gated"}]
    html = draw('{% radio_cards "n" options 2 "Number" %}', options=options)
    assert re.findall(r'value="(\d)"( checked)?', html) == [("1", ""), ("2", " checked")]
    assert "fusion" in html


def test_pages_and_sorting_keep_the_filters() -> None:
    request = RequestFactory().get("/x/?digit=five&page=2&sort=age")
    page = Paginator(range(183), 12).page(2)
    html = draw(
        '{% pagination page %}{% sort_link "Age" "age" "age" %}', page=page, request=request
    )
    assert "13 to 24 of 183, 12 a page" in html
    assert "?digit=five&amp;page=3&amp;sort=age" in html
    assert "?digit=five&amp;sort=-age" in html


def test_a_message_brings_its_undo_as_a_form() -> None:
    messages = [
        Message(INFO, "Label changed", extra_tags="undo:/labels/7/undo/"),
        Message(INFO, "Plain"),
    ]
    html = draw("{% toasts %}", messages=messages, csrf_token="t0")
    assert 'action="/labels/7/undo/"' in html
    assert html.count("<form") == 1
    assert 'role="status"' in html


def test_an_undo_never_posts_to_another_site() -> None:
    assert "<form" not in draw(
        "{% toasts %}", messages=[Message(INFO, "x", extra_tags="undo:https://elsewhere.example/")]
    )
    assert "<form" not in draw(
        "{% toasts %}", messages=[Message(INFO, "x", extra_tags="undo://elsewhere.example/")]
    )


def test_a_recording_without_javascript_has_the_players_own_controls() -> None:
    html = draw('{% waveform peaks src="/a.wav" label="D1" %}', peaks=[0.1, 0.9])
    assert "<audio controls" in html
    assert "no recording" in draw("{% waveform peaks %}", peaks=[])


def test_a_time_is_relative_in_words_and_absolute_in_its_attributes() -> None:
    moment = timezone.now() - timedelta(hours=2)
    html = draw("{% when moment %}", moment=moment)
    assert "2 h ago" in html
    assert f'datetime="{moment.isoformat()}"' in html
    assert "UTC" in html


def test_a_per_cent_sign_in_a_translated_constant_is_one_sign() -> None:
    assert "95 % interval" in draw('{% card title=_("95 % interval") %}{% endcard %}')


def test_blanks_are_drawn_as_lines_to_fill_in() -> None:
    html = draw("{% blanks text %}", text="monster with ____ heads")
    assert html.count('class="blank"') == 1
    assert "____" not in html


def test_a_stage_that_ended_before_its_total_was_known_is_drawn_whole() -> None:
    assert "--v:100.0" in draw(
        "{% stagebar stages %}", stages=[{"name": "Read", "state": "failed", "share": None}]
    )
