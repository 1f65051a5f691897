"""What a model says about an answer that has ended: which passage a sentence stands on, and the second check."""

TEXTS = {
    "price.nothing": "nothing to ask",
    "price.free": "free",
    "price.unknown": "cost unknown",
    "price.usd": "about ${usd}",
    "price.calls.one": "{count} call",
    "price.calls.other": "at most {count} calls",
    "price.whole": "{calls} of {model}, {cost}",
    "counterfactual.stands_on": "It stands on {passages}: left out, the sentence goes.",
    "counterfactual.changes": "Without {passages} the model says it otherwise.",
    "counterfactual.several": "It stands on several passages: no single one is needed, but without all of them it goes.",
    "counterfactual.none_alone": "No single passage is needed for it.",
    "counterfactual.nothing": "It stands on no passage: the model says it without any of them.",
    "counterfactual.unstable": (
        "Nothing can be told: asked again with all passages, the model says something else each time."
    ),
    "counterfactual.untested": "{passages} were not left out alone.",
    "counterfactual.samples": "This model does not repeat itself exactly, so chance plays a part.",
    "counterfactual.with_all": "with all passages",
    "counterfactual.without": "without {passages}",
    "counterfactual.without_any": "without any passage",
    "counterfactual.said": "says it still",
    "counterfactual.otherwise": "says it otherwise",
    "counterfactual.gone": "does not say it",
    "counterfactual.unusable": "gave no usable reply",
    "second.supported": "supported",
    "second.partly": "partly supported",
    "second.not_supported": "not supported",
    "second.contradicted": "contradicted",
    "second.none": "no verdict that can be used",
    "second.rates": (
        "Measured here on {count} sentences: it called {passed} of {errors} planted errors supported, and doubted "
        "{doubted} of {right} right sentences; {silent} got no verdict."
    ),
    "second.unmeasured": "How often this model errs was not measured here.",
    "inquiry.which_passage": "Which passage does it stand on?",
    "inquiry.about_weak.one": "Ask a model about the weak sentence",
    "inquiry.about_weak.other": "Ask a model about the {count} weak sentences",
    "inquiry.stop": "Stop asking",
    "inquiry.running": "{model} is asked again, each time without a passage: {done} of at most {most} calls.",
    "inquiry.asking": "{model} is being asked.",
    "inquiry.stopped": "Stopped. Nothing more is asked.",
    "inquiry.says": "{model} says: {said}.",
    "inquiry.judged": "Judged",
    "inquiry.asked.one": "{count} call of {model}",
    "inquiry.asked.other": "{count} calls of {model}",
}
