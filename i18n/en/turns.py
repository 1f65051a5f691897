"""Texts of one turn besides its answer: warnings, steps, endings, and how a fault was made good."""

TEXTS = {
    "warning.prompt_cut": (
        "The model saw only a part of the prompt: its window is too small for the passages and the history. Ask for fewer "
        "passages or turns of history, or set a larger num_ctx in MODELS."
    ),
    "warning.format": "The model did not keep to the format, so its text is shown as it came.",
    "warning.reasoning_channel": "The model's server took the answer for thinking. It was read from there.",
    "warning.length": "The model reached its limit of tokens, so the answer may be cut short.",
    "warning.content_filter": "The provider's content filter ended this answer early.",
    "warning.weak_context": (
        "The passages found hold only a part of the question's words. Check the sources before you rely on this."
    ),
    "warning.no_context": (
        "The passages found hold hardly a word of the question. This answer may not come from your documents: "
        "check it before you rely on it."
    ),
    "warning.prompt_limit": (
        "Not everything had room in the prompt.{? Earlier turns left out, the oldest: {turns}.?}"
        "{? Passages left out, those of the lowest rank: {passages}.?}{? Steps forgotten, the oldest: {steps}.?} "
        "Ask for fewer passages, start a new conversation, or choose a model with a larger window."
    ),
    "warning.own_key_refused": (
        "The provider did not accept your key or your sign-in. Check the key, or sign in again, then ask again."
    ),
    "warning.own_key_no_credit": (
        "Your account with the provider has no credit left. Add some there, or choose another model."
    ),
    "warning.own_key_search": (
        "With a key of your own, the search models that the host pays for are not used. Words or local models searched."
    ),
    "warning.builtin_quotes": (
        "The built-in model only quotes and cannot run the program {program}, so it quotes the passages of one search. Choose a language model to run it."
    ),
    "warning.builtin_compliance": (
        "The built-in model only quotes: it gives no findings and judges nothing. Choose a language model for a check."
    ),
    "warning.builtin_document": (
        "The built-in model only quotes: the summary is how the document and its sections begin, the key figures are numbers with units that stand in it, and it asks no open questions. Choose a language model for an analysis."
    ),
    "warning.no_document": (
        "There is no document to read: the chosen one is not there any more, or no document was found. Choose one of the documents."
    ),
    "warning.document_found": (
        "No document was chosen, so this reads “{title}”, which fits the question best. Choose a document to read another one."
    ),
    "warning.document_of_several": (
        "This program reads one document: of those chosen it reads “{title}”, which fits the question best. Choose a single one to read another."
    ),
    "warning.step_limit": "The model reached the limit of {most} steps, so it answered from what it had found by then.",
    "warning.search_again": "A further search failed, so the answer stands on what had been found before.",
    "warning.time_limit": "The time for tools and searches was over, so the model answered from what it had found by then.",
    "warning.missing_fields": "The model left out: {fields}. Ask again, or choose another model.",
    "warning.unsupported": (
        "Check this answer: {doubtful} of {claims} statements are not, or only partly, supported by the cited passages."
    ),
    "warning.interrupted": "Glassbox was ended while this was being written, so the answer is incomplete. Ask again.",
    "step.place_in_line": "number {place} in line",
    "reason.not_chosen": (
        "Place {place}, and {wanted} were wanted{?; it has {share}% of the score of [{last}]?}{?; it lacks "
        "{words:quoted}?}."
    ),
    "duration.seconds.one": "{count} second",
    "duration.seconds.other": "{count} seconds",
    "duration.minutes.one": "{count} minute",
    "duration.minutes.other": "{count} minutes",
    "duration.hours.one": "{count} hour",
    "duration.hours.other": "{count} hours",
    "reason.no_room": "The prompt had no room left for it, so it was not sent.",
    "note.quotes_only": "quotes only",
    "note.no_key": "no key",
    "note.sign_in": "sign in",
    "note.your_account": "your credit",
    "note.local": "local",
    "note.found": "{size} · {window}",
    "note.size": "{size}",
    "note.first_token": "{seconds} s",
    "test.works": "It answers.",
    "test.first_text": "It answers: first text after {first} s.",
    "test.speed": "It answers: first text after {first} s, then {speed} tokens a second.",
    "note.resting": "rests {rest_s} s",
    "note.unreachable": "does not answer",
    "turn.cut_short": "Cut short",
    "turn.cut_short_why": "The model reached its limit of tokens.",
    "turn.stopped": "Stopped",
    "turn.written_kept": "What was written is kept.",
    "turn.nothing_stored": "No answer had been stored yet.",
    "turn.nothing_written": "No answer was written yet.",
    "turn.incomplete": "Incomplete answer",
    "turn.no_answer": "No answer",
    "turn.arrived_kept": "What had arrived is kept above.",
    "turn.not_saved": "This turn could not be saved: it will be gone after a restart. Copy what you need.",
    "turn.go_on": "Continue",
    "turn.again": "Try again",
    "turn.other_model": "Choose another model",
    "turn.asked_with": "Asked with",
    "turn.of_answer": "answer {place}",
    "turn.nothing_found": "Hardly a word of the question was found in the documents.",
    "turn.cites_nothing": "This answer cites none of the passages that were found.",
    "turn.not_from_documents": "This answer does not come from the documents.",
    "refusal.title": "The documents do not say this",
    "refusal.unsure": "The documents may not say this",
    "refusal.missing": "Missing",
    "refusal.looked_in": "Looked in",
    "refusal.documents.one": "{count} document",
    "refusal.documents.other": "{count} documents",
    "refusal.passages.one": "{count} passage",
    "refusal.passages.other": "{count} passages",
    "refusal.searches.one": "{count} search",
    "refusal.searches.other": "{count} searches",
    "refusal.closest": "Closest",
    "refusal.more": "Look at {most} passages",
    "refusal.add": "Add a document",
    "refusal.in_there": "It is in there",
    "refusal.answered": "Answered",
    "refusal.parts": "{answered} of {asked} parts",
    "refusal.answered_in_part": "Answered in part",
    "recovery.doing.retry": "Trying again{? in {wait}?} …",
    "recovery.doing.unstreamed": "Asking for the whole answer at once …",
    "recovery.doing.default_prompt": "Asking with the default instructions …",
    "recovery.doing.fallback": "Asking {model} …",
    "recovery.doing.extractive": "Quoting the passages …",
    "recovery.answered.retry": "answered after a retry",
    "recovery.answered.unstreamed": "answered without streaming",
    "recovery.answered.default_prompt": "answered with the default instructions",
    "recovery.answered.fallback": "answered by fallback {model}",
    "recovery.answered.extractive": "quotes only: no language model answered",
    "recovery.fault.auth": "key refused",
    "recovery.fault.billing": "no credit",
    "recovery.fault.over_budget": "the day’s budget is spent",
    "recovery.fault.rate_limit": "rate limit",
    "recovery.fault.unsupported_model": "not offered",
    "recovery.fault.wrong_address": "no such address",
    "recovery.fault.context_window_exceeded": "too long",
    "recovery.fault.prompt_too_long": "too long",
    "recovery.fault.no_memory": "too little memory",
    "recovery.fault.invalid_request": "invalid request",
    "recovery.fault.content_filter": "content filter",
    "recovery.fault.not_configured": "no key",
    "recovery.fault.connection": "connection broke",
    "recovery.fault.refused": "server not reached",
    "recovery.fault.unreachable": "unreachable",
    "recovery.fault.connect_timeout": "not reached in time",
    "recovery.fault.first_token_timeout": "no reply in time",
    "recovery.fault.idle_timeout": "idle timeout",
    "recovery.fault.turn_timeout": "turn timeout",
    "recovery.fault.server": "provider error",
    "recovery.fault.cannot_stream": "cannot stream",
    "recovery.fault.bad_reply": "unreadable reply",
    "recovery.fault.incomplete": "incomplete reply",
    "recovery.fault.empty": "empty reply",
    "recovery.fault.format": "broke the format",
    "recovery.fault.cut_short": "ran out of tokens",
    "recovery.fault.repeats": "repeats",
    "recovery.fault.resting": "resting",
    "recovery.fault.answer_limit": "answer limit",
    "recovery.fault.unexpected": "unexpected",
    "answer.withdrawn": "*(The text above was withdrawn. It begins anew here.)*",
}
