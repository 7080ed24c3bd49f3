"""Which kinds of words follow each other in English: a small table of word pairs, learned once.

Words fall into 35 classes: small words by themselves or in groups, the others by their ending. For every pair of
classes the table holds how much more often (in steps of a quarter of a natural logarithm) the second follows the
first than chance would have it, counted over 64,000 pairs of words in this project's documentation by
`perf/word_order.py`. Words in an order that nobody writes score about -0.4 a pair, a sentence about 0.5.
"""

from __future__ import annotations

import re
from itertools import pairwise

GROUPS = """
D the a an
Y their its my your our his her
E every each any some no another
T this that these those
O of
t to
P in on by with from at about into for against via per through between during upon within over under towards onto
P off up out like
B before after until than as without unless
M can could may might must shall should will would cannot
i is are was were isn't aren't
b be been being
h has have had
d do does did
n not never always only just also even still already yet again ever
& and or nor
! but so then
? if when whenever whether because while where since once although
w who which what whom whose whatever whichever
H how why
s he she they i we you nobody somebody people everybody
o him them us me himself itself themselves yourself
I it there
1 one two three first second other others both all several most more less many much such same few own least next last
V ask tell say compare verify identify choose get give make let include ensure provide inform explain retry
V calculate multiply convert find collect gather handle confirm avoid forget ignore omit decline perform execute
V send put insure resume apply add subtract deduct disclose become bring know want pay keep take see refuse happen
V belong wait go come work use read write look call
J new exact whole full correct wrong right old different further single entire complete available free
"""
"""Classes and the words that belong to them."""

_ORDER = ".:,^!#&1?BDEHIJMOPSTVXYbdeghilnostw"
_ROWS = """
. hiamougknmnplqjigkmjmnnbnjpbakocoao
: nsnmcumgillijmhgfjmannibkmlojfmchfg
, aedmvrumpqkpnlifiplgmklainlcgloadjp
^ aoamlmanpkqptomghjoiplngkkodcflapbs
! jcimheaqkcmmnnmjakhvqlogtiolnhphpfm
# pvrmjrndqlgilfjlmmlhaiaekifdkhffena
& agdmqlamnlootllmlkokomrhqmpilopbniq
1 nkmmlkjkiqedbhjlokpnnnhakjkgligajle
? lhlmihjoedqpevdfbiimdgoddlqcdgleuof
B hjfmmkeolfroeskibhjkdkqcikqchgilwam
D aaamadapaaaaaesaaaoakqaaanmaakbaaaa
E hchmchaqgaaaeelekijaoqacdhnnanddiaa
H ilfmhfcseeqjhuhfcahlelohhcfhbtnhsod
I poomgalbkkbikcithloigieasmesuemkamg
J mhnmhenoniaihamealpbkoeghjlgfhihmqh
M gacmegcaaacafaebaaaawnayrafwahuelca
O dfcmnmapaasqknkaaelnhjtaggmaaobvaan
P ljjminfpmkqrmoofggklfkscafnabigqnnp
S olpmhlnllnklhlkmqoiqmkmalinknnjpiok
T baamgaclcfnocpbsjepmnllarmmqtokbqag
V nmnmnallonnlrpnklrinfimcigmjkliqkqo
X popmklninnhhjjiopomoikicnijonmkmhoj
Y agamdgasaaaafcjaaaqaipadecodamjedba
b gbdmgeagihinhamdaeagrodghxknahchgeb
d oknmmelijmkkhmqebfamiajhhargihynhnk
e pkpmlgnjpqfhckghcrkdjlhagcjjisokapg
g pjomofjkmljkkmloonkqglfdnjjnrgjodqj
h lbjmglfpcjnqhjgdakhfmlqwguclahqqgtb
i gcemfhakdampbjraclegknlkavoaarugfjk
l pknmhqniupjgrjphegijqkhhhrmhnilhprf
n nikmdjliqolfkhmhdmlgrmhtnrjphpmdknl
o soqmhfljnpfdhjhnbnghkfkhnkehphmhhpi
s jhkmgefadcachahtfciawmdgsndvupmhmfk
t ifgmfofibiqkgpfcaafktnrwvdmeahaomdj
w caemcaakaaqodscqfanjikobmjnoskhcvqa
"""
"""A class, then a letter for each class that may follow: `m` as often as by chance, `a` e^-3 times, `y` e^3 times."""

_TOKEN = re.compile(r"[a-z0-9$%]+(?:[_'][a-z0-9]+)*|[.,;:()!?]|->|[-–—=+]")


def _classes() -> dict[str, str]:
    rows = (line.split() for line in GROUPS.strip().splitlines())
    return {word: row[0] for row in rows for word in row[1:]}


def _pairs() -> dict[tuple[str, str], float]:
    rows = (line.split(" ") for line in _ROWS.strip().splitlines())
    return {
        (first, second): (ord(c) - ord("m")) / 4
        for first, cells in rows
        for second, c in zip(_ORDER, cells, strict=True)
    }


CLASSES, PAIRS = _classes(), _pairs()


def word_class(token: str) -> str:
    """The class of a word or sign."""
    if token in CLASSES:
        return CLASSES[token]
    if token in ".;!?":
        return "."
    if token == ",":
        return ","
    if not token[0].isalnum() and token[0] not in "$%":
        return ":"
    if token[0].isdigit() or token[0] in "$%":
        return "#"
    if len(token) > 4:
        for ending, name in (("ing", "g"), ("ed", "e"), ("ly", "l")):
            if token.endswith(ending):
                return name
        if token.endswith("s") and not token.endswith("ss"):
            return "S"
    return "X"


_SHORT = (
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(it|that|there|he|she|who|what|where|here|somebody|someone|nobody)'s\b"), r"\1 is"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\s/\s|/"), " or "),
)


def likeness(sentence: str) -> float:
    """How much the order of the words is like English: the mean over all neighbours, as logarithms."""
    text = sentence.lower().replace("’", "'").rstrip(".!? ")
    for pattern, spelled in _SHORT:
        text = pattern.sub(spelled, text)
    classes = ["^", *(word_class(token) for token in _TOKEN.findall(text)), "."]
    pairs = list(pairwise(classes))
    return sum(PAIRS[pair] for pair in pairs) / len(pairs)
