"""The phrases of refusals in English and German, as models write them: patterns for `refusals`.

Apostrophes are straight and quoted text is blank where they are searched.
"""

from __future__ import annotations

import re

_ADVERBS = r"(?:\w+ ){0,3}?"
_SOURCE = (
    r"(?:passages?|documents?|documentation|sources?|contexts?|texts?|excerpts?|materials?|information|snippets?"
    r"|sections?|files?|(?:search )?results?|references?|knowledge base|handbook|pages?|articles?|content)"
)
# Between the source and its verb; a verb of saying there would make it a claim: "The document says that tea has no …".
_GAP = (
    r"(?:(?!\b(?:says?|said|states?|shows?|notes?|explains?|describes?|mentions?|reports?|but"
    r"|because)\b)[^.;:!?,]){0,60}?"
)
# "According to the documents the fee does not include taxes" is a claim.
_SOURCES_SAY = rf"(?<!\baccording to the )(?<!\baccording to )(?<!\bper the )\b{_SOURCE}\b{_GAP}"
_HOLDS = (
    r"(?:mention|provide|specify|contain|state|say|include|answer|tell|cover|address|describe|discuss|give|name|list"
    r"|explain|indicate|disclose|detail|reveal|offer|define|identify|clarify|talk|have|hold|refer|report|show"
    r"|cite|know)"
)
_TOLD = r"(?:mentioned|specified|stated|disclosed|indicated|discussed|addressed|named|detailed|explicitly \w+)"
_GIVEN = (
    rf"(?:{_TOLD}|provided|covered|answered|described|found|included|given|contained|available|explained|present"
    rf"|listed)"
)
_FACTS = (
    r"(?:information|mentions?|details?|answers?|data|references?|specifics|facts?|figures?|statements?|indications?)"
)
_FINDS = r"(?:find|answer|locate|determine|tell|say|provide|confirm|give|see|identify|verify|infer|respond|help)"
_NOT = r"(?:not|n't)"
_END = r"(?=\s*(?:$|[.,;:!?)]|(?:\[\d+\]\s*)+[.]?$|,?\s*(?:but|so|though|although|however)\b))"

_QUELLE = (
    r"(?:passagen?|dokumente?n?|quellen?|texte?n?|unterlagen|auszüge?n?|materiali?e?n?|informationen|kontexte?s?"
    r"|textstellen?|abschnitte?n?|ausschnitte?n?|artikeln?|suchergebnisse?n?|wissensbasis|dateie?n?|handbuch|kontext)"
)
_LUECKE = r"(?:(?!\b(?:dass|weil|wonach|laut|sagt|steht|aber|jedoch)\b)[^.;:!?,]){0,60}"
_NENNT = (
    r"(?:enth[aä]lt\w*|nenn\w*|erwähn\w*|gib\w*|geb\w*|sag\w*|liefer\w*|biete\w*|beantworte\w*|beschreib\w*|behand\w*"
    r"|mach\w*|verrat\w*|verrät|spezifizier\w*|hab\w*|steh\w*|find\w*|beinhalt\w*|äußer\w*|informier\w*|wird"
    r"|werden|ist|sind)"
)
_GENANNT = r"(?:erwähnt|angegeben|genannt|beschrieben|behandelt|spezifiziert|thematisiert|aufgeführt|beziffert)"
_ANGABEN = (
    r"(?:angaben?|informationen?|details?|hinweis(?:en?)?|erwähnung|daten|antwort(?:en)?|aussagen?|auskunft|belege?"
    r"|einzelheiten|rede)"
)
_FINDE = (
    r"(?:finden|beantworten|sagen|entnehmen|ermitteln|angeben|feststellen|bestimmen|nennen|bestätigen|beurteilen"
    r"|herauslesen|ableiten|schließen)"
)
_QUELLEN_SAGEN = (
    r"(?<!\blaut den )(?<!\blaut der )(?<!\blaut dem )(?<!\blaut )(?<!\bnach den )(?<!\bnach der )(?<!\bgemäß den )"
    rf"(?<!\bgemäß der )\b{_QUELLE}\b"
)

_IN_PASSAGEN = r"\bin (?:den|diesen|allen) (?:\w+ )?(?:passagen|quellen|auszügen|textstellen|suchergebnissen)"

