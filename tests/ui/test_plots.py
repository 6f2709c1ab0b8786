import csv
import io
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from apps.ui import gallery
from apps.ui.plots import bars, confusion, data, fluid, forest, model, palette, scales, upset
from apps.ui.plots.render import RENDERERS, render

NAN = float("nan")


def styles(html: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"--{name}:(-?[\d.]+)", html)]


def parsed(html: str) -> ET.Element:
    return ET.fromstring(f"<root>{re.sub(r'( hidden| data-focus| open)(?=[ >])', '', html)}</root>")


def test_bars_start_at_zero_and_the_largest_fills_the_scale() -> None:
    html = render(model.Bars(rows=[model.Bar("a", 0.5), model.Bar("b", 1.0)]))
    assert styles(html, "zero") == [0, 0]
    assert styles(html, "v") == [50, 100]


def test_a_negative_bar_lies_left_of_zero() -> None:
    html = render(model.Bars(rows=[model.Bar("a", 0.3), model.Bar("b", -0.1)], signed=True))
    assert styles(html, "zero") == [25, 0]
    assert styles(html, "v") == [75, 25]
    assert "−.100" in html


def test_a_whisker_stands_at_its_interval() -> None:
    html = render(model.Bars(rows=[model.Bar("a", 0.5, 0.4, 0.6)], maximum=1.0))
    assert (styles(html, "lo"), styles(html, "hi")) == ([40], [60])


def test_a_value_that_was_not_computed_is_said_and_not_drawn() -> None:
    html = render(model.Bars(rows=[model.Bar("a", None), model.Bar("b", NAN)]))
    assert "bars__cell" not in html
    assert html.count("not computed") == 2
    assert "No value has been computed yet." in html


def test_stacked_parts_add_up_to_the_whole_and_small_ones_have_no_figure() -> None:
    row = model.StackRow("five", {"audio": 0.2, "image": 0.2, "text": 0.05, "table": -0.1})
    parts = bars.stack_parts(row)
    assert sum(share for _kind, share in parts) == pytest.approx(100)
    assert [kind for kind, _share in parts] == ["audio", "image", "text"]
    html = render(model.Stacked(rows=[row], toggle=False))
    assert re.findall(r">(\d+)</span>", html) == ["44", "44"]


def test_the_picture_and_the_table_of_a_plot_hold_the_same_numbers() -> None:
    plot = model.Forest(
        rows=[model.ForestRow(label="S1", value=0.801, low=0.757, high=0.841, n=302)],
        low=0.4,
        high=1.0,
        metric="F1",
    )
    rows = list(csv.reader(io.StringIO(data.as_csv(forest.forest_table(plot)))))
    assert rows[1][:5] == ["S1", "302", "0.801", "0.757", "0.841"]
    assert styles(render(plot), "v")[0] == pytest.approx(66.83, abs=0.01)


def test_forest_marks_keep_their_order_on_the_scale_and_stay_inside_it() -> None:
    row = model.ForestRow(
        label="S3", value=0.62, low=0.1, high=0.67, state="not_met", reference=0.61
    )
    html = render(model.Forest(rows=[row], low=0.45, high=0.95, metric="F1", target=0.68))
    assert styles(html, "lo") == [0]
    assert styles(html, "v")[0] < styles(html, "hi")[0] < styles(html, "t")[0]


def test_too_few_samples_show_their_number_in_place_of_the_value() -> None:
    html = render(
        model.Forest(
            rows=[model.ForestRow(label="x", value=0.7, n=9, state="too_few")],
            low=0,
            high=1,
            metric="F1",
        )
    )
    assert "n 9" in html
    assert ">.700<" not in html


def test_a_failed_row_is_tinted_and_says_so_in_words() -> None:
    html = render(
        model.Forest(
            rows=[model.ForestRow(label="x", value=0.5, state="not_met")],
            low=0,
            high=1,
            metric="F1",
        )
    )
    assert "is-fail" in html
    assert "Not met" in html


def test_a_missing_value_breaks_the_line_instead_of_bridging_it() -> None:
    assert scales.segments([1, 2, 3, 4], [0.1, NAN, 0.3, 0.4]) == [[(1, 0.1)], [(3, 0.3), (4, 0.4)]]
    html = render(
        model.Lines(
            lines=[model.Line(label="a", xs=[1, 2, 3, 4], ys=[0.1, None, 0.3, 0.4])], y_range=(0, 1)
        )
    )
    assert re.findall(r'class="series[^"]*" d="([^"]+)"', html) == ["M666.7 700.0L1000.0 600.0"]


def test_the_ends_of_the_scale_are_the_edges_of_the_picture() -> None:
    axes = fluid.Axes(
        model.Lines(lines=[model.Line(label="a", xs=[0, 10], ys=[0.2, 0.8])], y_range=(0.2, 0.8))
    )
    assert (axes.x(0), axes.x(10), axes.y(0.2), axes.y(0.8)) == (0, 1000, 1000, 0)


