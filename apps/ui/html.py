"""Component templates, attributes and values for components."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.forms.utils import flatatt
from django.template import Context, Engine, Template
from django.utils.safestring import SafeString

LINE_BREAK = re.compile(r"\s*\n\s*")
BETWEEN_WORDS = re.compile(r"(?<=[^\s<>{}])\s*\n\s*(?=[^\s<>{}])")
TAG_OVER_LINES = re.compile(r"<[a-z{][^<>]*\n[^<>]*>")


def component(name: str, /, **values: Any) -> SafeString:
    """Render templates/ui/components/`name`.html with these values alone."""
    return _template(name).render(Context(values))


@cache
def _template(name: str) -> Template:
    """Compile a template without its line breaks: they are blanks inside a tag and between words,
    and no gap elsewhere.
    """
    engine = Engine.get_default()
    source = str(engine.get_template(f"ui/components/{name}.html").source)
    source = TAG_OVER_LINES.sub(lambda tag: LINE_BREAK.sub(" ", tag.group()), source)
    return engine.from_string(LINE_BREAK.sub("", BETWEEN_WORDS.sub(" ", source)))


def get(thing: Any, name: str, default: Any = "") -> Any:
    """Return a key of a mapping or an attribute of an object: components take both."""
    if isinstance(thing, Mapping):
        return thing.get(name, default)
    return getattr(thing, name, default)


def nonce(context: Context) -> str:
    return str(context.get("CSP_NONCE", ""))


def attributes(values: Mapping[str, Any], page_nonce: str = "") -> SafeString:
    """Return ` data-x="1" hidden` for data_x=1, hidden=True; hx_ names bring the nonce that hx-csp
    asks for.
    """
    pairs = {
        name.rstrip("_").replace("_", "-"): value for name, value in values.items() if value != ""
    }
    if any(name.startswith("hx-") for name in pairs):
        pairs["hx-nonce"] = page_nonce
    return flatatt(pairs)


def classes(*names: str | bool | None) -> str:
    return " ".join(name for name in names if isinstance(name, str) and name)


def single_percent(text: Any) -> Any:
    """Undo the doubled per cent signs of a translated constant of a template
    (`_("95 % interval")`), which Django leaves.
    """
    if isinstance(text, SafeString):
        return text
    return str(text).replace("%%", "%")
