"""Words whose exchange changes what a sentence says: negations, quantifiers, comparisons, opposites. Pure.

A sense is a group and a pole in it: "all" and "some" are poles of the group *quantity*. A word that ends with a star
stands for all words that begin so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from pipeline.retrieval.languages import Language


class Sense(NamedTuple):
    """What a word says in its group."""

    group: str
    pole: int


NEGATION = Sense("negation", 0)
QUANTITY, LIMIT = "quantity", "limit"
_NAMED = (NEGATION.group, QUANTITY, LIMIT)

# One group a line, its poles between bars; further lines of a group are indented.
_ENGLISH = """
negation: not never no none nobody nothing nowhere neither nor without cannot
quantity: all every each everyone everybody everything entire entirely always wholly | most mostly majority usually
  | many numerous often frequently | several various | some sometimes occasionally partly | few rarely seldom hardly
  scarcely barely | both
limit: only solely exclusively merely
more greater higher larger bigger exceed* above over | less fewer lower smaller below under
most highest largest biggest greatest maximum | least lowest smallest fewest minimum
before earlier prior previously preceding until till | after later afterwards subsequently following since
first earliest initial* | last latest final*
increas* rise rises rose risen rising grow* grew gain* expand* improv* rais* | decreas* fall falls fell fallen
  falling declin* drop* reduc* shrink* shrank lower* worsen*
win wins won winning victor* victory beat defeat* | lose loses lost losing loss
best better | worst worse
longer longest long | shorter shortest short
older oldest old elder* | younger youngest young newer newest new
faster fastest fast quick* | slower slowest slow*
stronger strongest strong | weaker weakest weak
hotter hottest hot warm* | colder coldest cold cool* cooler
wider widest wide broad* | narrower narrowest narrow*
deep deeper deepest | shallow*
high | low
large big great | small tiny
rich* wealth* | poor*
early | late
north northern | south southern
east eastern | west western
northeast* | southwest*
northwest* | southeast*
left | right
upper | lower
inner internal* interior | outer external* exterior
inside indoors | outside outdoors
begin* began begun start* commenc* open* | end ends ended ending clos* finish* ceas*
accept* approv* agree* | reject* refus* deni* deny disagree* oppos*
allow* permit* legal* | forbid* forbade forbidden prohibit* ban banned illegal*
include* including | exclude* excluding
support* favor* favour* | oppos*
success* succeed* | fail* unsuccess*
possible possibly | impossible
positive* | negative*
public | private
male men man boy* father son sons husband brother* king | female women woman girl* mother daughter* wife sister*
  queen
buy buys bought buying purchas* | sell sells sold selling
import* | export*
arriv* | depart* left
major | minor
ancient | modern
domestic* national | foreign international
rural | urban
direct directly | indirect*
common commonly | rare uncommon
simple simpl* easy easily | complex* difficult* hard
light lighter | heavy heavier dark*
safe* | dangerous* unsafe
present | absent
true | false
alive | dead
peace* | war wars
create* creat* found founded build built construct* establish* | destroy* demolish* abolish* dissolv*
appear* | disappear* vanish*
attack* offen* | defen*
spring | autumn fall
summer | winter
morning | evening
day | night
"""
_GERMAN = """
negation: nicht nie niemals kein keine keinen keinem keiner keines keinerlei niemand nichts nirgends ohne weder noch
quantity: alle allen aller alles jede jeder jedes jeden jedem sämtliche* stets immer gesamte* | meiste* meist
  meistens größtenteils mehrheit* | viele vielen vieler vieles zahlreich* oft häufig* | mehrere* verschiedene* |
  einige* manche* manchmal gelegentlich teilweise teils | wenige wenigen wenig wenigsten selten kaum | beide beiden
  beider beides
limit: nur lediglich ausschließlich bloß einzig
mehr höher* größer* über oberhalb übersteig* mindestens wenigstens | weniger niedriger* geringer*
  kleiner* unter unterhalb höchstens
höchste* größte* maximal* maximum | niedrigste* kleinste* geringste* minimal* minimum
vor bevor zuvor vorher früher* ehe | nach nachdem danach später* seit
erste ersten erster erstes zuerst anfangs | letzte* zuletzt schließlich
zunahm* zunehm* nahm* steig* stieg* gestiegen* wachs* wuchs* erhöh* wuchs zugenommen verbesser* | abnahm* abnehm*
  sink* sank* gesunken* fiel* fallen gefallen verringer* reduzier* senk* abgenommen schrumpf* verschlechter*
