"""Irregular forms of verbs, which no stemmer joins: "held" and "hold", "griff" and "gegriffen". Pure.

Forms that are more often another word ("left", "found", "lay") are not listed.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType

from pipeline.retrieval.languages import Language

# The forms of each verb, its base first.
_ENGLISH = """
    arise arose arisen|bear bore borne|beat beaten|become became|begin began begun|bend bent|bite bit bitten|
    bleed bled|blow blew blown|break broke broken|breed bred|bring brought|build built|buy bought|catch caught|
    choose chose chosen|come came|creep crept|deal dealt|dig dug|draw drew drawn|drink drank drunk|drive drove driven|
    eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|flee fled|fly flew flown|forbid forbade forbidden|
    forget forgot forgotten|freeze froze frozen|get got gotten|give gave given|go went gone|grow grew grown|hang hung|
    hear heard|hide hid hidden|hold held|keep kept|know knew known|lead led|lend lent|lose lost|make made|mean meant|
    meet met|overcome overcame|overthrow overthrew overthrown|pay paid|ride rode ridden|ring rang rung|
    rise rose risen|run ran|say said|see seen|seek sought|sell sold|send sent|shake shook shaken|shoot shot|
    show shown|shrink shrank shrunk|sing sang sung|sink sank sunk|sit sat|sleep slept|speak spoke spoken|spend spent|
    spin spun|spring sprang sprung|steal stole stolen|strike struck|swear swore sworn|sweep swept|swim swam swum|
    take took taken|teach taught|tear tore torn|tell told|think thought|throw threw thrown|
    undergo underwent undergone|understand understood|undertake undertook undertaken|wake woke woken|wear wore worn|
    weave wove woven|win won|withdraw withdrew withdrawn|write wrote written
"""
_GERMAN = """
    beginnen begann begannen begonnen|beißen biss bissen gebissen|biegen bog bogen gebogen|bieten bot boten geboten|
    binden band banden gebunden|bitten bat baten gebeten|bleiben blieb blieben geblieben|
    brechen brach brachen gebrochen bricht|brennen brannte brannten gebrannt|bringen brachte brachten gebracht|
    denken dachte dachten gedacht|dringen drang drangen gedrungen|empfehlen empfahl empfahlen empfohlen empfiehlt|
    essen aß aßen gegessen isst|fahren fuhr fuhren gefahren fährt|fallen fiel fielen gefallen fällt|
    fangen fing fingen gefangen fängt|finden fand fanden gefunden|fliegen flog flogen geflogen|
    fliehen floh flohen geflohen|fließen floss flossen geflossen|frieren fror froren gefroren|
    geben gab gaben gegeben gibt|gehen ging gingen gegangen|gelten galt galten gegolten gilt|
    gewinnen gewann gewannen gewonnen|gießen goss gossen gegossen|greifen griff griffen gegriffen|
    halten hielt hielten gehalten hält|heben hob hoben gehoben|helfen half halfen geholfen hilft|
    kennen kannte kannten gekannt|klingen klang klangen geklungen|kommen kam kamen gekommen|
    laden lud luden geladen lädt|lassen ließ ließen gelassen lässt|laufen lief liefen gelaufen läuft|
    leiden litt litten gelitten|leihen lieh liehen geliehen|lesen las lasen gelesen liest|liegen lag lagen gelegen|
    messen maß maßen gemessen misst|nehmen nahm nahmen genommen nimmt|nennen nannte nannten genannt|
    raten riet rieten geraten rät|reißen riss rissen gerissen|rennen rannte rannten gerannt|rufen rief riefen gerufen|
    schaffen schuf schufen geschaffen|scheiden schied schieden geschieden|scheinen schien schienen geschienen|
    schieben schob schoben geschoben|schießen schoss schossen geschossen|schlagen schlug schlugen geschlagen schlägt|
    schließen schloss schlossen geschlossen|schneiden schnitt schnitten geschnitten|
    schreiben schrieb schrieben geschrieben|schreiten schritt schritten geschritten|
    schwimmen schwamm schwammen geschwommen|sehen sah sahen gesehen sieht|senden sandte sandten gesandt|
    singen sang sangen gesungen|sinken sank sanken gesunken|sitzen saß saßen gesessen|
    sprechen sprach sprachen gesprochen spricht|springen sprang sprangen gesprungen|stehen stand standen gestanden|
    stehlen stahl stahlen gestohlen stiehlt|steigen stieg stiegen gestiegen|sterben starb starben gestorben stirbt|
    stoßen stieß stießen gestoßen stößt|streichen strich strichen gestrichen|streiten stritt stritten gestritten|
    tragen trug trugen getragen trägt|treffen traf trafen getroffen trifft|treiben trieb trieben getrieben|
    treten trat traten getreten tritt|trinken trank tranken getrunken|tun tat taten getan tut|
    verlieren verlor verloren|wachsen wuchs wuchsen gewachsen wächst|weisen wies wiesen gewiesen|
    wenden wandte wandten gewandt|werben warb warben geworben wirbt|werfen warf warfen geworfen wirft|
    wiegen wog wogen gewogen|wissen wusste wussten gewusst weiß|ziehen zog zogen gezogen|
    zwingen zwang zwangen gezwungen
"""
_GERMAN_PREFIXES = """
    zurück zusammen wieder gegen nieder unter durch über voraus vorbei fort heran herab heraus herein hinaus statt teil
    nach fest miss aus auf ein vor mit weg los bei hin her ver ent emp zer um ab an be er zu
"""


def _parsed(table: str) -> MappingProxyType[str, str]:
    verbs = (each.split() for each in table.split("|"))
    return MappingProxyType({form: forms[0] for forms in verbs for form in forms})


_BASES: MappingProxyType[Language, MappingProxyType[str, str]] = MappingProxyType(
    {"en": _parsed(_ENGLISH), "de": _parsed(_GERMAN)}
)
_PREFIXES = tuple(_GERMAN_PREFIXES.split())


@lru_cache(maxsize=20_000)
def base_form(word: str, language: Language) -> str:
    """Return the base of a word in lower case that is a form of an irregular verb, else the word."""
    bases = _BASES.get(language)
    if not bases or word in bases or language != "de":
        return bases.get(word, word) if bases else word
    prefix = next((each for each in _PREFIXES if word.startswith(each) and word[len(each) :] in bases), "")
    return prefix + bases[word[len(prefix) :]] if prefix else word
