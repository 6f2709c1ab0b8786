"""Remarks of the clerks of the six stations beside an entry: hints at the digit that never name it.
Written for the demo.
"""

from collections.abc import Callable

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

PROPERTIES: dict[str, Callable[[int], bool]] = {
    "even": lambda digit: digit % 2 == 0,
    "odd": lambda digit: digit % 2 == 1,
    "low": lambda digit: digit < 5,
    "high": lambda digit: digit >= 5,
    "thirds": lambda digit: digit in (3, 6, 9),
    "loop": lambda digit: digit in (0, 6, 8, 9),
    "open": lambda digit: digit in (1, 2, 3, 5, 7),
    "straight": lambda digit: digit in (1, 4, 7),
    "curved": lambda digit: digit in (0, 2, 3, 5, 6, 8, 9),
}

CLERKS: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "even": ("The count came out even.", "An even amount."),
        "odd": ("The count came out odd.", "An odd amount."),
        "low": ("Less than a handful.", "Below the middle of the scale."),
        "high": ("A handful at the least.", "In the upper half of the scale."),
        "thirds": ("It splits into equal thirds.",),
        "loop": ("The figure closes in a loop.",),
        "open": ("The figure has no closed loop.",),
        "straight": ("Written with straight strokes only.",),
        "curved": ("Written with a curve.",),
    },
    {
        "even": ("They pair off and nothing is left.", "It can be halved."),
        "odd": ("A partner is missing for the last.", "It cannot be halved."),
        "low": ("A small number of them.", "It belongs to the lower half."),
        "high": ("A large number of them.", "It belongs to the upper half."),
        "thirds": ("A third of it is a whole number.",),
        "loop": ("I can see a round hole in the sign.",),
        "open": ("There is no hole in the sign.",),
        "straight": ("The pen never bent.",),
        "curved": ("The pen went round a bend.",),
    },
    {
        "even": ("Even, the foreman says.", "Each had a companion."),
        "odd": ("Odd, the foreman says.", "Somebody went without a companion."),
        "low": ("Not many at all.", "The quantity is low."),
        "high": ("Rather many of them.", "The quantity is high."),
        "thirds": ("A third to each partner, and nothing left.",),
        "loop": ("The character encloses a circle.",),
        "open": ("The character encloses nothing.",),
        "straight": ("Angular writing, all in lines.",),
        "curved": ("Rounded writing.",),
    },
    {
        "even": ("Both porters can share the load fairly.", "An even figure in the book."),
        "odd": ("Both porters cannot share the load fairly.", "An odd figure in the book."),
        "low": ("Only a few, under half of ten.", "Fewer than the fingers of a hand."),
        "high": ("Quite a lot, half of ten or more.", "As many as the fingers of a hand, or more."),
        "thirds": ("A trio of porters can share it fairly.",),
        "loop": ("It has an eye, like a ring.",),
        "open": ("It has no ring anywhere.",),
        "straight": ("Built of sticks, nothing round.",),
        "curved": ("Built with a round sweep.",),
    },
    {
        "even": ("Halved, the pieces stay whole.", "The tally was even."),
        "odd": ("Halved, a piece breaks.", "The tally was odd."),
        "low": ("The basket was nearly empty.", "A low tally."),
        "high": ("The basket was nearly full.", "A high tally."),
        "thirds": ("Counting up in threes reaches it.",),
        "loop": ("The ink meets itself and makes a loop.",),
        "open": ("The ink never meets itself.",),
        "straight": ("Straight lines of ink.",),
        "curved": ("A curve of ink.",),
    },
    {
        "even": ("The sacks stood in twos.", "An even number of sacks."),
        "odd": ("A single sack stood beside the pairs.", "An odd number of sacks."),
        "low": ("Hardly any sacks.", "A small heap of sacks."),
        "high": ("Plenty of sacks.", "A big heap of sacks."),
        "thirds": ("The sacks stood in threes.",),
        "loop": ("The mark has a ring in it.",),
        "open": ("The mark has no ring in it.",),
        "straight": ("The mark is all straight lines.",),
        "curved": ("The mark is curved.",),
    },
)

FACTS: tuple[tuple[str, ...], ...] = (
    ("nothing came in", "the store was empty", "no item at all", "the shelf was bare", "an empty cart", "none were left"),
    ("a single item", "the only item of its kind", "as many as noses on a face", "as many as suns in our sky", "a lonely piece", "no pair"),
    ("a pair", "as many as eyes on a face", "as many as wheels on a bicycle", "like twins", "a couple", "as many as wings on a bird"),
    ("a trio", "as many as sides of a triangle", "as many as wheels on a tricycle", "like triplets", "as many as clover leaves", "like the musketeers"),
    ("a quartet", "as many as legs of a horse", "as many as seasons in a year", "as many as corners of a square", "as many as wheels on a car", "as many as suits of cards"),
    ("a quintet", "as many as fingers on a hand", "as many as toes on a foot", "as many as arms of a starfish", "as many as senses we have", "as many as Olympic rings"),
    ("half a dozen", "as many as legs of an ant", "as many as faces of a die", "as many as strings on a guitar", "as many as sides of a honeycomb cell", "a sextet"),
    ("as many as days in a week", "as many as colours of the rainbow", "as many as the dwarfs of Snow White", "as many as ancient wonders", "as many as deadly sins", "a septet"),
    ("an octet", "as many as legs of a spider", "as many as arms of an octopus", "as many as notes up to the octave", "as many as planets round the sun", "as many as pawns on a side"),
    ("as many as lives of a cat", "as many as players of a baseball side", "as many as months before a birth", "as many as the Muses", "as many as squares of noughts and crosses", "nearly ten"),
)  # fmt: skip

ASIDES = (
    "Rain all morning.",
    "The ink ran a little.",
    "Checked after lunch.",
    "The line was bad.",
    "Written by lamp light.",
    "The cart came late.",
    "Countersigned.",
    "",
)
