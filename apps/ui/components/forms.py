"""Form controls: label above, hint under it, error between them, control of the Django field."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.template import Context
from django.utils.safestring import SafeString

from apps.ui.html import attributes, classes, component, nonce
from apps.ui.library import register
from fusion.schema.methods import METHODS

PICTURES = ("unimodal", *METHODS)


@register.simple_tag
def field(
    bound: BoundField, hint: Any = "", label: Any = "", wide: bool = False, **more: Any
) -> SafeString:
    """Draw one field of a Django form, its error in the words of the summary. `more` goes to the
    control; False takes an attribute away.
    """
    widget = bound.field.widget
    hint = hint or bound.help_text
    if isinstance(widget, forms.CheckboxInput):
        return component(
            "forms/checkbox_field",
            error=_error(bound),
            control=bound.as_widget(attrs={"class": "check", **more}),
            label=label or bound.label,
            hint=hint,
        )
    extra = {name.rstrip("_").replace("_", "-"): value for name, value in more.items()}
    for name in [name for name, value in extra.items() if value in (None, False)]:
        widget.attrs.pop(name, None)
        del extra[name]
    return component(
        "forms/field",
        element="fieldset" if widget.use_fieldset else "div",
        grouped=widget.use_fieldset,
        bound=bound,
        label=label or bound.label,
        hint=hint,
        wide=wide,
        error=_error(bound),
        control=bound.as_widget(attrs={**_control_attributes(bound, bool(hint)), **extra}),
    )


def _control_attributes(bound: BoundField, has_hint: bool) -> dict[str, str]:
    widget = bound.field.widget
    look = "select" if isinstance(widget, forms.Select) else "input"
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple)):
        look = "choices"
    known = {"class": classes(look, widget.attrs.get("class"))}
    described = classes(
        bound.errors and f"{bound.id_for_label}-error", has_hint and f"{bound.id_for_label}-hint"
    )
    if described:
        known["aria-describedby"] = described
    if bound.errors:
        known["aria-invalid"] = "true"
    return known


def _error(bound: BoundField) -> SafeString:
    return component("forms/error", errors=bound.errors, id=f"{bound.id_for_label}-error")


@register.simple_tag
def error_summary(form: forms.BaseForm, focus: bool = True) -> SafeString:
    """Draw, on top of a form that was refused, every problem as a link to its field; takes the
    focus.
    """
    if not form.errors:
        return SafeString("")
    problems = [
        (f"#{form[name].id_for_label}" if name in form.fields else "#main", text)
        for name, errors in form.errors.items()
        for text in errors
    ]
    return component("forms/error_summary", problems=problems, focus=focus)


@register.simple_tag(takes_context=True)
def checkbox(
    context: Context, name: str, label: Any, value: str = "1", checked: bool = False, **more: Any
) -> SafeString:
    """Draw a box with its label."""
    values = {"name": name, "value": value, "checked": bool(checked), **more}
    rest = attributes(values, nonce(context))
    return component("forms/choice", look="check", rest=rest, label=label)


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
    """Draw a check box that looks like what it does: on or off at once."""
    values = {"name": name, "value": value, "checked": bool(checked), **more}
    rest = attributes(values, nonce(context))
    return component(
        "forms/choice", look="switch", rest=rest, label=label, hidden_label=hidden_label
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
    """Draw few choices that need a sentence each; `picture` names one of the fusion drawings."""
    cards = [
        {
            **option,
            "chosen": str(option["value"]) == str(value),
            "drawn": option.get("picture") in PICTURES,
        }
        for option in options
    ]
    return component(
        "forms/radio_cards",
        name=name,
        cards=cards,
        legend=legend,
        columns=columns,
        hidden_legend=hidden_legend,
    )


@register.simple_tag
def bound_radio_cards(
    bound: BoundField, options: list[dict[str, Any]], columns: int = 3, hidden_legend: bool = False
) -> SafeString:
    """Draw the same for a field of a Django form, with its error."""
    value = bound.value() or ""
    cards = radio_cards(bound.html_name, options, value, bound.label, columns, hidden_legend)
    return component("forms/bound_radio_cards", bound=bound, error=_error(bound), cards=cards)
