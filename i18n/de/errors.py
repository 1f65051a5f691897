"""Texts of errors, in German."""

TEXTS = {
    "refused.blank_question": "Bitte stellen Sie eine Frage.",
    "refused.long_question": (
        "Die Frage ist zu lang: höchstens {most} Zeichen. Kürzen Sie sie und fragen Sie noch einmal."
    ),
    "refused.unreadable_question": "Die Frage oder das zuvor Gesagte enthält Zeichen, die kein Text sind. Geben Sie sie noch einmal ein.",
    "refused.missing_key": (
        "Der Anbieter dieses Modells verlangt einen Schlüssel. Tragen Sie ihn in .env ein, starten Sie Glassbox "
        "neu und fügen Sie das Modell dann hinzu."
    ),
    "refused.unknown_model": (
        "Ein Modell dieses Namens gibt es hier nicht.{? Am nächsten: {near}.?} Wählen Sie eines aus der Liste "
        "der Modelle."
    ),
    "refused.unknown_program": (
        "Ein Programm dieses Namens gibt es hier nicht. Wählen Sie eines aus, das GET /api/programs nennt."
    ),
    "refused.unknown_profile": (
        "Ein Profil dieses Namens gibt es hier nicht, oder seine Datei hat einen Fehler. Laden Sie die Seite neu, oder "
        "wählen Sie eines aus, das GET /api/profiles nennt."
    ),
    "refused.typed_model": (
        "Kein Modell heißt so. Ein Name hat die Form Anbieter/Modell, etwa openai/gpt-5-mini.{? Am nächsten: {near}.?}"
    ),
    "refused.typed_address": (
        "Ein Name hat die Form Anbieter/Modell und enthält keine Adresse. Nennen Sie die Adresse als api_base in "
        "MODELS und starten Sie Glassbox neu."
    ),
    "refused.not_here": (
        "Modelle werden nur auf dem Rechner, auf dem Glassbox läuft, nach Namen hinzugefügt. Wählen Sie eines "
        "aus der Liste der Modelle."
    ),
    "refused.invalid_request": "Die Anfrage ist nicht gültig. Prüfen Sie ihre Schlüssel und deren Werte.",
    "refused.invalid_value": "Der Schlüssel {key} fehlt, oder sein Wert hat einen falschen Typ oder liegt außerhalb des Bereichs. Berichtigen Sie ihn.",
    "refused.not_json": "Senden Sie JSON: einen JSON-Text und die Kopfzeile Content-Type: application/json.",
    "refused.unknown_event": (
        "Diese Antwort hat kein Ereignis dieser Nummer. Nennen Sie die Nummer des zuletzt empfangenen Ereignisses."
    ),
    "refused.unknown_response": (
        "Eine Antwort mit der Kennung in previous_response_id gibt es nicht. Nennen Sie eine andere, oder beginnen Sie ohne sie ein neues Gespräch."
    ),
    "refused.invalid_visitor": "Ein Besucher heißt mit 16 bis 128 Buchstaben, Ziffern, _ oder -.",
    "refused.invalid_key": (
        "Ein Schlüssel besteht aus höchstens {most} Buchstaben, Ziffern und Zeichen ohne Leerzeichen. Kopieren Sie ihn "
        "noch einmal."
    ),
    "refused.takes_no_key": (
        "Dieses Modell nimmt keinen eigenen Schlüssel. Lassen Sie ihn weg, oder wählen Sie ein anderes Modell."
    ),
    "refused.needs_key": (
        "Dieses Modell braucht einen Schlüssel. Tragen Sie Ihren eigenen unter der Liste der Modelle ein, oder wählen "
        "Sie ein anderes Modell."
    ),
    "refused.sign_in_failed": (
        "Die Anmeldung wurde nicht abgeschlossen. Öffnen Sie die Seite neu, und melden Sie sich noch einmal an."
    ),
    "refused.too_large": "Die Anfrage ist zu groß. Senden Sie weniger.",
    "refused.encoded_body": (
        "Der Inhalt der Anfrage ist komprimiert. Senden Sie ihn unverändert, ohne die Kopfzeile Content-Encoding."
    ),
    "refused.no_visitor": "Sagen Sie, wessen Dokumente dies sind: Senden Sie die Kopfzeile X-Visitor.",
    "refused.no_files": "Die Anfrage enthält keine Datei. Senden Sie eine oder mehrere im Multipart-Feld „file“.",
    "refused.many_files": "Das sind zu viele Dateien auf einmal. Senden Sie weniger.",
    "refused.unknown_tool": "Dieses Werkzeug gibt es nicht. Rufen Sie eines aus der Liste der Werkzeuge auf.",
    "refused.unauthorized": (
        "Hierfür ist ein Bearer-Token nötig: Senden Sie die Kopfzeile „Authorization: Bearer …“ mit dem richtigen."
    ),
    "refused.invalid_session": "Der Name einer Sitzung hat höchstens {most} Zeichen und keine Steuerzeichen.",
    "refused.invalid_request_key": (
        "Ein Idempotency-Key besteht aus 1 bis {most} Buchstaben, Ziffern und Zeichen ohne Leerzeichen."
    ),
    "refused.reused_request_key": (
        "Mit diesem Idempotency-Key wurde eine andere Anfrage gestellt. Wählen Sie einen neuen."
    ),
    "refused.foreign_page": "Seiten anderer Websites dürfen dies nicht benutzen. CORS_ORIGINS nennt die, die es dürfen.",
    "refused.unknown_host": "Diese Adresse ist hier nicht bekannt. Setzen Sie PUBLIC_URL auf die Adresse, die benutzt wird.",
    "refused.too_slow": "Die Anfrage kam zu langsam und wurde beendet. Senden Sie sie noch einmal.",
    "refused.artifact_form": "Nur eine Tabelle gibt es als CSV (`as=csv`). Lassen Sie `as` weg.",
    "refused.rating_form": "Bewertungen gibt es als `as=jsonl` oder `as=csv`, und ohne `as` als ein JSON-Objekt.",
    "refused.many_choices": ("Es wird immer nur eine Antwort geschrieben. Lassen Sie n weg, oder setzen Sie es auf 1."),
    "refused.answer_format": (
        "Antworten sind Text. Lassen Sie response_format (oder text.format) weg, oder setzen Sie dessen type auf text."
    ),
    "refused.client_task": (
        "Titel, Schlagwörter und Anschlussfragen von Chats werden hier nicht geschrieben, nur Antworten aus Dokumenten. "
        "Wählen Sie in Open WebUI ein anderes Aufgabenmodell, oder schalten Sie diese Aufgaben ab."
    ),
    "refused.client_tools": (
        "Werkzeuge eines Clients werden hier nicht aufgerufen. Lassen Sie tool_choice weg, oder setzen Sie es auf auto oder none."
    ),
    "refused.not_text": (
        "Die Frage enthält ein Bild, einen Ton oder eine Datei; gelesen wird nur Text. Fügen Sie Dateien als Dokumente hinzu, und fragen Sie nur mit Text."
    ),
    "refused.long_instructions": (
        "Die Anweisungen sind zu lang: höchstens {most} Zeichen. Kürzen Sie sie und fragen Sie noch einmal."
    ),
    "refused.still_running": "Diese Antwort wird noch geschrieben. Fragen Sie danach, wenn sie fertig ist.",
    "refused.no_prompt": (
        "Was das Modell zu diesem Satz bekam, ist nicht aufbewahrt: Die Antwort war eine gespeicherte oder ist zu alt. "
        "Stellen Sie die Frage neu und fragen Sie dann nach der neuen Antwort."
    ),
    "refused.no_passages": "Diese Antwort entstand ohne Passagen, also lässt sich keine weglassen.",
    "refused.no_check_model": (
        "Es gibt kein Modell für die zweite Prüfung. Nennen Sie eines in `model`, oder setzen Sie CHECK_MODEL auf einen "
        "Namen aus der Liste der Modelle."
    ),
    "refused.cannot_judge": "Das eingebaute Modell zitiert nur und kann nicht urteilen. Nennen Sie ein Sprachmodell.",
    "refused.nothing_weak": "Kein Satz dieser Antwort ist schwach, also gibt es nichts zu fragen.",
    "refused.set_too_large": "Der Fragensatz ist zu groß: höchstens {most} Zeichen. Teilen Sie ihn auf.",
    "refused.too_many_questions": "Das sind zu viele Fragen für einen Satz: höchstens {most}. Teilen Sie ihn auf.",
    "refused.no_questions": (
        "Der Fragensatz enthält keine Frage. Schreiben Sie mindestens eine, mit der Frage in der Spalte „question“."
    ),
    "refused.invalid_question": (
        "Zeile {line}:{? Der Wert von {key} hat einen falschen Typ.?} Eine Frage ist ein Objekt mit Text in „question“. Berichtigen "
        "Sie die Zeile; nichts wurde gespeichert."
    ),
    "refused.unknown_column": (
        "Zeile {line}: Eine Spalte oder ein Schlüssel ist unbekannt, steht doppelt da, oder „question“ fehlt. Bekannt: {near}. "
        "Benennen Sie sie um; nichts wurde gespeichert."
    ),
    "refused.unreadable_set": (
        "Zeile {line} ist weder JSON noch eine Zeile einer CSV-Datei mit Kopf. Berichtigen Sie sie; nichts wurde gespeichert."
    ),
    "refused.long_question_field": (
        "Zeile {line}: {key} hat mehr als {most} Zeichen. Kürzen Sie den Text; nichts wurde gespeichert."
    ),
    "refused.no_question_text": (
        "Zeile {line} enthält keine Frage. Schreiben Sie eine, oder entfernen Sie die Zeile; nichts wurde gespeichert."
    ),
    "refused.unknown_metric": "Ein Maß dieses Namens gibt es nicht. Bekannt: {near}.",
    "refused.needs_gold": (
        "Das Maß {key} vergleicht mit einer erwarteten Antwort, und keine Frage dieses Satzes hat eine. Ergänzen Sie die Spalte "
        "„answer“, oder lassen Sie das Maß weg."
    ),
    "refused.few_examples": (
        "Es gibt zu wenige Fragen mit bekannter Antwort: Mindestens {most} sind nötig. Bewerten Sie weitere Antworten, oder nennen Sie einen Satz mit mehr Fragen."
    ),
    "refused.few_calls": (
        "Mit so wenigen Aufrufen lässt sich nichts messen: Diese Fragen brauchen mindestens {most}. Erlauben Sie mehr Aufrufe, oder geben Sie weniger Fragen."
    ),
    "refused.cannot_learn": (
        "Das eingebaute Modell zitiert nur: Anweisungen und Beispiele ändern daran nichts. Wählen Sie ein Sprachmodell."
    ),
    "refused.cannot_be_optimised": (
        "Dieses Programm antwortet aus einem ganzen Dokument und lässt sich nicht optimieren. Wählen Sie ein anderes."
    ),
    "refused.unknown_price": (
        "Was dieses Modell kostet, ist nicht bekannt, also lässt sich keine Grenze in USD einhalten. Lassen Sie max_usd weg, oder setzen Sie seine Preise in MODELS."
    ),
    "refused.whose_optimisation": (
        "Sagen Sie, wessen Bewertungen und Programme dies sind: Senden Sie die Kopfzeile X-Visitor."
    ),
    "refused.nothing_improved": (
        'Es wurde kein besseres Programm gefunden, oder sein Gewinn ist nicht belegt. Geben Sie mehr Fragen, oder senden Sie {{"anyway": true}}, wo eines bei der Suche besser war.'
    ),
    "refused.still_optimising": (
        "Diese Optimierung läuft noch. Warten Sie, bis sie geendet hat, oder halten Sie sie an."
    ),
    "refused.nothing_to_resume": (
        "Diese Optimierung hat von selbst geendet, es bleibt nichts zu tun. Beginnen Sie eine neue."
    ),
    "missing.question_set": "Diesen Fragensatz gibt es nicht. Suchen Sie ihn in der Liste der Sätze.",
    "missing.optimisation": ("Diese Optimierung gibt es nicht. Suchen Sie sie in der Liste der Optimierungen."),
    "busy.optimising": (
        "Eine Ihrer Optimierungen läuft bereits. Halten Sie sie an, oder versuchen Sie es in {retry_after_s:duration} noch einmal."
    ),
    "refused.too_many_sets": "Sie haben zu viele Fragensätze. Entfernen Sie einen, und fügen Sie diesen dann noch einmal hinzu.",
    "refused.not_interrupted": "Nur eine unterbrochene Auswertung kann fortgesetzt werden. Starten Sie eine neue.",
    "refused.no_owner": "Sagen Sie, wem dieser Fragensatz gehört: Senden Sie den Header X-Visitor.",
    "missing.evaluation": "Diese Auswertung gibt es nicht. Starten Sie eine neue.",
    "missing.sentence": (
        "Diesen Satz gibt es nicht. Sehen Sie sein Feld und seine Nummer in den Ereignissen `sentence_checked` nach."
    ),
    "missing.conversation": "Dieses Gespräch gibt es nicht. Beginnen Sie ein neues.",
    "missing.turn": "Diese Antwort gibt es nicht. Fragen Sie noch einmal.",
    "missing.document": "Dieses Dokument oder diese Seite gibt es nicht. Sehen Sie in der Liste der Dokumente nach.",
    "missing.passage": "Diese Passage gibt es nicht, oder ihr Link ist zu alt. Fragen Sie noch einmal nach einem neuen.",
    "missing.artifact": "Dieses Artefakt gibt es nicht. Sehen Sie seine Nummer in den Ereignissen der Antwort nach.",
    "missing.response": "Diese Antwort gibt es nicht. Fragen Sie noch einmal.",
    "missing.events": "Die Ereignisse dieser Antwort werden nicht mehr aufbewahrt. Fragen Sie nach der Antwort selbst.",
    "busy.turns": "Gerade werden viele Fragen beantwortet. Versuchen Sie es noch einmal in {retry_after_s:duration}.",
    "busy.evaluation": (
        "Eine andere Auswertung von Ihnen läuft noch. Stoppen Sie sie, oder warten Sie ihr Ende ab; versuchen Sie es in "
        "{retry_after_s:duration} noch einmal."
    ),
    "busy.visitor": (
        "Ihre anderen Antworten werden noch geschrieben. Halten Sie eine an, warten Sie auf das Ende einer, oder "
        "versuchen Sie es noch einmal in {retry_after_s:duration}."
    ),
    "busy.rate": "Das waren viele Fragen in kurzer Zeit. Fragen Sie noch einmal in {retry_after_s:duration}.",
    "busy.closing": "Glassbox wird gerade neu gestartet. Versuchen Sie es noch einmal in {retry_after_s:duration}.",
    "busy.requests": (
        "Das waren viele Anfragen in kurzer Zeit. Versuchen Sie es noch einmal in {retry_after_s:duration}."
    ),
    "busy.pending": (
        "Zu viel von Ihrer Adresse wartet auf Antwort. Versuchen Sie es noch einmal in {retry_after_s:duration}."
    ),
    "busy.sessions": (
        "Ihre Adresse hat zu viele Sitzungen offen. Beenden Sie, was Sie nicht brauchen, oder versuchen Sie es noch einmal "
        "in {retry_after_s:duration}."
    ),
    "busy.places": (
        "Andere Ihrer Dokumente werden noch gelesen. Versuchen Sie es noch einmal in {retry_after_s:duration}."
    ),
    "busy.uploads": (
        "Viele Ihrer Dateien sind noch unterwegs. Versuchen Sie es noch einmal in {retry_after_s:duration}."
    ),
    "model.auth": "Das Modell hat den Schlüssel abgelehnt. Prüfen Sie ihn, oder wählen Sie ein anderes Modell.",
    "model.billing": "Das Konto des Modells hat kein Guthaben mehr. Wählen Sie ein anderes Modell.",
    "model.over_budget": (
        "Das heutige Budget für Modelle ist aufgebraucht. Nehmen Sie einen eigenen Schlüssel oder das eingebaute "
        "Modell, oder kommen Sie morgen wieder."
    ),
    "model.rate_limit": (
        "Das Modell ist gerade ausgelastet. Versuchen Sie es gleich noch einmal, oder wählen Sie ein anderes Modell."
    ),
    "model.unsupported_model": "Der Anbieter führt dieses Modell nicht. Wählen Sie ein anderes Modell.",
    "model.context_window_exceeded": (
        "Der Prompt ist zu lang für das Modell, auch ohne frühere Fragen und mit einem Teil der Passagen. Kürzen Sie die "
        "Frage oder die Anweisungen, fragen Sie mit weniger Passagen, oder wählen Sie ein Modell mit größerem Fenster."
    ),
    "model.prompt_too_long": (
        "Schon die Frage und die Anweisungen sind zu lang für das Fenster dieses Modells. Kürzen Sie sie, oder wählen Sie "
        "ein Modell mit größerem Fenster."
    ),
    "model.no_memory": (
        "Der Server dieses Modells hat dafür zu wenig Speicher. Wählen Sie ein kleineres Modell, oder schließen Sie dort, "
        "was den Speicher belegt, und versuchen Sie es erneut."
    ),
    "model.invalid_request": (
        "Das Modell hat die Anfrage abgelehnt. Ändern Sie die Einstellungen, oder wählen Sie ein anderes Modell."
    ),
    "model.content_filter": "Der Inhaltsfilter des Anbieters hat dies verhindert. Fragen Sie mit anderen Worten.",
    "model.not_configured": (
        "Diesem Modell fehlt noch sein Schlüssel. Setzen Sie ihn und starten Sie neu, oder wählen Sie ein "
        "anderes Modell."
    ),
    "model.connection": (
        "Die Verbindung zum Modell ist abgebrochen. Versuchen Sie es noch einmal, oder wählen Sie ein anderes Modell."
    ),
    "model.refused": (
        "Der Server des Modells{? ({server})?} war nicht zu erreichen. Prüfen Sie, ob er läuft, und seine "
        "Adresse, oder wählen Sie ein anderes Modell."
    ),
    "model.unreachable": (
        "Es gab keinen sicheren Weg zur Adresse des Modells{? ({server})?}. Prüfen Sie Netz und Adresse, oder "
        "wählen Sie ein anderes Modell."
    ),
    "model.connect_timeout": (
        "Das Modell{? ({server})?} war nicht rechtzeitig zu erreichen. Versuchen Sie es noch einmal, oder wählen "
        "Sie ein anderes Modell."
    ),
    "model.wrong_address": (
        "Unter seiner Adresse{? ({server})?} gibt es keinen Modell-Server oder nicht dieses Modell. Prüfen Sie "
        "die Adresse, die oft auf /v1 endet, und den Namen des Modells, oder wählen Sie ein anderes Modell."
    ),
    "model.first_token_timeout": (
        "Das Modell hat nicht rechtzeitig zu antworten begonnen. Versuchen Sie es noch einmal, oder wählen Sie "
        "ein anderes Modell."
    ),
    "model.idle_timeout": (
        "Das Modell ist mitten in der Antwort verstummt. Versuchen Sie es noch einmal, oder wählen Sie ein "
        "anderes Modell."
    ),
    "model.turn_timeout": (
        "Die Antwort dauerte zu lange und wurde beendet. Versuchen Sie es noch einmal, oder fragen Sie nach weniger."
    ),
    "model.server": (
        "Beim Anbieter des Modells ist ein Fehler aufgetreten. Versuchen Sie es noch einmal, oder wählen Sie ein "
        "anderes Modell."
    ),
    "model.cannot_stream": (
        "Das Modell sendet seine Antworten nicht fortlaufend. Versuchen Sie es noch einmal, oder wählen Sie ein "
        "anderes Modell."
    ),
    "model.bad_reply": (
        "Die Antwort des Modells war nicht lesbar. Versuchen Sie es noch einmal, oder wählen Sie ein anderes Modell."
    ),
    "model.incomplete": (
        "Die Antwort des Modells endete zu früh. Versuchen Sie es noch einmal, oder wählen Sie ein anderes Modell."
    ),
    "model.empty": "Das Modell gab keine Antwort. Versuchen Sie es noch einmal, oder wählen Sie ein anderes Modell.",
    "model.format": (
        "Das Modell hielt sich nicht an das Format. Versuchen Sie es noch einmal, oder wählen Sie ein anderes Modell."
    ),
    "model.cut_short": (
        "Das Modell hat seine Token verbraucht, bevor es antwortete. Erlauben Sie ihm mehr, oder wählen Sie ein "
        "anderes Modell."
    ),
    "model.repeats": (
        "Das Modell begann sich zu wiederholen und wurde beendet. Versuchen Sie es noch einmal, oder wählen Sie "
        "ein anderes Modell."
    ),
    "model.resting": (
        "Das Modell ist mehrmals ausgefallen und ruht vorerst. Versuchen Sie es bald noch einmal, oder wählen "
        "Sie ein anderes Modell."
    ),
    "model.answer_limit": "Die Antwort ist über ihre Grenze gewachsen und wurde beendet. Fragen Sie nach weniger.",
    "model.unexpected": (
        "Das Modell ist auf eine Weise ausgefallen, die keinen Namen hat. Versuchen Sie es noch einmal, oder "
        "wählen Sie ein anderes Modell."
    ),
    "file.unsupported": (
        "Dateien dieser Art werden nicht gelesen. Senden Sie {formats}, Quelltext oder ein Zip davon."
    ),
    "file.no_ocr": (
        "Text in Bildern wird hier nicht gelesen. Senden Sie den Text selbst, oder installieren Sie tesseract, wo "
        "Glassbox läuft."
    ),
    "file.unknown_encoding": (
        "Es ist nicht zu erkennen, wie die Buchstaben dieser Datei gespeichert sind. "
        "Speichern Sie sie als UTF-8 und senden Sie diese."
    ),
    "file.old_office": (
        "Dies ist eine alte Office-Datei. Speichern Sie sie als DOCX, PPTX oder XLSX und senden Sie diese."
    ),
    "file.wrong_type": (
        "Die Datei ist nicht, was ihr Name sagt. Geben Sie ihr die richtige Endung und senden Sie sie noch einmal."
    ),
    "file.empty": "Die Datei ist leer. Wählen Sie eine, die Text enthält.",
    "file.no_text": "In der Datei wurde kein Text gefunden. Wählen Sie eine, die Text enthält.",
    "file.scanned": (
        "Die Datei enthält Bilder von Seiten und keinen Text. Lassen Sie eine Texterkennung darüber laufen und "
        "senden Sie sie noch einmal, oder installieren Sie tesseract, wo Glassbox läuft."
    ),
    "file.encrypted": (
        "Die Datei ist mit einem Kennwort verschlossen. Speichern Sie sie ohne und senden Sie sie noch einmal."
    ),
    "file.broken": (
        "Die Datei ist beschädigt. Öffnen Sie sie in ihrem eigenen Programm, speichern Sie sie neu und senden "
        "Sie diese."
    ),
    "file.too_large": "Die Datei ist zu groß. Teilen Sie sie und senden Sie die Teile.",
    "file.too_many_pages": "Die Datei hat zu viele Seiten. Teilen Sie sie und senden Sie die Teile.",
    "file.too_much_text": (
        "Die Datei enthält mehr als 20 Millionen Zeichen Text. Teilen Sie sie und senden Sie die Teile."
    ),
    "file.too_many_files": "Das Zip enthält zu viele Dateien. Teilen Sie es und senden Sie die Teile.",
    "file.bomb": (
        "Die Datei wird beim Entpacken weit größer, als ihre Größe verspricht. Speichern Sie sie neu, oder "
        "senden Sie sie in anderer Form."
    ),
    "file.too_complex": (
        "Die Datei braucht mehr Speicher, als einer Datei zusteht. Teilen Sie sie, oder speichern Sie sie in "
        "einfacherer Form."
    ),
    "file.timeout": "Das Lesen der Datei dauerte zu lange. Teilen Sie sie, oder speichern Sie sie in einfacherer Form.",
    "file.web_off": (
        "Dokumente werden hier nicht von Webadressen gelesen. Laden Sie das Dokument herunter und senden Sie die Datei."
    ),
    "file.web_address": (
        "Das ist keine öffentliche Webadresse. Geben Sie eine an, die mit https oder http beginnt und die alle öffnen "
        "können, ohne Passwort und anderen Port."
    ),
    "file.web_unreachable": (
        "Unter dieser Adresse konnte nichts gelesen werden. Öffnen Sie sie in einem Browser, und prüfen Sie, ob sie "
        "öffentlich ist."
    ),
    "file.web_type": (
        "Diese Art von Dokument wird nicht gelesen. Geben Sie die Adresse von {formats} oder Quelltext an."
    ),
    "file.nested_zip": (
        "Das Zip enthält ein weiteres Zip. Entpacken Sie zuerst dieses und senden Sie die Dateien selbst."
    ),
    "file.zip_link": "Das Zip enthält einen Verweis auf eine andere Datei. Legen Sie die Datei selbst in das Zip.",
    "file.zip_path": (
        "Das Zip enthält einen Pfad, der aus ihm hinausführt. Packen Sie die Dateien neu mit einfachen Namen."
    ),
    "file.no_room": (
        "Für weitere Dokumente ist kein Platz mehr. Entfernen Sie einige und senden Sie die Datei noch einmal."
    ),
    "file.not_kept": (
        "Die Datei konnte nicht aufbewahrt werden. Versuchen Sie es noch einmal; bleibt es dabei, prüfen Sie den "
        "Datenträger und DATA_DIR."
    ),
    "file.busy": "Das waren viele Dateien in kurzer Zeit. Warten Sie eine Minute und senden Sie die Datei noch einmal.",
    "file.no_page": "Von dieser Seite gibt es kein Bild. Öffnen Sie das Dokument selbst.",
    "file.internal": (
        "Glassbox selbst ist an dieser Datei gescheitert. Senden Sie sie noch einmal; bleibt es dabei, sagen Sie "
        "es der Person, die Glassbox betreibt."
    ),
    "fault.search": (
        "Die Dokumente konnten nicht durchsucht werden. Versuchen Sie es noch einmal; bleibt es dabei, starten "
        "Sie Glassbox neu."
    ),
    "fault.embedding": (
        "Das Modell der Suche hat nicht geantwortet; gesucht wurde nur nach Wörtern. Prüfen Sie seinen Namen."
    ),
    "fault.index_taken": (
        "Ein anderer Prozess benutzt den Index unter diesem DATA_DIR. Beenden Sie ihn, oder setzen Sie DATA_DIR "
        "auf einen anderen Ordner."
    ),
    "fault.not_installed": "{setting} braucht ein weiteres Paket: pip install {package}",
    "fault.store": (
        "Die gespeicherten Gespräche waren nicht zu erreichen. Versuchen Sie es noch einmal; bleibt es dabei, "
        "prüfen Sie den Datenträger und DATA_DIR."
    ),
    "fault.internal": (
        "Hier ist Glassbox selbst ausgefallen; es liegt weder an Ihrer Frage noch am Modell. Versuchen Sie es "
        "noch einmal; bleibt es dabei, sagen Sie der Person, die Glassbox betreibt, sie möge im Protokoll nach "
        "„our own fault“ sehen."
    ),
    "trouble.moved_aside": (
        "Die früheren Gespräche waren nicht lesbar. Sie wurden in DATA_DIR in eine Datei mit Datum verschoben, "
        "und neue haben begonnen."
    ),
    "trouble.not_saved": (
        "Gespräche können gerade nicht gespeichert werden: Antworten kommen weiter, sind aber nach einem "
        "Neustart fort. Schaffen Sie Platz auf dem Datenträger, oder machen Sie DATA_DIR beschreibbar; das "
        "Speichern geht dann von selbst weiter."
    ),
}
