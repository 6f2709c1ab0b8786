"""Colours the server must compute with. The stylesheet holds the tokens; a test keeps the two
equal.
"""

Rgb = tuple[int, int, int]

THEMES = ("light", "dark")
TOKENS: dict[str, tuple[str, str]] = {
    "surface": ("#ffffff", "#151b1d"),
    "sunken": ("#edf1f0", "#0a0e0f"),
    "accent": ("#0b6672", "#63c7d2"),
    "image": ("#3f83ea", "#2cb6f3"),
    "text-m": ("#a8841f", "#efca2f"),
    "audio": ("#d043a3", "#f579ae"),
    "table": ("#247962", "#38eec2"),
    "series": ("#7a3a0a", "#b07d57"),
    "knowledge": ("#4a348d", "#8976f0"),
}
FLIP = 0.179


def rgb(hexadecimal: str) -> Rgb:
    value = int(hexadecimal.lstrip("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def mix(share: float, top: Rgb, bottom: Rgb) -> Rgb:
    """`share` (0..1) of `top` over `bottom`, as color-mix in srgb does it."""
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(top, bottom))
    return red, green, blue


def luminance(colour: Rgb) -> float:
    """Relative luminance, WCAG 2.2."""
    red, green, blue = (_linear(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def contrast(first: Rgb, second: Rgb) -> float:
    brighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def heat_ink(share: float) -> str:
    """Class of the text on a heat cell: "t-bw" = black in light, white in dark. One of the two
    always reaches 4.5.
    """
    inks = []
    for theme in range(2):
        cell = mix(share, rgb(TOKENS["accent"][theme]), rgb(TOKENS["sunken"][theme]))
        inks.append("b" if luminance(cell) >= FLIP else "w")
    return "t-" + "".join(inks)
