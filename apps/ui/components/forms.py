"""Form controls: label above, hint under it, error between them, control of the Django field."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.utils import ErrorList
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.ui.components.basics import icon
from apps.ui.html import attributes, classes, nonce
from apps.ui.library import register
from fusion.schema.methods import METHODS

PICTURES = ("unimodal", *METHODS)


@register.simple_tag(takes_context=True)
def field(
    context: Context,
    bound: BoundField,
    hint: Any = "",
    label: Any = "",
    wide: bool = False,
    **more: Any,
) -> SafeString:
    """One field of a Django form, its error in the words of the summary. `more` goes to the
    control; False takes an attribute away.
    """
    if isinstance(bound.field.widget, forms.CheckboxInput):
        return _checkbox_field(bound, label, hint, context, more)
    hint = hint or bound.help_text
    described = classes(
        bound.errors and f"{bound.id_for_label}-error", hint and f"{bound.id_for_label}-hint"
    )
    extra = {name.rstrip("_").replace("_", "-"): value for name, value in more.items()}
    for name in [name for name, value in extra.items() if value in (None, False)]:
        bound.field.widget.attrs.pop(name, None)
        del extra[name]
    control = bound.as_widget(attrs={**_control_attributes(bound, described), **extra})
    grouped = bound.field.widget.use_fieldset
    head = (
        format_html('<legend class="label">{}</legend>', label or bound.label)
        if grouped
        else _label(bound, label)
    )
    look = classes("field", "field--error" if bound.errors else "", "field--wide" if wide else "")
    element = "fieldset" if grouped else "div"
    note = (
        format_html('<p class="hint" id="{}-hint">{}</p>', bound.id_for_label, hint) if hint else ""
    )
    return format_html(
        '<{} class="{}">{}{}{}{}</{}>', element, look, head, note, _error(bound), control, element
    )


def _label(bound: BoundField, label: Any) -> SafeString:
    optional = (
        ""
        if bound.field.required
        else format_html(' <span class="subtle">{}</span>', _("(optional)"))
    )
    return format_html(
        '<label class="label" for="{}">{}{}</label>',
        bound.id_for_label,
        label or bound.label,
        optional,
    )


def _control_attributes(bound: BoundField, described: str) -> dict[str, str]:
    look = "select" if isinstance(bound.field.widget, forms.Select) else "input"
    if isinstance(bound.field.widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        look = "choices"
    known = {"class": classes(look, bound.field.widget.attrs.get("class"))}
    if described:
        known["aria-describedby"] = described
    if bound.errors:
        known["aria-invalid"] = "true"
    return known


def _error(bound: BoundField) -> SafeString:
    return _errors(bound.errors, f"{bound.id_for_label}-error")


def _errors(errors: ErrorList, id: str) -> SafeString:
    if not errors:
        return SafeString("")
    lines = format_html_join("", "<span>{}</span>", ((one,) for one in errors))
    return format_html('<p class="error" id="{}">{}{}</p>', id, icon("circle-alert", 15), lines)


def _checkbox_field(
    bound: BoundField, label: Any, hint: Any, context: Context, more: dict[str, Any]
) -> SafeString:
    control = bound.as_widget(attrs={"class": "check", **more})
    note = hint or bound.help_text
    below = format_html('<span class="hint">{}</span>', note) if note else ""
    return format_html(
        '<div class="field">{}<label class="choice">{}<span>{}{}</span></label></div>',
        _error(bound),
        control,
        label or bound.label,
        below,
    )


@register.simple_tag
def error_summary(form: forms.BaseForm, focus: bool = True) -> SafeString:
    """On top of a form that was refused: every problem as a link to its field; takes the focus."""
    if not form.errors:
        return SafeString("")
    rows = [
        (f"#{form[name].id_for_label}" if name in form.fields else "#main", text)
        for name, errors in form.errors.items()
        for text in errors
    ]
    items = format_html_join("", '<li><a href="{}">{}</a></li>', rows)
    return format_html(
        '<div class="error-summary" role="alert" tabindex="-1"{}><h2 class="h2">{}</h2><ul>{}</ul></div>',
        SafeString(" data-focus") if focus else "",
        _("There is a problem"),
        items,
    )


@register.simple_tag(takes_context=True)
def checkbox(
    context: Context, name: str, label: Any, value: str = "1", checked: bool = False, **more: Any
) -> SafeString:
    """A box with its label."""
    rest = attributes(
        {"name": name, "value": value, "checked": bool(checked), **more}, nonce(context)
    )
    return format_html(
        '<label class="choice"><input class="check" type="checkbox"{}><span>{}</span></label>',
        rest,
        label,
    )


@register.simple_tag(takes_context=True)
def switch(
    context: Context,
    name: str,
    label: Any,
    value: str = "1",
    checked: bool = False,
    hidden_label: bool = False,
    **more: Any,
) -> SafeString:
    """A check box that looks like what it does: on or off at once."""
    rest = attributes(
        {"name": name, "value": value, "checked": bool(checked), **more}, nonce(context)
    )
    text = format_html('<span class="{}">{}</span>', "sr" if hidden_label else "", label)
    return format_html(
        '<label class="choice"><input class="switch" type="checkbox"{}>{}</label>', rest, text
    )


@register.simple_tag
def radio_cards(
    name: str,
    options: list[dict[str, Any]],
    value: Any = "",
    legend: Any = "",
    columns: int = 3,
    hidden_legend: bool = False,
) -> SafeString:
    """Few choices that need a sentence each; `picture` names one of the six fusion drawings."""
    cards = format_html_join("", "{}", ((_radio_card(name, one, str(value)),) for one in options))
    head = (
        format_html('<legend class="{}">{}</legend>', "sr" if hidden_legend else "label", legend)
        if legend
        else ""
    )
    return format_html(
        '<fieldset class="radios" style="--cols:{}">{}{}</fieldset>', columns, head, cards
    )


@register.simple_tag
def bound_radio_cards(
    bound: BoundField, options: list[dict[str, Any]], columns: int = 3, hidden_legend: bool = False
) -> SafeString:
    """The same for a field of a Django form, with its error."""
    look = classes("field", "field--error" if bound.errors else "")
    cards = radio_cards(
        bound.html_name, options, bound.value() or "", bound.label, columns, hidden_legend
    )
    return format_html(
        '<div class="{}" id="{}">{}{}</div>', look, bound.id_for_label, _error(bound), cards
    )


def _radio_card(name: str, option: dict[str, Any], chosen: str) -> SafeString:
    picture = option.get("picture", "")
    drawing = (
        render_to_string("ui/fusion_picture.html", {"picture": picture})
        if picture in PICTURES
        else ""
    )
    note = (
        format_html('<span class="radio__note">{}</span>', option["note"])
        if option.get("note")
        else ""
    )
    return format_html(
        '<label class="radio">{}<span class="radio__head"><input type="radio" name="{}" value="{}"{}><b>{}</b></span><span class="radio__text">{}</span>{}</label>',
        drawing, name, option["value"], SafeString(" checked") if str(option["value"]) == chosen else "", option["title"], option.get("text", ""), note,
    )  # fmt: skip
