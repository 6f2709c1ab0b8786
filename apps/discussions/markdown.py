"""Markdown of comments: parsed without raw HTML, short references linked in the token stream,
cleaned by an allow-list.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
CLASSES = {"a": {"ref"}, "span": {"ref"}}
SCHEMES = {"http", "https", "mailto"}

REFERENCE = re.compile(r"\b(run|review) (\d{1,9})\b", re.IGNORECASE)

# Headings would break the outline of the page around, pictures would tell a stranger's server who
# reads.
_parser = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    .disable(["heading", "lheading", "image"])
)

Reference = tuple[str, str]


@dataclass(slots=True)
class Parsed:
    """A comment between parsing and rendering: what it names is known, what that is must still be
    looked up.
    """

    tokens: list[Token]
    references: set[Reference] = field(default_factory=set)
    mentioned: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is a reference or a mention."""

    start: int
    end: int
    reference: Reference | None = None
    person: int | None = None


def parse(body: str, people: Mapping[str, int]) -> Parsed:
    """`people`: name in lower case -> user id, of those who can be mentioned."""
    parsed = Parsed(_parser.parse(body))
    for _parent, token in _texts(parsed.tokens):
        for piece in _pieces(token.content, people):
            if piece.reference:
                parsed.references.add(piece.reference)
            elif piece.person is not None:
                parsed.mentioned.add(piece.person)
    return parsed


def plain(body: str) -> str:
    """The words alone, on one line, for lists and notifications."""
    blocks = (
        "".join(child.content or " " for child in block.children or [block] if not child.nesting)
        for block in _parser.parse(body)
    )
    return " ".join(" ".join(blocks).split())


def render(parsed: Parsed, people: Mapping[str, int], links: Mapping[Reference, str]) -> SafeString:
    """HTML out of the allow-list; references that are not in `links` stay text."""
    for token in parsed.tokens:
        if token.type == "inline" and token.children:
            token.children = _link(token.children, people, links)
    html = _parser.renderer.render(parsed.tokens, _parser.options, {})
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        url_schemes=SCHEMES,
        link_rel="nofollow noopener noreferrer",
    )
    return mark_safe(cleaned)  # noqa: S308  nh3 has just cleaned it


def _texts(tokens: list[Token]) -> Iterator[tuple[Token, Token]]:
    """Text that is neither code nor part of a link, with the block that holds it."""
    for block in tokens:
        depth = 0
        for token in block.children or []:
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            if token.type == "text" and not depth:
                yield block, token


def _pieces(text: str, people: Mapping[str, int]) -> list[Piece]:
    parts = [
        Piece(match.start(), match.end(), reference=(match[1].lower(), str(int(match[2]))))
        for match in REFERENCE.finditer(text)
    ]
    parts += _mentions(text, people)
    return sorted(parts, key=lambda piece: piece.start)


def _mentions(text: str, people: Mapping[str, int]) -> Iterator[Piece]:
    """`@Lin Mei`: the longest name that fits; an address such as a@example.org is none."""
    for match in re.finditer(r"(?<!\w)@(?=\w)", text):
        rest = text[match.end() :].lower()
        fitting = [
            name
            for name in people
            if rest.startswith(name) and not rest[len(name) : len(name) + 1].isalnum()
        ]
        if fitting:
            name = max(fitting, key=len)
            yield Piece(match.start(), match.end() + len(name), person=people[name])


def _link(
    children: list[Token], people: Mapping[str, int], links: Mapping[Reference, str]
) -> list[Token]:
    result: list[Token] = []
    depth = 0
    for token in children:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        result += (
            _split(token.content, people, links) if token.type == "text" and not depth else [token]
        )
    return result


def _split(text: str, people: Mapping[str, int], links: Mapping[Reference, str]) -> list[Token]:
    tokens, position = [], 0
    for piece in _pieces(text, people):
        wrapped = _wrap(text[piece.start : piece.end], piece, links)
        if wrapped:
            tokens += [_text(text[position : piece.start]), *wrapped]
            position = piece.end
    return [*tokens, _text(text[position:])]


def _wrap(text: str, piece: Piece, links: Mapping[Reference, str]) -> list[Token]:
    if piece.person is not None:
        return [
            Token("mention_open", "span", 1, attrs={"class": "ref"}),
            _text(text),
            Token("mention_close", "span", -1),
        ]
    url = links.get(piece.reference) if piece.reference else None
    if url is None:
        return []
    return [
        Token("link_open", "a", 1, attrs={"href": url, "class": "ref"}),
        _text(text),
        Token("link_close", "a", -1),
    ]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
