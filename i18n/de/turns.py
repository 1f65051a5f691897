"""Texts of one turn besides its answer, in German."""

TEXTS = {
    "warning.prompt_cut": (
        "Das Modell hat nur einen Teil der Anfrage gesehen: Sein Fenster ist zu klein für Passagen und Verlauf. Nehmen Sie "
        "weniger Passagen oder Fragen des Verlaufs, oder setzen Sie in MODELS ein größeres num_ctx."
    ),
    "warning.format": "Das Modell hielt sich nicht an das Format; sein Text steht hier so, wie er kam.",
    "warning.reasoning_channel": "Der Server des Modells hielt die Antwort für Gedanken. Sie wurde dort gelesen.",
    "warning.length": "Das Modell hat seine Höchstzahl an Token erreicht; die Antwort kann abgeschnitten sein.",
    "warning.content_filter": "Der Inhaltsfilter des Anbieters hat diese Antwort vorzeitig beendet.",
    "warning.weak_context": (
        "Die gefundenen Passagen enthalten nur einen Teil der Wörter der Frage. Prüfen Sie die Quellen, bevor "
        "Sie sich darauf verlassen."
    ),
    "warning.no_context": (
        "Die gefundenen Passagen enthalten kaum ein Wort der Frage. Diese Antwort stammt vielleicht nicht aus "
        "Ihren Dokumenten: Prüfen Sie sie, bevor Sie sich darauf verlassen."
    ),
    "warning.prompt_limit": (
        "Nicht alles hatte im Prompt Platz.{? Weggelassene frühere Fragen, die ältesten: {turns}.?}"
        "{? Weggelassene Passagen, die mit dem niedrigsten Rang: {passages}.?}"
        "{? Vergessene Schritte, die ältesten: {steps}.?} "
        "Fragen Sie mit weniger Passagen, beginnen Sie ein neues Gespräch, oder wählen Sie ein Modell mit größerem Fenster."
    ),
    "warning.own_key_refused": (
        "Der Anbieter hat Ihren Schlüssel oder Ihre Anmeldung nicht angenommen. Prüfen Sie den Schlüssel, oder melden "
        "Sie sich neu an, und fragen Sie noch einmal."
    ),
    "warning.own_key_no_credit": (
        "Ihr Konto beim Anbieter hat kein Guthaben mehr. Laden Sie es dort auf, oder wählen Sie ein anderes Modell."
    ),
    "warning.own_key_search": (
        "Mit einem eigenen Schlüssel werden die Suchmodelle, die der Betreiber bezahlt, nicht benutzt. Gesucht haben "
        "Wörter oder lokale Modelle."
    ),
    "warning.builtin_quotes": (
        "Das eingebaute Modell zitiert nur und kann das Programm {program} nicht ausführen, also zitiert es die Abschnitte einer Suche. Wählen Sie dafür ein Sprachmodell."
    ),
    "warning.builtin_compliance": (
        "Das eingebaute Modell zitiert nur: Es stellt keine Befunde fest und urteilt nicht. Wählen Sie für eine Prüfung ein Sprachmodell."
    ),
    "warning.builtin_document": (
        "Das eingebaute Modell zitiert nur: Die Zusammenfassung ist der Anfang des Dokuments und seiner Abschnitte, die Kennzahlen sind Zahlen mit Einheiten, die darin stehen, und offene Fragen stellt es nicht. Wählen Sie für eine Analyse ein Sprachmodell."
    ),
    "warning.no_document": (
        "Es gibt kein Dokument zu lesen: Das gewählte ist nicht mehr da, oder es wurde keines gefunden. Wählen Sie eines der Dokumente."
    ),
    "warning.document_found": (
        "Es wurde kein Dokument gewählt, also wird „{title}“ gelesen, das am besten zur Frage passt. Wählen Sie ein Dokument, um ein anderes zu lesen."
    ),
    "warning.document_of_several": (
        "Dieses Programm liest ein Dokument: Von den gewählten liest es „{title}“, das am besten zur Frage passt. Wählen Sie ein einzelnes, um ein anderes zu lesen."
    ),
    "warning.step_limit": (
        "Das Modell hat die Grenze von {most} Schritten erreicht und aus dem geantwortet, was es bis dahin gefunden hatte."
    ),
    "warning.search_again": "Eine weitere Suche ist fehlgeschlagen. Die Antwort beruht auf dem, was vorher gefunden wurde.",
    "warning.time_limit": (
        "Die Zeit für Werkzeuge und Suchen war um. Das Modell hat aus dem geantwortet, was es bis dahin gefunden hatte."
    ),
    "warning.missing_fields": "Das Modell hat ausgelassen: {fields}. Fragen Sie noch einmal, oder nehmen Sie ein anderes.",
    "warning.unsupported": (
        "Diese Antwort prüfen: {doubtful} von {claims} Aussagen stehen nicht oder nur zum Teil in den genannten Passagen."
    ),
    "warning.interrupted": (
        "Glassbox wurde beendet, während dies geschrieben wurde; die Antwort ist unvollständig. Fragen Sie noch einmal."
    ),
    "step.place_in_line": "Nummer {place} in der Warteschlange",
    "reason.not_chosen": (
        "Platz {place}; gewünscht waren {wanted}{?; {share} % der Punkte von [{last}]?}{?; ohne {words:quoted}?}."
    ),
    "duration.seconds.one": "{count} Sekunde",
    "duration.seconds.other": "{count} Sekunden",
    "duration.minutes.one": "{count} Minute",
    "duration.minutes.other": "{count} Minuten",
    "duration.hours.one": "{count} Stunde",
    "duration.hours.other": "{count} Stunden",
    "reason.no_room": "Im Prompt war kein Platz mehr dafür, sie wurde nicht gesendet.",
    "note.quotes_only": "nur Zitate",
    "note.no_key": "kein Schlüssel",
    "note.sign_in": "anmelden",
    "note.your_account": "Ihr Guthaben",
    "note.local": "auf diesem Rechner",
    "note.found": "{size} · {window}",
    "note.size": "{size}",
    "note.first_token": "{seconds} s",
    "test.works": "Es antwortet.",
    "test.first_text": "Es antwortet: erster Text nach {first} s.",
    "test.speed": "Es antwortet: erster Text nach {first} s, dann {speed} Token pro Sekunde.",
    "note.resting": "ruht {rest_s} s",
    "note.unreachable": "antwortet nicht",
    "turn.cut_short": "Abgeschnitten",
    "turn.cut_short_why": "Das Modell hat seine Höchstzahl an Token erreicht.",
    "turn.stopped": "Angehalten",
    "turn.written_kept": "Was geschrieben war, bleibt erhalten.",
    "turn.nothing_stored": "Es war noch keine Antwort gespeichert.",
    "turn.nothing_written": "Es war noch keine Antwort geschrieben.",
    "turn.incomplete": "Unvollständige Antwort",
    "turn.no_answer": "Keine Antwort",
    "turn.arrived_kept": "Was angekommen war, steht oben.",
    "turn.not_saved": (
        "Diese Antwort war nicht zu speichern und ist nach einem Neustart fort. Kopieren Sie, was Sie brauchen."
    ),
    "turn.go_on": "Fortsetzen",
    "turn.again": "Noch einmal versuchen",
    "turn.other_model": "Anderes Modell wählen",
    "turn.asked_with": "Gefragt mit",
    "turn.of_answer": "Antwort {place}",
    "turn.nothing_found": "In den Dokumenten wurde kaum ein Wort der Frage gefunden.",
    "turn.cites_nothing": "Diese Antwort beruft sich auf keine der gefundenen Passagen.",
    "turn.not_from_documents": "Diese Antwort stammt nicht aus den Dokumenten.",
    "refusal.title": "Das steht nicht in den Dokumenten",
    "refusal.unsure": "Das steht vielleicht nicht in den Dokumenten",
    "refusal.missing": "Es fehlt",
    "refusal.looked_in": "Gesucht in",
    "refusal.documents.one": "{count} Dokument",
    "refusal.documents.other": "{count} Dokumenten",
    "refusal.passages.one": "{count} Passage",
    "refusal.passages.other": "{count} Passagen",
    "refusal.searches.one": "{count} Suche",
    "refusal.searches.other": "{count} Suchen",
    "refusal.closest": "Am nächsten",
    "refusal.more": "{most} Passagen ansehen",
    "refusal.add": "Dokument hinzufügen",
    "refusal.in_there": "Es steht darin",
    "refusal.answered": "Beantwortet",
    "refusal.parts": "{answered} von {asked} Teilen",
    "refusal.answered_in_part": "Zum Teil beantwortet",
    "recovery.doing.retry": "Neuer Versuch{? in {wait}?} …",
    "recovery.doing.unstreamed": "Die ganze Antwort wird auf einmal erbeten …",
    "recovery.doing.default_prompt": "Gefragt wird mit den üblichen Anweisungen …",
    "recovery.doing.fallback": "{model} wird gefragt …",
    "recovery.doing.extractive": "Die Passagen werden zitiert …",
    "recovery.answered.retry": "Antwort im neuen Versuch",
    "recovery.answered.unstreamed": "Antwort in einem Stück",
    "recovery.answered.default_prompt": "Antwort mit den üblichen Anweisungen",
    "recovery.answered.fallback": "Antwort von {model} als Ersatz",
    "recovery.answered.extractive": "nur Zitate: kein Sprachmodell hat geantwortet",
    "recovery.fault.auth": "Schlüssel abgelehnt",
    "recovery.fault.billing": "kein Guthaben",
    "recovery.fault.over_budget": "Tagesbudget aufgebraucht",
    "recovery.fault.rate_limit": "ausgelastet",
    "recovery.fault.unsupported_model": "nicht im Angebot",
    "recovery.fault.wrong_address": "falsche Adresse",
    "recovery.fault.context_window_exceeded": "zu lang",
    "recovery.fault.prompt_too_long": "zu lang",
    "recovery.fault.no_memory": "zu wenig Speicher",
    "recovery.fault.invalid_request": "Anfrage abgelehnt",
    "recovery.fault.content_filter": "Inhaltsfilter",
    "recovery.fault.not_configured": "kein Schlüssel",
    "recovery.fault.connection": "Verbindung abgebrochen",
    "recovery.fault.refused": "Server nicht erreicht",
    "recovery.fault.unreachable": "nicht erreichbar",
    "recovery.fault.connect_timeout": "nicht rechtzeitig erreicht",
    "recovery.fault.first_token_timeout": "keine rechtzeitige Antwort",
    "recovery.fault.idle_timeout": "verstummt",
    "recovery.fault.turn_timeout": "dauerte zu lange",
    "recovery.fault.server": "Fehler beim Anbieter",
    "recovery.fault.cannot_stream": "sendet nicht fortlaufend",
    "recovery.fault.bad_reply": "unlesbare Antwort",
    "recovery.fault.incomplete": "unvollständige Antwort",
    "recovery.fault.empty": "leere Antwort",
    "recovery.fault.format": "Format nicht eingehalten",
    "recovery.fault.cut_short": "Token verbraucht",
    "recovery.fault.repeats": "wiederholte sich",
    "recovery.fault.resting": "ruht",
    "recovery.fault.answer_limit": "zu lange Antwort",
    "recovery.fault.unexpected": "unerwarteter Fehler",
    "answer.withdrawn": "*(Der Text oben wurde zurückgezogen. Er beginnt hier neu.)*",
}
