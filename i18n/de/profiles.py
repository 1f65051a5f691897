"""Texts about profiles, in German."""

TEXTS = {
    "profile.unreadable": "Die Datei lässt sich nicht lesen. Prüfen Sie ihre Rechte.",
    "profile.not_a_file": "Das ist keine Datei. Ein Profil ist eine YAML-Datei.",
    "profile.outside": "Die Verknüpfung führt aus dem Ordner der Profile hinaus. Legen Sie die Datei selbst dorthin.",
    "profile.name": (
        "Der Name der Datei ist der des Profils: Nehmen Sie a bis z, 0 bis 9 und -, höchstens 64 Zeichen."
    ),
    "profile.taken": "Eine andere Datei heißt ebenso, mit anderer Endung. Benennen Sie eine von beiden um.",
    "profile.many": "Es sind zu viele Dateien. Entfernen Sie einige.",
    "profile.large": "Die Datei ist zu groß: höchstens 64 kB.",
    "profile.encoding": "Die Datei ist kein Text in UTF-8 oder UTF-16. Speichern Sie sie in UTF-8.",
    "profile.character": "Die Zeile enthält ein Steuerzeichen. Entfernen Sie es.",
    "profile.syntax": (
        "Das ist kein gültiges YAML. Prüfen Sie Einrückung, Anführungszeichen und Doppelpunkte hier und in der Zeile "
        "darüber."
    ),
    "profile.tab": "YAML erlaubt hier keinen Tabulator. Rücken Sie mit Leerzeichen ein.",
    "profile.alias": (
        "Anker (&) und Verweise (*) sind nicht erlaubt. Schreiben Sie den Wert aus oder setzen Sie ihn in "
        "Anführungszeichen."
    ),
    "profile.tag": "Typangaben (!) sind nicht erlaubt. Entfernen Sie sie oder setzen Sie den Wert in Anführungszeichen.",
    "profile.documents": "Die Datei enthält mehrere Dokumente. Behalten Sie eines, ohne ---.",
    "profile.deep": "Die Werte sind zu tief verschachtelt. Schreiben Sie sie flacher.",
    "profile.empty": "Die Datei ist leer. Schreiben Sie Schlüssel mit Werten, etwa „title: Support“.",
    "profile.mapping": "{? Für {key}: ?}Hier werden Schlüssel mit Werten gebraucht, etwa „title: Support“.",
    "profile.unknown_key": (
        "Ein Profil hat keinen solchen Schlüssel.{? Am nächsten: {near}.?} docs/profiles.md nennt die Schlüssel."
    ),
    "profile.repeated_key": "Dieser Schlüssel steht zweimal da. Behalten Sie einen davon.",
    "profile.number": "{key} verlangt eine Zahl von {least} bis {most}.",
    "profile.whole": "{key} verlangt eine ganze Zahl von {least} bis {most}.",
    "profile.flag": "{key} verlangt true oder false.",
    "profile.choice": "{key} verlangt eines von diesen: {names}.",
    "profile.text": "{key} verlangt einen Text von 1 bis {most} Zeichen.",
    "profile.list": "{key} verlangt eine Liste mit mindestens einem Eintrag: je eine Zeile, hinter „- “.",
    "profile.items": "{key} verlangt höchstens {most} Einträge.",
    "profile.uploads": (
        "Die Sammlung „private“ enthält, was Besucher hochladen; das gehört ihnen ohnehin. Nehmen Sie einen anderen "
        "Namen."
    ),
    "profile.unknown_program": (
        "Ein Programm dieses Namens gibt es nicht.{? Am nächsten: {near}.?} Nehmen Sie eines, das GET /api/programs "
        "nennt."
    ),
    "profile.unknown_model": "Ein Modell dieses Namens gibt es nicht. Nehmen Sie einen Namen aus der Liste der Modelle.",
    "profile.unknown_field": "Das Programm hat kein Feld dieses Namens. Es hat diese: {near}.",
    "profile.unknown_step": (
        "Einen Schritt dieses Namens gibt es nicht. Es gibt diese: {near}; search:2 ist eine spätere Suche, tool:NAME "
        "ein Werkzeug."
    ),
}
