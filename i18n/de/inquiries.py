"""Was ein Modell über eine fertige Antwort sagt: auf welcher Passage ein Satz beruht, und die zweite Prüfung."""

TEXTS = {
    "price.nothing": "nichts zu fragen",
    "price.free": "kostenlos",
    "price.unknown": "Kosten unbekannt",
    "price.usd": "etwa ${usd}",
    "price.calls.one": "{count} Aufruf",
    "price.calls.other": "höchstens {count} Aufrufe",
    "price.whole": "{calls} von {model}, {cost}",
    "counterfactual.stands_on": "Der Satz beruht auf {passages}: Lässt man das weg, verschwindet er.",
    "counterfactual.changes": "Ohne {passages} sagt das Modell es anders.",
    "counterfactual.several": (
        "Der Satz beruht auf mehreren Passagen: Keine einzelne ist nötig, aber ohne alle verschwindet er."
    ),
    "counterfactual.none_alone": "Keine einzelne Passage ist dafür nötig.",
    "counterfactual.nothing": "Der Satz beruht auf keiner Passage: Das Modell sagt ihn auch ohne jede.",
    "counterfactual.unstable": (
        "Es lässt sich nichts sagen: Mit allen Passagen noch einmal gefragt, sagt das Modell jedes Mal etwas anderes."
    ),
    "counterfactual.untested": "{passages} wurden nicht einzeln weggelassen.",
    "counterfactual.samples": "Dieses Modell wiederholt sich nicht genau, also spielt Zufall mit.",
    "counterfactual.with_all": "mit allen Passagen",
    "counterfactual.without": "ohne {passages}",
    "counterfactual.without_any": "ohne jede Passage",
    "counterfactual.said": "sagt es weiterhin",
    "counterfactual.otherwise": "sagt es anders",
    "counterfactual.gone": "sagt es nicht",
    "counterfactual.unusable": "gab keine brauchbare Antwort",
    "second.supported": "gestützt",
    "second.partly": "teilweise gestützt",
    "second.not_supported": "nicht gestützt",
    "second.contradicted": "widersprochen",
    "second.none": "kein brauchbares Urteil",
    "second.rates": (
        "Hier an {count} Sätzen gemessen: {passed} von {errors} eingebauten Fehlern nannte es gestützt, {doubted} von "
        "{right} richtigen Sätzen bezweifelte es; {silent} blieben ohne Urteil."
    ),
    "second.unmeasured": "Wie oft dieses Modell irrt, wurde hier nicht gemessen.",
    "inquiry.which_passage": "Auf welcher Passage beruht der Satz?",
    "inquiry.about_weak.one": "Ein Modell zum schwachen Satz fragen",
    "inquiry.about_weak.other": "Ein Modell zu den {count} schwachen Sätzen fragen",
    "inquiry.stop": "Nicht weiter fragen",
    "inquiry.running": "{model} wird noch einmal gefragt, jedes Mal ohne eine Passage: {done} von höchstens {most} Aufrufen.",
    "inquiry.asking": "{model} wird gefragt.",
    "inquiry.stopped": "Angehalten. Es wird nicht weiter gefragt.",
    "inquiry.says": "{model} sagt: {said}.",
    "inquiry.judged": "Beurteilt",
    "inquiry.asked.one": "{count} Aufruf von {model}",
    "inquiry.asked.other": "{count} Aufrufe von {model}",
}
