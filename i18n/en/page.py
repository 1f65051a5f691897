"""Texts on the page around turns."""

TEXTS = {
    "scope.legend": "Documents that are asked",
    "scope.open": "Choose documents",
    "scope.more": "More",
    "scope.clear": "Ask all",
    "scope.collection": "all of {name}",
    "scope.is_collection": "collection",
    "scope.gone.one": "{count} choice is gone and not asked any more.",
    "scope.gone.other": "{count} choices are gone and not asked any more.",
    "scope.remove": "No longer ask only {name}",
    "version.previous": "Previous version",
    "version.next": "Next version",
    "version.previous_of": "Previous version of turn {place}",
    "version.next_of": "Next version of turn {place}",
    "version.shown": "Version {number} of {versions}",
    "version.editing": (
        "Editing: sending asks it as a new version. The earlier one stays, with all that came after it."
    ),
    "version.began": (
        "A new version begins here. The earlier one stays, with all that came after it: ‹ and › lead from one to the "
        "other."
    ),
    "page.no_model_on_space": (
        "This Space runs without a language model: answers are quotes from the documents. To see a model reason, "
        "choose one and enter your own key below it, or duplicate the Space and add a provider’s key as a secret."
    ),
    "page.sign_in_on_space": (
        "Without you, answers here are quotes from the documents. To see a model reason, sign in with Hugging Face, or "
        "choose a model and enter your own key below it."
    ),
    "page.nothing_stored": (
        "This browser keeps nothing for this page: your conversations will not be listed any more once it is closed or "
        "loaded again. Allow site data for this address to keep them."
    ),
    "page.fine_print": "Answers can be wrong. The numbers lead to the passages that were cited.",
    "page.placeholder": "Ask the documents …",
    "page.question": "Question",
    "page.try_now": "Try now",
    "page.of_earlier_question": "{pane} of an earlier question",
    "page.back_to_latest": "Back to the latest",
    "page.cancel": "Cancel",
    "page.close": "Close",
    "page.panes": "Panes",
    "sidebar.none_yet": "Your conversations will be listed here.",
    "sidebar.for_language_models": (
        "The built-in model only quotes sentences that share words with the question: ask in the documents’ own "
        "language. Instructions, temperature and token limit are for language models."
    ),
    "sidebar.keywords_only": "Search goes by words. With EMBEDDING_MODEL set, it can go by meaning too.",
    "sidebar.unmoved": "As long as these are not moved, each model keeps its own.",
    "sidebar.too_long": (
        "The instructions are too long: at most {most} characters. Shorten them; until then those from before are used."
    ),
    "sidebar.keys": (
        "Any LiteLLM name; Enter adds it, for everybody here until Glassbox starts again. Its key belongs into the file "
        ".env beside app.py, under its provider’s own name (OPENAI_API_KEY=…); then start Glassbox again."
    ),
    "sidebar.profile": "Profile",
    "sidebar.no_profile": "No profile",
    "sidebar.profile_fault": "{file}, line {line}: {why}",
    "sidebar.model": "Model",
    "sidebar.without_key": "{count} more with a key",
    "sidebar.budget_left": "${left} of today’s ${budget} left for models",
    "sidebar.budget_spent": "Today’s budget for models is spent: the built-in model answers until midnight UTC.",
    "own_key.label": "Your own key",
    "own_key.kept": "Your key is used",
    "own_key.forget": "Forget",
    "own_key.about": (
        "Kept in this tab only, until it is closed or you forget the key. It is sent with each question to the "
        "provider of this model alone, and you pay."
    ),
    "own_key.about_server": (
        "Kept in this tab only, until it is closed or you forget the key. This model runs at an address that the host "
        "of this page chose: that server sees your key."
    ),
    "account.sign_in": "Sign in with Hugging Face",
    "account.about": "Then your own credit pays for the models of Hugging Face, and your chats follow you.",
    "account.signed_in": "Signed in as",
    "account.sign_out": "Sign out",
    "script.own_key_note": "your key",
    "script.own_key_forgotten": "Your key is forgotten.",
    "sidebar.test": "Test",
    "sidebar.test_failed": "The test failed",
    "sidebar.window": "{tokens} tokens of context",
    "sidebar.prices": "${prompt} in, ${completion} out per million tokens",
    "script.testing": "Testing …",
    "sidebar.another_model": "Another model",
    "sidebar.model_name": "Model name",
    "sidebar.stream": "Stream the answer",
    "sidebar.search": "Search",
    "sidebar.instructions": "Instructions",
    "sidebar.reset": "Reset to default",
    "sidebar.advanced": "Advanced",
    "sidebar.unset": "Back to the model’s own",
    "sidebar.conversations": "Conversations",
    "sidebar.today": "Today",
    "sidebar.yesterday": "Yesterday",
    "script.send": "Send",
    "script.stop": "Stop",
    "script.copied": "Copied.",
    "script.connection_lost": "The connection is lost. Trying again in {seconds} s; what you typed is kept.",
    "script.source_cited": "Source {number} cited: {quote}",
    "script.source_shown": "Source {number} is shown.",
    "script.no_sentence_matches": "No sentence of this passage matches in its words.",
    "script.sending": "Sending {name}",
    "script.sending_one_of": "Sending {name} ({number} of {count})",
}