def test_end_labels_of_near_curves_do_not_cover_each_other() -> None:
    placed = scales.spread([50, 50.5, 51, 99], 8)
    ordered = sorted(placed)
    assert all(b - a >= 8 - 1e-9 for a, b in pairwise(ordered))
    assert max(placed) <= 100
    assert placed == ordered


def test_ticks_are_round_and_inside_the_scale() -> None:
    assert scales.ticks(0.55, 0.8, 5) == [0.55, 0.6, 0.65, 0.7, 0.75, 0.8]
    assert scales.ticks(0, 2.2) == [0, 1, 2]
    assert scales.nice_span([0.31, 0.74])[0] <= 0.31
    assert scales.nice_span([]) == (0.0, 1.0)


def test_epochs_to_come_are_shaded_until_the_last_has_ended() -> None:
    line = model.Line(label="loss", xs=[1, 2], ys=[1.0, 0.5])
    assert "fluid__shade" in render(model.Lines(lines=[line], x_range=(1, 20), shade_from=2))
    assert "fluid__shade" not in render(model.Lines(lines=[line], x_range=(1, 2), shade_from=2))


def test_a_plot_without_values_names_the_reason() -> None:
    html = render(model.Lines(lines=[], sentence="No epoch has ended yet."))
    assert "No epoch has ended yet." in html
    assert "<svg" not in html


def test_heat_cells_reach_contrast_in_both_themes() -> None:
    for percent in range(101):
        inks = palette.heat_ink(percent / 100).removeprefix("t-")
        for theme, ink in enumerate(inks):
            cell = palette.mix(
                percent / 100,
                palette.rgb(palette.TOKENS["accent"][theme]),
                palette.rgb(palette.TOKENS["sunken"][theme]),
            )
            text = (0, 0, 0) if ink == "b" else (255, 255, 255)
            assert palette.contrast(text, cell) >= 4.5, (percent, theme)


def test_confusion_is_in_percent_of_its_row_and_lists_the_frequent_ones() -> None:
    plot = model.Confusion(labels=["a", "b"], counts=[[9, 1], [4, 4]], urls={(1, 0): "?b"})
    assert styles(render(plot), "v") == [90, 10, 50, 50]
    assert [
        (one["truth"], one["answer"], one["share"]) for one in confusion.frequent_confusions(plot)
    ] == [("b", "a", 0.5), ("a", "b", 0.1)]
    assert 'href="?b"' in render(plot)


def test_a_row_of_the_confusion_without_samples_is_empty() -> None:
    assert styles(render(model.Confusion(labels=["a", "b"], counts=[[0, 0], [1, 1]])), "v") == [
        0,
        0,
        50,
        50,
    ]


def test_combinations_of_inputs_are_named_in_words() -> None:
    plot = model.UpSet(kinds=["image", "audio", "text"], rows=[], names={"audio": "Speech"})
    names = [
        upset.combination_name(plot, model.Combination(frozenset(has), 1))
        for has in (("image", "audio", "text"), ("image", "text"), ("text",), ())
    ]
    assert names == ["All", "No speech", "Only text", "None"]


def test_a_formula_in_a_label_does_not_run_in_a_spreadsheet() -> None:
    table = data.Table(["name", "n"], [("=cmd()", -0.5), ("plain", math.nan)])
    assert data.as_csv(table).splitlines() == ["name,n", " =cmd(),-0.5", "plain,"]


@pytest.mark.parametrize("name", [key for key, plot in gallery._plots().items() if plot.toggle])
def test_every_plot_is_well_formed_has_a_sentence_and_its_data(name: str) -> None:
    plot = gallery._plots()[name]
    html = render(plot)
    parsed(html)
    if name != "empty_plot":
        assert re.search(r'aria-label="[^"]{20,}"|<caption class="sr">[^<]{20,}', html)
        assert "data:text/csv" in html


def test_markup_in_a_label_is_text() -> None:
    plots = [
        model.Bars(rows=[model.Bar("<b>x</b>", 0.5)]),
        model.Lines(lines=[model.Line(label="<b>x</b>", xs=[1, 2], ys=[1, 2])]),
        model.Confusion(labels=["<b>x</b>"], counts=[[1]]),
        model.Forest(
            rows=[model.ForestRow(label="<b>x</b>", value=0.5)], low=0, high=1, metric="F1"
        ),
    ]
    assert all("<b>x</b>" not in render(plot) for plot in plots)


def test_all_kinds_of_plots_can_be_drawn_and_nothing_else() -> None:
    kinds = {
        kind
        for kind in vars(model).values()
        if isinstance(kind, type) and issubclass(kind, model.Plot) and kind is not model.Plot
    }
    assert kinds == set(RENDERERS)
    with pytest.raises(TypeError, match="not str"):
        render("0.5")  # type: ignore[arg-type]
