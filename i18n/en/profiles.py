"""Texts about profiles: what is to be changed in a file that is none, and their place on the page."""

TEXTS = {
    "profile.unreadable": "The file cannot be read. Check its permissions.",
    "profile.not_a_file": "This is no file. A profile is a YAML file.",
    "profile.outside": "The link leads out of the folder of profiles. Put the file itself there.",
    "profile.name": "The name of the file is that of the profile: use a to z, 0 to 9 and -, at most 64 characters.",
    "profile.taken": "Another file has the same name with another ending. Rename one of them.",
    "profile.many": "There are too many files. Remove some.",
    "profile.large": "The file is too large: at most 64 kB.",
    "profile.encoding": "The file is no text in UTF-8 or UTF-16. Save it in UTF-8.",
    "profile.character": "The line holds a control character. Remove it.",
    "profile.syntax": "This is not valid YAML. Check the indentation, the quotes and the colons here and in the line above.",
    "profile.tab": "YAML takes no tab here. Indent by spaces.",
    "profile.alias": "Anchors (&) and aliases (*) are not allowed. Write the value out, or quote it.",
    "profile.tag": "Tags (!) are not allowed. Remove it, or quote the value.",
    "profile.documents": "The file holds several documents. Keep one of them, without ---.",
    "profile.deep": "The values are nested too deeply. Write them flat.",
    "profile.empty": "The file is empty. Write keys with values, like “title: Support”.",
    "profile.mapping": "{? For {key}: ?}Keys with values are needed here, like “title: Support”.",
    "profile.unknown_key": "A profile has no such key.{? Nearest: {near}.?} docs/profiles.md lists the keys.",
    "profile.repeated_key": "This key is there twice. Keep one of them.",
    "profile.number": "{key} takes a number from {least} to {most}.",
    "profile.whole": "{key} takes a whole number from {least} to {most}.",
    "profile.flag": "{key} takes true or false.",
    "profile.choice": "{key} takes one of these: {names}.",
    "profile.text": "{key} takes a text of 1 to {most} characters.",
    "profile.list": "{key} takes a list with at least one item: a line each, behind “- ”.",
    "profile.items": "{key} takes at most {most} items.",
    "profile.uploads": (
        "The collection “private” holds what visitors upload, which is their own already. Take another name."
    ),
    "profile.unknown_program": (
        "There is no program of that name.{? Nearest: {near}.?} Take one that GET /api/programs lists."
    ),
    "profile.unknown_model": "There is no model of that name. Take a label of the model list.",
    "profile.unknown_field": "The program has no field of that name. It has these: {near}.",
    "profile.unknown_step": (
        "There is no step of that name. There are these: {near}; search:2 is a later search, tool:NAME a tool."
    ),
}
