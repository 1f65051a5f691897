"""Numbers as texts write them, number words, units and months, in English and German. Pure.

A value is what a number means: "1,000", "1.000" (German), "thousand" and "1 Tsd." are 1000. Units have a dimension, so
that 10 km and 6.2 miles can be compared.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import NamedTuple

from pipeline.retrieval.languages import Language

_ONES_EN, _ONES_DE = (
    """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen""",
    """eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn
    achtzehn neunzehn""",
)
_TENS_EN, _TENS_DE = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
)
_ORDINALS_EN, _ORDINALS_DE = (
    """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
    sixteenth seventeenth eighteenth nineteenth twentieth""",
    """erst zweit dritt viert fünft sechst siebt acht neunt zehnt elft zwölft dreizehnt vierzehnt fünfzehnt sechzehnt
    siebzehnt achtzehnt neunzehnt zwanzigst""",
)


def _number_words() -> dict[str, float]:
    ones = _ONES_DE.split()
    words: dict[str, float] = {
        word: number for names in (_ONES_EN, _ONES_DE) for number, word in enumerate(names.split(), 1)
    }
    words |= {word: 10 * number for names in (_TENS_EN, _TENS_DE) for number, word in enumerate(names.split(), 2)}
    for tens, ten in enumerate(_TENS_DE.split(), 2):
        words |= {f"{'ein' if one == 1 else ones[one - 1]}und{ten}": 10 * tens + one for one in range(1, 10)}
    words |= {f"{ones[number - 1]}hundert": 100 * number for number in range(2, 10)}
    words |= {word: number for number, word in enumerate(_ORDINALS_EN.split(), 1)}
    words |= {f"{stem}e{end}": n for n, stem in enumerate(_ORDINALS_DE.split(), 1) for end in ("", "r", "n", "s", "m")}
    words |= dict.fromkeys(("half", "halbe", "halber", "halbes", "halben", "halbem"), 0.5)
    return words | {"hundert": 100, "einhundert": 100, "hundred": 100, "dozen": 12, "dutzend": 12, "zero": 0, "null": 0}


NUMBER_WORDS = MappingProxyType(_number_words())
TENS = frozenset(_TENS_EN.split())
SCALES = MappingProxyType(
    dict.fromkeys(("hundred",), 10**2)
    | dict.fromkeys(("thousand", "tausend", "tsd", "k"), 10**3)
    | dict.fromkeys(("million", "millionen", "mio", "mn"), 10**6)
    | dict.fromkeys(("billion", "bn", "milliarde", "milliarden", "mrd"), 10**9)
    | dict.fromkeys(("trillion", "billionen"), 10**12)
)
FRACTIONS = MappingProxyType({"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3})

_MONTHS = (
    "january januar jänner jan|february februar feb|march märz mar mär|april apr|may mai|june juni jun|july juli jul"
    "|august aug|september sept sep|october oktober oct okt|november nov|december dezember dec dez"
)
_WEEKDAYS = "monday montag|tuesday dienstag|wednesday mittwoch|thursday donnerstag|friday freitag|saturday samstag"
_WEEKDAYS += "|sunday sonntag"
DATE_WORDS = MappingProxyType(
    {word: f"month:{at}" for at, names in enumerate(_MONTHS.split("|"), 1) for word in names.split()}
    | {word: f"weekday:{at}" for at, names in enumerate(_WEEKDAYS.split("|"), 1) for word in names.split()}
)


class Unit(NamedTuple):
    """A unit: its dimension, and how many of the dimension's first unit it is (after `offset` is added)."""

    name: str
    dimension: str
    factor: float
    offset: float = 0.0


