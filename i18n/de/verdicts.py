"""Warum ein Satz einer Antwort sein Urteil hat, in einer Zeile. {passage} ist die Nummer der Passage."""

TEXTS = {
    "verdict.verbatim": "Das steht wörtlich in [{passage}].",
    "verdict.supported": "Das steht mit fast denselben Worten in [{passage}].",
    "verdict.weak": "Ein Teil davon steht in [{passage}], oder es steht dort mit anderen Worten. Sehen Sie dort nach.",
    "verdict.not_found": "Das steht nicht in [{passage}].",
    "verdict.unknown_passage": "Es gibt keine Passage mit der Nummer, die die Antwort nennt.",
    "verdict.wrong_source": "Das steht nicht in der zitierten Passage, sondern in [{passage}].",
    "verdict.uncited": "Die Antwort nennt keine Passage dafür, und es steht in keiner.",
    "verdict.uncited_but_found": "Die Antwort nennt keine Passage dafür. Es steht in [{passage}].",
    "verdict.no_claim": "Das behauptet nichts, was in einer Passage stehen könnte.",
    "verdict.says_missing": "Das sagt, dass in den Passagen etwas fehlt.",
    "verdict.differs": "In [{passage}] steht „{source}“, die Antwort sagt „{answer}“.",
    "verdict.absent": "„{answer}“ steht in [{passage}] nicht an dieser Stelle.",
    "verdict.order": "„{answer}“ und „{source}“ sind in [{passage}] vertauscht.",
    "verdict.negation_added": "Die Antwort sagt „{answer}“, [{passage}] sagt das nicht.",
    "verdict.negation_left_out": "In [{passage}] steht hier „{source}“, die Antwort lässt es weg.",
}
