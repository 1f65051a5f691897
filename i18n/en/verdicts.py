"""Why a sentence of an answer has its verdict, in one line. {passage} is the number of the passage."""

TEXTS = {
    "verdict.verbatim": "[{passage}] says it word for word.",
    "verdict.supported": "[{passage}] says it in nearly the same words.",
    "verdict.weak": "[{passage}] says a part of it, or says it in other words. Look there.",
    "verdict.not_found": "[{passage}] does not say it.",
    "verdict.unknown_passage": "There is no passage with the number that the answer cites.",
    "verdict.wrong_source": "Not the cited passage but [{passage}] says it.",
    "verdict.uncited": "The answer names no passage for it, and none says it.",
    "verdict.uncited_but_found": "The answer names no passage for it. [{passage}] says it.",
    "verdict.no_claim": "It claims nothing that a passage could say.",
    "verdict.says_missing": "It says that the passages lack something.",
    "verdict.differs": "“{source}” stands in [{passage}], the answer says “{answer}”.",
    "verdict.absent": "“{answer}” does not stand in this place in [{passage}].",
    "verdict.order": "“{answer}” and “{source}” stand in each other's place in [{passage}].",
    "verdict.negation_added": "The answer says “{answer}”, [{passage}] does not.",
    "verdict.negation_left_out": "[{passage}] says “{source}” here, the answer leaves it out.",
}
