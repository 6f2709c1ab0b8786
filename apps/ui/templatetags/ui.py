"""Template tags of the interface: `{% load ui %}`. The gallery at /ui/gallery/ shows every one in
every state.

Block tags end with `end<name>`. `…` = extra attributes: class_, id, data_x=, aria_x=, hx_get= …
(hx_ brings the nonce). A person is any object or dict with name, slot (and initials); a discipline
one with code, name, slot.

    Texts with a % sign: {% translate "95 % interval" as x %} and pass x; _("95 %") prints two
        signs.

    BASICS
    icon name size=18 label="" cls=""                    <svg>; label makes it an image with a name
    button label href="" icon="" kind="" size="" type="submit" key="" …
        kind: "" primary danger ghost; size: "" sm
    icon_button icon label href="" type="button" …       label is hidden text and tooltip
    pill state label="" size="" tone="" icon=""          states: apps/ui/states.py; size="sm"
    state state label=""                                 the same without a tint, for tables
    tag label …
        grey value chip ("nine"); tone="same|unlike|del|ins" for settings
    refchip label href=""                                accent chip: run 31, D00378
    copy text label="" shown=""
        button that copies; shown="1" prints the text before it
    kbd "K"          code text copy=True                 key cap; block of code with a copy button
    when moment                                          <time> "2 h ago"
    until low high=None                                  "20 to 28 min left", from seconds
    progress value total=100 label="" shown=""           bar with a name; value None = not yet known
    meter states
        segments: list of met undecided not_met too_few
    hx get="" post="" target="" swap="" trigger="" …
        hx- attributes with nonce for any raw element
    attrs                                                see html.py

    PEOPLE
    disc discipline size=""      discs disciplines       lettered square; size sm, "", lg
    avatar person size=""        person person           circle;  circle with name
    people persons total=0                               overlapping circles

    MODALITIES   kinds: image text audio table series knowledge fusion
    modality kind label="" count=None href=""            chip
    modality_dot kind label="" missing=False             22 px square; missing is struck
    modality_dots present kinds=None
        row of dots, those of `kinds` not in `present` are struck

    NUMBERS
    score value digits=3         signed value digits=3   .842;  +.021
    n|grouped                                            1,080
    interval low high digits=3   share value digits=0    ".713 to .770"; "82 %"
    delta value verdict digits=3 lower_is_better=False
        arrow, sign and words; verdict better worse same

    LAYOUT
    block card title="" sub="" id="" action="" action_url="" cls="" level=2 …
        white panel; cls="card--flush" where rows reach its edges
    block card_head title sub="" level=2
        inside an untitled card: title left, its content right
    block card_foot
    block tiles
        tile label value interval="" delta=None verdict="" note="" spark=None digits=3
    block tabs label
        tab label href current=False count=None
        (current may be given as key="a" active=tab)
    crumb label href=""                                  <li> for block breadcrumbs
    block banner tone icon=""
        info warning danger success; put a .banner__act inside for the action
    block empty kind title text=""
        kind: nothing nomatch error; content = actions
    block stagebar stages
        list of {name, detail, state: done now next failed, share: 0..1}
    block menu label icon="" kind="" align="end"
        <details>; menu_item label href="" icon="" key="" danger=False post=False …
    block dialog id title                                opener: button … opens="<id>"
    facts rows                                           list of (label, value) as a definition list
    block meta_line
        row of small facts under the title; meta_item icon text
    steps items
        wizard list: {label, href, state: done now next}
    block gate
        gate_column discipline state meter note person
    block selection_bar count  (of=None)                 sticky bar
    block live_region id url topics
        refreshes itself by htmx when one of the topics happens
    live_status project                                  "Live, 2 s ago" and Pause

    FORMS
    field bound hint="" label="" wide=False …
        label, hint, error, control of a Django form field
    error_summary form                                   "There is a problem", links to the fields
    checkbox name label value="1" checked=False …        switch name label checked=False …
    radio_cards name options value="" legend="" columns=3
        options: {value, title, text, note, picture}; picture: late concat …
    bound_radio_cards bound options columns=3            the same for a Django field, with its error
    segmented items label                                list of {label, href, icon, current}

    LISTS
    facet title name options open=True
        options: {value, label, count, total, checked}
    filter_chip label href                               removes one filter
    search_field name value label                        small search input
    pagination page                                      Django Page; keeps the query string
    sort_link label key current                          table head link; ?sort=key, -key

    DISCUSSION
    block thread id=""                                   block thread_foot inside it
    block remark author when_=None discipline=None draft=False id="" note=""
        one comment; content is its body
    toast text tone="success" undo_url=""

    SAMPLES
    block sample_card sample_key href="" selected=False
    sample_image src alt="" missing="" small=False
        black picture pane; missing="no image" is hatched
    waveform peaks src="" missing="" silent=False label=""   strip; src makes it playable
    hatch text                                           hatched box
    blanks text                                          "____" drawn as a line to fill in

    WORDS
        terms "macro-f1" "gain" …
        each opens what it means; names: apps/ui/glossary.py

    PLOTS   plot model     (dataclasses in apps/ui/plots/model.py)
"""

from apps.ui.components import (
    basics,
    discussion,
    forms,
    layout,
    lists,
    modalities,
    numbers,
    panels,
    people,
    plots,
    samples,
    shell,
    terms,
)
from apps.ui.library import register

__all__ = [
    "basics",
    "discussion",
    "forms",
    "layout",
    "lists",
    "modalities",
    "numbers",
    "panels",
    "people",
    "plots",
    "register",
    "samples",
    "shell",
    "terms",
]