REFUSES = re.compile(
    "|".join(
        (
            rf"{_SOURCES_SAY}\b(?:do|does|did)(?: not|n't) {_ADVERBS}{_HOLDS}\b",
            rf"^\W*(?:do|does|did)(?: not|n't) {_ADVERBS}{_HOLDS}\b",
            r"^\W*(?:they|it) may not answer (?:this|it)\b|^\W*vielleicht beantwort\w+ (?:sie|er) (?:sie|das|die frage)"
            r" nicht\b",
            rf"{_IN_PASSAGEN} fehl(?:t|en)\b",
            rf"\b{_SOURCE}\b[^.;!?]{{0,100}}?\b(?:they|it|none) (?:do|does|did)(?: not|n't) {_ADVERBS}{_HOLDS}\b",
            rf"^\W*(?:they|it) (?:do|does)(?: not|n't) {_ADVERBS}(?:mention|specify)\b",
            rf"\b(?:none|neither|nothing|no one)\b[^.;:!?,]{{0,30}}\b{_SOURCE}\b",
            rf"\bno (?:\w+ )?(?:passages?|documents?|sources?|excerpts?|texts?|sections?) {_ADVERBS}{_HOLDS}s?\b",
            rf"{_SOURCES_SAY}\b(?:(?:(?:says?|states?|mentions?|tells? us|provides?) )?nothing|never"
            rf" {_ADVERBS}{_HOLDS}|(?:contains?|ha(?:s|ve)|provides?|gives?|offers?|includes?|makes?|shows?) no"
            rf"|lacks?|is silent|are silent|fails? to|omits?|no {_FACTS})\b",
            rf"\b(?:there (?:is|are|was|were)|there's|i (?:see|find|found|have)|contains?|we have) {_ADVERBS}no"
            rf" (?:\w+ ){{0,2}}{_FACTS}\b"
            rf"(?! that)",
            rf"\bno (?:\w+ ){{0,2}}{_FACTS} (?:\w+ ){{0,6}}?(?:is|are|was|were|could be|can be) {_ADVERBS}{_GIVEN}\b",
            rf"\bno (?:\w+ ){{0,2}}(?:{_FACTS}|mention) (?:about|on|of|regarding|concerning|found)\b",
            rf"\b(?:i|we)(?: am| was|'m| are|'re| were)? (?:{_ADVERBS})(?:unable|not able) to {_ADVERBS}{_FINDS}\b",
            rf"\b(?:unable|impossible|not possible) to {_ADVERBS}(?:find|answer|determine|tell)\b",
            rf"\b(?:i|we|one) (?:can ?not|can't|(?:could|do|did|would)(?: not|n't)) {_ADVERBS}{_FINDS}\b(?!"
            rf" (?:enough|you more))",
            rf"\b(?:i|we)(?: do|'d| would)(?: not|n't) (?:have|see) {_ADVERBS}(?:{_FACTS}|{_SOURCE}|access"
            rf"|knowledge|context)\b",
            r"\bi (?:do not|don't) know(?! (?:of|any|that)\b)",
            rf"\b(?:can(?:not| not|'t)|could(?: not|n't)) be {_ADVERBS}(?:answered|determined|found|inferred"
            rf"|derived|established|confirmed)\b"
            rf"(?=[^.]*\b{_SOURCE}\b|\s*(?:$|[.,;]|from|based|with|here))",
            rf"(?:\b(?:is|are|was|were|been) not|\b(?:is|are|was|were)n't|^not) {_ADVERBS}{_GIVEN}\b(?: \w+){{0,3}}? "
            rf"(?:in|by|within|from|anywhere in) (?:\w+ ){{0,4}}{_SOURCE}\b",
            rf"\b(?:(?:is|are|was|were) not|(?:is|are|was|were)n't) (?:\w+ )?{_TOLD}(?: (?:here|there"
            rf"|anywhere))?{_END}",
            rf"\b{_FACTS}\b[^.;:!?,]{{0,60}}\b(?:is|are|was|were)(?: not|n't) {_ADVERBS}{_GIVEN}\b{_END}",
            rf"\b{_FACTS}\b[^.;:!?,]{{0,40}}\b(?:is|are) (?:insufficient|not (?:sufficient|enough))\b",
            rf"\b(?:it is|it's|is) (?:unclear|not clear) from\b[^.]{{0,30}}\b{_SOURCE}\b",
            rf"\b(?:not enough|insufficient|no sufficient|lacks?|without (?:sufficient|enough|more)) (?:\w+"
            rf" )?(?:{_FACTS}|context)\b",
            rf"\b(?:is|are|remains?) (?:unclear|unknown|not clear|unspecified)\b[^.]{{0,30}}\b{_SOURCE}\b",
            rf"\b(?:outside|beyond) (?:of )?(?:the )?scope of\b[^.]{{0,30}}\b{_SOURCE}\b",
            rf"{_QUELLEN_SAGEN}{_LUECKE}\b{_NENNT}\b{_LUECKE}\b(?:keine?\w*|nichts|nicht)\b",
            rf"\bkeine[rs]? (?:\w+ )?{_QUELLE} (?:\w+ )?{_NENNT}\b",
            rf"\b{_NENNT}\b (?:\w+ ){{0,3}}{_QUELLE}\b{_LUECKE}\b(?:keine?\w* (?:\w+ )?{_ANGABEN}|nichts|nicht)\b",
            rf"\b(?:steht|stehen|ist|sind)\b{_LUECKE}\bnicht (?:\w+ )?in (?:\w+ ){{0,3}}{_QUELLE}\b",
            rf"\b{_QUELLE}\b{_LUECKE}\b(?:lässt|lassen|ist|sind)\b{_LUECKE}\bnicht (?:zu )?(?:entnehmen|ableiten"
            rf"|klären)\b",
            rf"\bes (?:wird|werden|ist|wurde) (?:\w+ )?nicht (?:\w+ )?{_GENANNT}\b",
            rf"\b(?:keine[rs]?) (?:der|dieser) {_QUELLE} {_NENNT}\b",
            rf"\b(?:steh\w*|find\w*|lass\w*|lässt|geht|gehen|ergibt|erfahr\w*|gib\w*|wird|werden|ist|sind"
            rf"|wurde\w*)\b{_LUECKE}\b(?:in|aus|anhand|mit|im|auf) (?:\w+ ){{0,3}}{_QUELLE}\b"
            rf"{_LUECKE}\b(?:keine?\w*|nichts|nicht)\b",
            rf"\b(?:steht|findet sich|finde ich|findet man|gibt es)\b{_LUECKE}\b(?:nichts"
            rf"|keine?)\b{_LUECKE}\b{_QUELLE}\b",
            rf"\b(?:nichts|keine?\w*)\b[^.;:!?,]{{0,40}}\b(?:in|aus) (?:\w+ ){{0,3}}{_QUELLE}\b",
            rf"\b(?:ich|wir|man|leider) (?:\w+ ){{0,4}}?(?:kann|konnte|können|konnten)\b{_LUECKE}\b(?:nicht|nichts"
            rf"|keine?\w*) (?:\w+ ){{0,8}}?{_FINDE}\b",
            rf"\b(?:kann|konnte|können|konnten) (?:ich|wir|man)\b{_LUECKE}\b(?:nicht|nichts"
            rf"|keine?\w*) (?:\w+ ){{0,8}}?{_FINDE}\b",
            rf"\b(?:ich|wir|mir|uns) (?:\w+ ){{0,4}}?(?:habe|haben|finde|finden|liegen|liegt"
            rf"|sehe)\b{_LUECKE}\b(?:keine?|nicht gen\w+|nichts)\b",
            rf"\b(?:habe|finde|sehe) ich\b{_LUECKE}\b(?:keine?|nicht gen\w+|nichts)\b",
            rf"\bliegen\b{_LUECKE}\bkeine {_LUECKE}{_ANGABEN}\b",
            r"\b(?:ich weiß|weiß ich)(?: \w+)? nichts?\b|^weiß ich nicht\b|\bdas weiß ich\b(?: leider)? nicht\b",
            rf"\bgib(?:t|bt) es\b{_LUECKE}\bkeine?\w* (?:\w+ ){{0,2}}{_ANGABEN}\b|\bes gibt\b{_LUECKE}\bkeine?\w*"
            rf" (?:\w+ ){{0,2}}{_ANGABEN}\b",
            rf"\bkeine?\w* (?:\w+ ){{0,2}}{_ANGABEN}\b{_LUECKE}\b(?:zu|zum|zur|über|dazu|darüber|hierzu|gefunden"
            rf"|enthalten|vorhanden)\b",
            rf"\b(?:wird|werden|wurde|wurden|ist|sind|nicht)\b{_LUECKE}\bnicht (?:\w+ )?{_GENANNT}\b{_END}",
            rf"\bnicht (?:\w+ )?(?:{_GENANNT}|enthalten|zu finden|beantwortet|hervor)\b{_LUECKE}\b{_QUELLE}\b",
            rf"\b(?:in|aus)\b{_LUECKE}\b{_QUELLE}\b{_LUECKE}\bnicht (?:\w+ )?(?:{_GENANNT}|enthalten|zu finden"
            rf"|hervor\w*)\b",
            r"\b(?:frage|das|dies|sie)\b[^.;:!?,]{0,60}\bnicht (?:\w+ )?(?:beantworte[nt]|beantwortbar|zu"
            r" beantworten)\b",
            rf"\b(?:reichen|reicht)\b{_LUECKE}\bnicht\b|\b{_ANGABEN}\b[^.;:!?,]{{0,40}}\bfehl(?:t|en)\b|\bfehl(?:t"
            rf"|en)\b{_LUECKE}\b{_ANGABEN}\b",
        )
    ),
    re.IGNORECASE,
)
WHOLE_ANSWER = re.compile(
    r"\W*(?:n/?a|none|unknown|unanswerable|not (?:found|available|stated|mentioned|specified|provided|answerable|given)"
    r"|(?:no|keine) (?:answer|information|antwort|angaben?|informationen)(?: found| available| gefunden| vorhanden)?"
    r"|i don't know|idk|unbekannt|nicht (?:gefunden|angegeben|bekannt|enthalten|erwähnt))\W*",
    re.IGNORECASE,
)
# Sentences that answer nothing: what the passages are about instead, an offer, a request, an apology.
FILLER = re.compile(
    rf"\b(?:{_SOURCE}|they|it|{_QUELLE}|sie|es)\b[^.;:!?]{{0,40}}\b(?:only|mainly|primarily|merely|solely|just"
    rf"|instead|rather"
    r"|mostly|nur|lediglich|hauptsächlich|ausschließlich|stattdessen|vielmehr)\b"
    rf"|\b(?:{_SOURCE}|they)\b[^.;:!?]{{0,30}}\b(?:focus|discuss|deal|talk|concern|relate|are about|is about|cover)\b"
    rf"|\b(?:{_QUELLE}|sie)\b[^.;:!?]{{0,30}}\b(?:handeln|behandeln|beschäftigen|befassen|beziehen|drehen)\b"
    rf"|^\W*(?:while |although )?(?:the |these )?(?:\w+ ){{0,2}}{_SOURCE} (?:mention|describe|discuss|cover|talk"
    rf" about|refer to)s?"
    r" (?!that\b)(?:(?!\[)\D|\[[\d, ]+\])*$"
    r"|\b(?:please|let me know|would you|could you|can you|feel free|happy to|glad to|i can help|you (?:may|might"
    r"|can|could|should)"
    r"|if you|sorry|apologi[sz]e|ask me|try|consult|check|recommend|suggest|more (?:information|context|details))\b"
    r"|\b(?:bitte|gerne?|falls|wenn (?:sie|du)|könn(?:en|test|ten) (?:sie|du)|leider|tut mir leid|entschuldigung"
    r"|fragen sie|frag|empfehle|weitere (?:informationen|angaben))\b",
    re.IGNORECASE,
)
CLAUSE_ENDS = re.compile(
    r"[,;:]?\s+(?:but|however|although|though|yet|while|whereas|aber|jedoch|allerdings|sondern|wobei|obwohl|doch)\b,?"
    r"|;\s+|\s+[–—]\s+",
    re.IGNORECASE,
)
QUOTED = re.compile(  # with a bound, since an answer may be thousands of opening marks
    r"“[^”\n]{0,600}”|„[^“”\n]{0,600}[“”]|«[^»\n]{0,600}»|»[^«\n]{0,600}«|(?<!\w)\"[^\"\n]{0,600}\"(?!\w)"
    r"|(?<!\w)\u2018[^’\n]{0,600}’(?!\w)|`[^`\n]{0,600}`"
)
QUOTED_LETTER = "\u02e3"  # stands for each letter of a quotation where what is missing is looked for
QUOTED_LINES = re.compile(r"^[ \t]*>[^\n]*$|^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)

_SUBJECT = (
    r"(?:mentions?|specif(?:y|ies)|provides?|contains?|states?|includes?|tells?|covers?|address(?:es)?|describes?"
    r"|discuss(?:es)?|gives?|names?|lists?|explains?|indicates?|find|answer|locate|determine|identify|confirm)"
)
MISSING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:information|mentions?|details?|data|answers?|references?|facts?|nothing|specifics)\s+"
        r"(?:provided |given |available |found )?(?:about|on|of|regarding|concerning|as to|for)\s+(?P<missing>.+)",
        rf"\b(?:{_ANGABEN}|nichts)\s+(?:zu[mr]?|über|bezüglich|hinsichtlich)\s+(?P<missing>.+)",
        rf"\b(?:not|n't|unable to|cannot|fail to|fails to)\s+{_ADVERBS}{_SUBJECT}\s+(?:any\s+|anything"
        rf" about\s+)?(?P<missing>.+)",
        r"\b(?:not|n't)\s+(?:say|answer:)\s+(?P<missing>.+)",
        r"\b(?:beantworten|erwähnen|nennen)\s+nicht:\s+(?P<missing>.+)",
        rf"{_IN_PASSAGEN}\s+fehl(?:t|en):?\s+(?P<missing>.+)",
        r"\bno\s+(?:mention|indication)\s+of\s+(?P<missing>.+)",
        r"\b(?:wird|werden|wurden?|ist|sind)\s+(?P<missing>(?:der|die|das|eine?"
        r"|kein)\s.+?)\s+(?:\w+\s+){0,5}?nicht\b",
        r"\b(?:nothing|never)\s+(?:about|on|mentions?)\s+(?P<missing>.+)",
        rf"\bnone of the (?:\w+ )?{_SOURCE}\s+(?:mentions?|gives?|states?|says?)\s+(?P<missing>.+)",
        rf"\b(?:neither|no) {_SOURCE}\s+(?:mentions?|gives?|states?|says?)\s+(?P<missing>.+)",
        r"\b(?:erwähnen|nennen|enthalten|beschreiben|behandeln|erwähnt|nennt|enthält"
        r"|beschreibt)\s+(?P<missing>.+?)\s+nicht\b",
        r"\b(?:erwähnen|nennen|enthalten|erwähnt|nennt|enthält)\s+(?P<missing>keine?\w*\s.+)",
        rf"^(?P<missing>.+?)\s+(?:is|are|was|were)\s*(?:not|n't)\s+{_ADVERBS}{_GIVEN}\b",
        r"^(?!(?:leider|das|dies)\b)(?P<missing>.+?)\s+(?:wird|werden|wurde|wurden|ist|sind)\b[^.]*\bnicht\b",
    )
)
AFTER_MISSING = re.compile(
    rf"\s*(?:[,;](?! {QUOTED_LETTER})|\b(?:in|from|within|by|based on|aus) (?:\w+ ){{0,4}}(?:{_SOURCE}|{_QUELLE})\b"
    r"|\b(?:is|was|are|were) (?:provided|given|available|found|mentioned)\b|\b(?:gefunden|enthalten|vorhanden"
    r"|finden)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
NAMES_NOTHING = re.compile(
    r"(?:(?:it|this|that|these|those|them|the rest|der rest|das|dies|es|dazu|darüber|hierzu|anything|the answer"
    r"|(?:the|this|your|that|diese|die|ihre)"
    rf" (?:question|answer|frage|antwort)|the {_SOURCE}|{_FACTS}|{_ANGABEN}|keine?\w*|an answer|eine antwort)\W*)+",
    re.IGNORECASE,
)