gewinn* gewann* gewonnen sieg* besieg* schlug* | verlier* verlor* verlust* niederlage* unterlag* unterlegen
beste besten bester bestes besser* | schlechteste* schlechter* schlimm*
länger* längste* lang lange langen | kürzer* kürzeste* kurz kurze kurzen
älter* älteste* alt alte alten alter | jünger* jüngste* jung junge jungen neu neue neuen neuer neueste*
schneller* schnellste* schnell* | langsam*
stärker* stärkste* stark* | schwächer* schwächste* schwach*
heiß* warm* wärmer* | kalt* kälter* kühl*
breit* weit weite weiter | schmal* eng enge enger
hoch hohe hohen hoher hohes | niedrig* gering geringe geringen
groß große großen großer großes | klein kleine kleinen kleines
reich reiche reichen | arm arme armen
früh frühe frühen | spät späte späten
nord* nördlich* | süd* südlich*
ost östlich* osten | west westlich* westen
nordost* | südwest*
nordwest* | südost*
linke* links | rechte* rechts
obere* oben | untere* unten
innere* intern* innerhalb | äußere* extern* außerhalb
begann* beginn* begonnen start* eröffn* anfang* | ende endet* beend* schluss schloss geschlossen endete*
akzeptier* annahm* angenommen billig* zustimm* genehmig* | ablehn* abgelehnt lehnt* verweiger* zurückgewiesen
erlaub* zulässig* legal* | verbot* verbiet* untersag* unzulässig* illegal*
einschließlich inklusive | ausgenommen ausschließlich
erfolg* gelang* gelungen | misserfolg* scheiter* misslang*
möglich* | unmöglich*
positiv* | negativ*
öffentlich* | privat*
männlich* männer mann vater sohn bruder könig | weiblich* frauen frau mutter tochter schwester königin
kauf* | verkauf*
import* einfuhr* | export* ausfuhr*
unterstütz* befürwort* | widersetz* bekämpf*
antik* | modern*
inländisch* national* | ausländisch* international*
ländlich* | städtisch*
direkt* | indirekt*
leicht leichte leichter einfach* | schwer* schwierig* kompliziert*
sicher sichere sicheren | gefährlich* unsicher*
anwesend* | abwesend*
wahr | falsch*
frieden* | krieg*
gründ* gegründet erbaut* gebaut errichte* | zerstör* aufgelöst* abgerissen
angriff* angreif* | verteidig*
frühling frühjahr | herbst
sommer | winter
morgen | abend
tag | nacht
"""

_SPELT_FEWEST_CHARS = 3
_NEGATIVE_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "miss")


_Senses = tuple[dict[str, list[Sense]], dict[str, list[Sense]]]


def _parsed(table: str) -> _Senses:
    exact: dict[str, list[Sense]] = {}
    prefixes: dict[str, list[Sense]] = {}
    for at, line in enumerate(table.replace("\n  ", " ").strip().splitlines()):
        name, _, poles = line.rpartition(": ")
        for pole, words in enumerate(poles.split(" | ")):
            sense = Sense(name if name in _NAMED else str(at), pole)
            for word in words.split():
                (prefixes if word.endswith("*") else exact).setdefault(word.rstrip("*"), []).append(sense)
    return exact, prefixes


_SENSES: MappingProxyType[Language, _Senses] = MappingProxyType({"en": _parsed(_ENGLISH), "de": _parsed(_GERMAN)})


@lru_cache(maxsize=20_000)
def senses_of(word: str, language: Language | None) -> tuple[Sense, ...]:
    """Return what a word in lower case says; () for most words."""
    if language is None or language not in _SENSES:
        return ()
    exact, prefixes = _SENSES[language]
    if language == "en" and word.endswith("n't"):
        return (NEGATION,)
    if word in exact:
        return tuple(exact[word])
    begins = (word[:size] for size in range(len(word), _SPELT_FEWEST_CHARS - 1, -1))
    return next((tuple(prefixes[begin]) for begin in begins if begin in prefixes), ())


def are_opposite(senses: Sequence[Sense], others: Sequence[Sense]) -> bool:
    """Whether two words are different poles of one group and share none."""
    if not senses or not others or set(senses) & set(others):
        return False
    groups = {sense.group for sense in senses}
    return any(sense.group in groups for sense in others)


def is_negated_form(word: str, other: str) -> bool:
    """Whether one of two words in lower case is the other behind a negative prefix: "unmöglich" and "möglich"."""
    short, long = sorted((word, other), key=len)
    stem = short[:-2] if len(short) > 6 else short
    return any(long.startswith(prefix + stem) for prefix in _NEGATIVE_PREFIXES)
