"""Texts on the page around turns, in German."""

TEXTS = {
    "scope.legend": "Gefragte Dokumente",
    "scope.open": "Dokumente auswählen",
    "scope.more": "Weitere",
    "scope.clear": "Alle fragen",
    "scope.collection": "alles aus {name}",
    "scope.is_collection": "Sammlung",
    "scope.gone.one": "{count} gewählte Quelle gibt es nicht mehr; sie wird nicht mehr gefragt.",
    "scope.gone.other": "{count} gewählte Quellen gibt es nicht mehr; sie werden nicht mehr gefragt.",
    "scope.remove": "Nicht mehr nur {name} fragen",
    "version.previous": "Vorige Fassung",
    "version.next": "Nächste Fassung",
    "version.previous_of": "Vorige Fassung von Beitrag {place}",
    "version.next_of": "Nächste Fassung von Beitrag {place}",
    "version.shown": "Fassung {number} von {versions}",
    "version.editing": (
        "Bearbeiten: Senden stellt die Frage als neue Fassung. Die frühere bleibt, mit allem, was danach kam."
    ),
    "version.began": (
        "Hier beginnt eine neue Fassung. Die frühere bleibt, mit allem, was danach kam: ‹ und › führen von einer zur "
        "anderen."
    ),
    "page.no_model_on_space": (
        "Dieser Space läuft ohne Sprachmodell: Antworten sind Zitate aus den Dokumenten. Um ein Modell überlegen zu "
        "sehen, wählen Sie eines und tragen darunter Ihren eigenen Schlüssel ein, oder Sie duplizieren den Space und "
        "hinterlegen den Schlüssel eines Anbieters als Secret."
    ),
    "page.sign_in_on_space": (
        "Ohne Sie sind Antworten hier Zitate aus den Dokumenten. Um ein Modell überlegen zu sehen, melden Sie sich mit "
        "Hugging Face an, oder wählen Sie ein Modell und tragen darunter Ihren eigenen Schlüssel ein."
    ),
    "page.nothing_stored": (
        "Dieser Browser speichert für diese Seite nichts: Deine Gespräche sind nach dem Schließen oder Neuladen nicht "
        "mehr aufgeführt. Erlaube Websitedaten für diese Adresse, um sie zu behalten."
    ),
    "page.fine_print": "Antworten können falsch sein. Die Nummern führen zu den genannten Abschnitten.",
    "page.placeholder": "Frag die Dokumente …",
    "page.question": "Frage",
    "page.try_now": "Jetzt versuchen",
    "page.of_earlier_question": "{pane} einer früheren Frage",
    "page.back_to_latest": "Zurück zur neuesten",
    "page.cancel": "Abbrechen",
    "page.close": "Schließen",
    "page.panes": "Bereiche",
    "sidebar.none_yet": "Deine Gespräche stehen später hier.",
    "sidebar.for_language_models": (
        "Das eingebaute Modell zitiert nur Sätze, die Wörter mit der Frage teilen: Frag in der Sprache der Dokumente. "
        "Anweisungen, Temperatur und Tokengrenze sind für Sprachmodelle."
    ),
    "sidebar.keywords_only": "Gesucht wird nach Wörtern. Mit EMBEDDING_MODEL geht es auch nach Bedeutung.",
    "sidebar.unmoved": "Solange diese nicht bewegt werden, behält jedes Modell seine eigenen Werte.",
    "sidebar.too_long": (
        "Die Anweisungen sind zu lang: höchstens {most} Zeichen. Kürze sie; bis dahin gelten die vorigen."
    ),
    "sidebar.keys": (
        "Jeder Name von LiteLLM; Enter fügt ihn hinzu, für alle hier bis zum nächsten Start von Glassbox. Sein "
        "Schlüssel gehört in die Datei .env neben app.py, unter dem Namen des Anbieters (OPENAI_API_KEY=…); danach "
        "Glassbox neu starten."
    ),
    "sidebar.profile": "Profil",
    "sidebar.no_profile": "Kein Profil",
    "sidebar.profile_fault": "{file}, Zeile {line}: {why}",
    "sidebar.model": "Modell",
    "sidebar.without_key": "{count} weitere mit Schlüssel",
    "sidebar.budget_left": "Noch {left} $ von heute {budget} $ für Modelle",
    "sidebar.budget_spent": (
        "Das heutige Budget für Modelle ist aufgebraucht: bis Mitternacht UTC antwortet das eingebaute Modell."
    ),
    "own_key.label": "Eigener Schlüssel",
    "own_key.kept": "Ihr Schlüssel wird benutzt",
    "own_key.forget": "Vergessen",
    "own_key.about": (
        "Bleibt nur in diesem Tab, bis er geschlossen wird oder Sie den Schlüssel vergessen lassen. Er geht mit jeder "
        "Frage allein an den Anbieter dieses Modells, und Sie bezahlen."
    ),
    "own_key.about_server": (
        "Bleibt nur in diesem Tab, bis er geschlossen wird oder Sie den Schlüssel vergessen lassen. Dieses Modell "
        "läuft unter einer Adresse, die der Betreiber dieser Seite gewählt hat: Jener Server sieht Ihren Schlüssel."
    ),
    "account.sign_in": "Mit Hugging Face anmelden",
    "account.about": "Dann bezahlt Ihr eigenes Guthaben die Modelle von Hugging Face, und Ihre Gespräche folgen Ihnen.",
    "account.signed_in": "Angemeldet als",
    "account.sign_out": "Abmelden",
    "script.own_key_note": "Ihr Schlüssel",
    "script.own_key_forgotten": "Ihr Schlüssel ist vergessen.",
    "sidebar.test": "Testen",
    "sidebar.test_failed": "Test fehlgeschlagen",
    "sidebar.window": "{tokens} Token Kontext",
    "sidebar.prices": "{prompt} $ hinein, {completion} $ heraus je Million Token",
    "script.testing": "Wird getestet …",
    "sidebar.another_model": "Anderes Modell",
    "sidebar.model_name": "Name des Modells",
    "sidebar.stream": "Antwort live zeigen",
    "sidebar.search": "Suche",
    "sidebar.instructions": "Anweisungen",
    "sidebar.reset": "Zurücksetzen",
    "sidebar.advanced": "Erweitert",
    "sidebar.unset": "Zurück zu den Werten des Modells",
    "sidebar.conversations": "Gespräche",
    "sidebar.today": "Heute",
    "sidebar.yesterday": "Gestern",
    "script.send": "Senden",
    "script.stop": "Anhalten",
    "script.copied": "Kopiert.",
    "script.connection_lost": "Die Verbindung ist unterbrochen. Neuer Versuch in {seconds} s; dein Text bleibt erhalten.",
    "script.source_cited": "Quelle {number} zitiert: {quote}",
    "script.source_shown": "Quelle {number} wird gezeigt.",
    "script.no_sentence_matches": "Kein Satz dieses Abschnitts stimmt in seinen Wörtern überein.",
    "script.sending": "{name} wird gesendet",
    "script.sending_one_of": "{name} wird gesendet ({number} von {count})",
}