# dimension: factor (and offset) of a unit with its spellings. Spellings of one or two letters count only as written.
_TABLE = """
length: 1 m meter meters metern metre metres | 1000 km kilometer kilometers kilometern kilometre kilometres | .01 cm
  centimeter centimeters centimetre centimetres zentimeter zentimetern | .001 mm millimeter millimeters millimetre
  millimetres millimetern | 1609.344 mile miles meile meilen mi | .3048 ft foot feet fuß | .0254 inch inches zoll |
  .9144 yard yards yd | 1852 nmi seemeilen
mass: 1 kg kilogram kilograms kilogramm kilogramme kilo kilos | .001 g gram grams gramm gramme | 1e-6 mg milligramm
  milligram milligrams | 1000 t tonne tonnes tonnen | 907.185 ton tons | .453592 lb lbs pound pounds | .5 pfund |
  .0283495 oz ounce ounces unze unzen
time: 1 s sec seconds sekunde sekunden | .001 ms milliseconds millisecond millisekunden | 60 min minute minutes
  minuten | 3600 h hr hrs hour hours stunde stunden | 86400 day days tag tage tagen | 604800 week weeks woche wochen
  | 2629800 month months monat monate monaten | 31557600 year years jahr jahre jahren | 315576000 decade decades
  jahrzehnt jahrzehnte jahrzehnten | 3155760000 century centuries jahrhundert jahrhunderte jahrhunderten
volume: 1 l liter liters litre litres litern | .001 ml milliliter milliliters millilitre millilitres millilitern |
  3.78541 gallon gallons gallonen gallone | 1000 m³ m3 cubic_metres cubic_meters kubikmeter kubikmetern | 158.987
  barrel barrels
area: 1 m² m2 sqm square_meters square_metres square_meter square_metre quadratmeter quadratmetern | 1e6 km² km2
  square_kilometers square_kilometres quadratkilometer quadratkilometern | 1e4 ha hectare hectares hektar | 4046.86
  acre acres | .092903 ft² sq_ft square_feet quadratfuß | 2.58999e6 square_miles square_mile quadratmeilen
speed: 1 km/h kmh kph | 1.609344 mph | 3.6 m/s | 1.852 knots knoten kn
temperature: 1 °c °C degrees_celsius grad_celsius celsius | .5555556 -32 °f °F degrees_fahrenheit grad_fahrenheit
  fahrenheit | 1 -273.15 kelvin K
pressure: 1 bar | .001 mbar millibar | .01 kpa kPa | 10 mpa MPa | .00001 pa Pa | .01 hectopascal hpa hPa | .0689476
  psi | 1.01325 atm
power: 1 W watt watts | 1000 kW kilowatt kilowatts | 1e6 MW megawatt megawatts | 1e9 GW gigawatt gigawatts | 735.499
  ps hp horsepower
energy: 1 J joule joules | 1000 kJ kilojoule kilojoules | 4184 kcal kilokalorien | 4.184 cal kalorien calories |
  3.6e6 kWh kilowattstunden
frequency: 1 Hz hertz | 1e3 kHz kilohertz | 1e6 MHz megahertz | 1e9 GHz gigahertz
voltage: 1 V volt volts | 1e3 kV kilovolt kilovolts | .001 mV millivolt
current: 1 A ampere amperes amp amps | .001 mA milliampere
data: 1 byte bytes | 1e3 kB KB kilobyte kilobytes | 1e6 MB megabyte megabytes | 1e9 GB gigabyte gigabytes | 1e12 TB
  terabyte terabytes
share: 1 % percent per_cent prozent | .1 ‰ per_mille promille | 1 percentage_points prozentpunkte prozentpunkten
angle: 1 ° degree degrees grad
dollar: 1 $ dollar dollars usd | .01 cent cents
euro: 1 € euro euros eur
pound: 1 £ gbp
yen: 1 ¥ yen
franc: 1 franc francs franken chf
mark: 1 mark dm reichsmark
"""


def _units() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for line in _TABLE.replace("\n  ", " ").strip().splitlines():
        dimension, _, entries = line.partition(": ")
        for entry in entries.split(" | "):
            factor, *names = entry.split()
            offset = float(names.pop(0)) if names[0].lstrip("-").replace(".", "").isdigit() else 0.0
            units |= {name.replace("_", " "): Unit(names[0], dimension, float(factor), offset) for name in names}
    return units


UNITS = MappingProxyType(_units())
CURRENCY_SIGNS = frozenset("$€£¥")
_SPELT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_UNIT_BEHIND = re.compile(rf"(?:[\s\u00a0\u202f]?-)?[\s\u00a0\u202f]{{0,2}}(°\s?[CF]\b|{_SPELT})(?!\w)", re.IGNORECASE)
_SHORT_CHARS = 2


def unit_behind(text: str, at: int) -> tuple[Unit, int, int] | None:
    """Return the unit behind a number that ends at `at`, and its span."""
    match = _UNIT_BEHIND.match(text, at)
    if not match:
        return None
    spelt = match[1].replace("° ", "°")
    unit = UNITS.get(spelt) or (UNITS.get(spelt.lower()) if len(spelt) > _SHORT_CHARS else None)
    return (unit, *match.span(1)) if unit else None


_DECIMAL_COMMA = frozenset[Language](("de", "fr", "es", "it", "nl", "pt", "ru", "el"))


def value_of(written: str, language: Language | None) -> float:
    """Return what digits with separators mean; a separator before exactly three digits is read as the language does."""
    fraction = FRACTIONS.get(written[-1], 0.0)
    digits = written.rstrip("".join(FRACTIONS))
    if not digits:
        return fraction
    point, thousands = (",", ".") if language in _DECIMAL_COMMA else (".", ",")
    if re.fullmatch(rf"\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{point}\d+)?", digits):
        digits = digits.replace(thousands, "")
    elif re.fullmatch(rf"\d{{1,3}}(?:\{point}\d{{3}}){{2,}}", digits):
        digits = digits.replace(point, "")
    whole, _, rest = digits.replace(",", ".").partition(".")
    return float(f"{whole}.{rest.replace('.', '') or 0}") + fraction


def same_amount(value: float, unit: Unit, other: float, other_unit: Unit) -> bool:
    """Whether two amounts of one dimension are equal after conversion, within what rounding explains."""
    if unit.dimension != other_unit.dimension:
        return False
    first = (value + unit.offset) * unit.factor
    second = (other + other_unit.offset) * other_unit.factor
    return abs(first - second) <= max(_step(value) * unit.factor / 2, 0.01 * abs(second), 1e-9)


def is_rounding(value: float, exact: float, *, is_marked: bool) -> bool:
    """Whether a value is another one rounded: fewer decimals, or, where it is marked as "about", fewer digits."""
    if value == exact or exact == 0:
        return value == exact
    if not is_marked and (value.is_integer() or _step(value) <= _step(exact)):
        return False
    return abs(value - exact) <= _step(value) / 2 and _step(value) > _step(exact)


def _step(value: float) -> float:
    """Return the value of the last digit that is not zero: 10 for 320, 0.1 for 2.5."""
    digits = f"{value:.6f}".rstrip("0")
    if not digits.endswith("."):
        return float(10.0 ** -len(digits.partition(".")[2]))
    whole = digits[:-1]
    return float(10 ** (len(whole) - len(whole.rstrip("0")))) if whole.strip("0") else 1.0
