"""Texts of errors: what happened, then what to do next."""

TEXTS = {
    "refused.blank_question": "Please ask a question.",
    "refused.long_question": "The question is too long: at most {most} characters. Shorten it and ask again.",
    "refused.unreadable_question": "The question, or what was said before it, holds characters that are no text. Type it again.",
    "refused.missing_key": (
        "This model’s provider needs a key. Put it into .env, start Glassbox again, then add the model."
    ),
    "refused.unknown_model": "There is no model of that name here.{? Nearest: {near}.?} Choose one of the model list.",
    "refused.unknown_program": "There is no program of that name here. Choose one that GET /api/programs lists.",
    "refused.unknown_profile": (
        "There is no profile of that name here, or its file has a fault. Load the page again, or choose one that "
        "GET /api/profiles lists."
    ),
    "refused.typed_model": (
        "No model goes by that name. A name has the form provider/model, like openai/gpt-5-mini.{? Nearest: {near}.?}"
    ),
    "refused.typed_address": (
        "A name has the form provider/model and holds no address. Name the address as api_base in MODELS, then "
        "start Glassbox again."
    ),
    "refused.not_here": (
        "Models are added by name only on the machine that Glassbox runs on. Choose one of the model list."
    ),
    "refused.invalid_request": "The request is not valid. Check its keys and their values.",
    "refused.invalid_value": "The key {key} is missing, or its value has a wrong type or is out of range. Correct it.",
    "refused.not_json": "Send JSON: a JSON body and the header Content-Type: application/json.",
    "refused.unknown_event": "This turn has no event of that number. Give the id of the last event that was received.",
    "refused.unknown_response": (
        "There is no response of the id in previous_response_id. Name another one, or begin a new conversation without it."
    ),
    "refused.invalid_visitor": "A visitor is named by 16 to 128 letters, digits, _ or -.",
    "refused.invalid_key": "A key is at most {most} letters, digits and signs, without blanks. Copy it once more.",
    "refused.takes_no_key": "This model takes no key of your own. Leave the key out, or choose another model.",
    "refused.needs_key": "This model needs a key. Enter your own below the list of models, or choose another model.",
    "refused.sign_in_failed": "The sign-in was not completed. Open the page again and sign in once more.",
    "refused.too_large": "The request is too large. Send less.",
    "refused.encoded_body": "The body is compressed. Send it as it is, without the header Content-Encoding.",
    "refused.no_visitor": "Say whose documents these are: send the header X-Visitor.",
    "refused.no_files": "There is no file in the request. Send one or more as the multipart field “file”.",
    "refused.many_files": "These are too many files at once. Send fewer.",
    "refused.unknown_tool": "There is no such tool. List the tools, and call one of them.",
    "refused.unauthorized": "This needs a bearer token: send the header “Authorization: Bearer …” with the right one.",
    "refused.invalid_session": "A session's name is at most {most} characters, without control characters.",
    "refused.invalid_request_key": "An Idempotency-Key is 1 to {most} letters, digits and signs, without blanks.",
    "refused.reused_request_key": "Another request was sent with this Idempotency-Key. Choose a new one.",
    "refused.foreign_page": "Pages of other sites may not use this. CORS_ORIGINS names those that may.",
    "refused.unknown_host": "This address is not known here. Set PUBLIC_URL to the address that people use.",
    "refused.too_slow": "The request came too slowly and was ended. Send it again.",
    "refused.artifact_form": "Only a table can be had as CSV (`as=csv`). Leave `as` out.",
    "refused.rating_form": "Ratings are given as `as=jsonl` or `as=csv`, and without `as` as one JSON object.",
    "refused.many_choices": "Only one answer is written at a time. Leave n out, or set it to 1.",
    "refused.answer_format": "Answers are text. Leave response_format (or text.format) out, or set its type to text.",
    "refused.client_task": (
        "No titles, tags or follow-up questions of chats are written here, only answers from documents. "
        "Choose another task model in Open WebUI, or switch these tasks off."
    ),
    "refused.client_tools": ("No tools of a client are called here. Leave tool_choice out, or set it to auto or none."),
    "refused.not_text": (
        "The question holds a picture, a sound or a file, and only text is read. Add files as documents, and ask with text alone."
    ),
    "refused.long_instructions": (
        "The instructions are too long: at most {most} characters. Shorten them and ask again."
    ),
    "refused.still_running": "This answer is still being written. Ask about it when it has ended.",
    "refused.no_prompt": (
        "What the model was sent for this sentence is not kept: the answer was a stored one, or is too old. Ask the question "
        "anew, then ask about the new answer."
    ),
    "refused.no_passages": "This answer was written without passages, so none can be left out.",
    "refused.no_check_model": (
        "There is no model for the second check. Name one in `model`, or set CHECK_MODEL to a label of the model list."
    ),
    "refused.cannot_judge": "The built-in model only quotes and cannot judge. Name a language model.",
    "refused.nothing_weak": "No sentence of this answer is weak, so there is nothing to ask a model about.",
    "refused.set_too_large": "The question set is too large: at most {most} characters. Split it.",
    "refused.too_many_questions": "These are too many questions for one set: at most {most}. Split it.",
    "refused.no_questions": "The set holds no question. Write at least one, with the question in the column “question”.",
    "refused.invalid_question": (
        "Line {line}:{? The value of {key} has a wrong type.?} A question is an object with text in “question”. Correct the line; "
        "nothing was stored."
    ),
    "refused.unknown_column": (
        "Line {line}: a column or key is unknown, stands there twice, or “question” is missing. Known: {near}. Rename it; "
        "nothing was stored."
    ),
    "refused.unreadable_set": (
        "Line {line} is neither JSON nor a row of a CSV file with a header. Correct it; nothing was stored."
    ),
    "refused.long_question_field": "Line {line}: {key} has more than {most} characters. Shorten it; nothing was stored.",
    "refused.no_question_text": "Line {line} holds no question. Write one, or remove the line; nothing was stored.",
    "refused.unknown_metric": "There is no metric of that name. Known: {near}.",
    "refused.needs_gold": (
        "The metric {key} compares with an expected answer, and no question of this set has one. Add the column "
        "“answer”, or leave the metric out."
    ),
    "refused.few_examples": (
        "There are too few questions with known answers: at least {most} are needed. Rate more answers, or name a set with more questions."
    ),
    "refused.few_calls": (
        "With so few calls nothing can be measured: these questions need at least {most}. Allow more calls, or give fewer questions."
    ),
    "refused.cannot_learn": (
        "The built-in model only quotes: instructions and examples change nothing in it. Choose a language model."
    ),
    "refused.cannot_be_optimised": (
        "This program answers from one whole document, so it cannot be optimised. Choose another program."
    ),
    "refused.unknown_price": (
        "What this model costs is not known, so a limit in USD cannot be kept. Leave max_usd out, or set its prices in MODELS."
    ),
    "refused.whose_optimisation": ("Say whose ratings and programs these are: send the header X-Visitor."),
    "refused.nothing_improved": (
        'No better program was found, or its gain is not proven. Give more questions, or send {{"anyway": true}} where one was better in the search.'
    ),
    "refused.still_optimising": ("This optimisation still runs. Wait until it has ended, or stop it."),
    "refused.nothing_to_resume": (
        "This optimisation has ended by itself, so nothing is left to do. Start another one."
    ),
    "missing.question_set": "There is no such question set. Look it up in the list of sets.",
    "missing.optimisation": ("There is no such optimisation. Look it up in the list of optimisations."),
    "busy.optimising": (
        "An optimisation of yours is running already. Stop it, or try again in {retry_after_s:duration}."
    ),
    "refused.too_many_sets": "You have too many question sets. Remove one, then add this one again.",
    "refused.not_interrupted": "Only an interrupted evaluation can be resumed. Start a new one.",
    "refused.no_owner": "Say whose question set this is: send the header X-Visitor.",
    "missing.evaluation": "There is no such evaluation. Start a new one.",
    "missing.sentence": (
        "There is no such sentence. Look up its field and index in the events `sentence_checked` of the turn."
    ),
    "missing.conversation": "There is no such conversation. Start a new one.",
    "missing.turn": "There is no such turn. Ask again.",
    "missing.document": "There is no such document or page. Look it up in the list of documents.",
    "missing.passage": "There is no such passage, or its link is too old. Ask again for a new one.",
    "missing.artifact": "There is no such artifact. Look up its number in the events of the turn.",
    "missing.response": "There is no such response. Ask again.",
    "missing.events": "The events of this turn are no longer kept. Ask for the turn itself.",
    "busy.turns": "Many questions are being answered right now. Try again in {retry_after_s:duration}.",
    "busy.evaluation": (
        "Another evaluation of yours is running. Stop it, or wait for its end; try again in {retry_after_s:duration}."
    ),
    "busy.visitor": (
        "Your other answers are still being written. Stop one, wait for one to end, or try again in "
        "{retry_after_s:duration}."
    ),
    "busy.rate": "Those were many questions in a short time. Ask again in {retry_after_s:duration}.",
    "busy.closing": "Glassbox is being restarted. Try again in {retry_after_s:duration}.",
    "busy.requests": "Those were many requests in a short time. Try again in {retry_after_s:duration}.",
    "busy.pending": "Too much from your address waits for an answer. Try again in {retry_after_s:duration}.",
    "busy.sessions": (
        "Your address has too many sessions open. End those that you do not need, or try again in "
        "{retry_after_s:duration}."
    ),
    "busy.places": "Other documents of yours are still being read. Try again in {retry_after_s:duration}.",
    "busy.uploads": "Many files of yours are under way. Try again in {retry_after_s:duration}.",
    "model.auth": "The model refused the key. Check the key, or choose another model.",
    "model.billing": "The model's account has no credit left. Choose another model.",
    "model.over_budget": (
        "Today’s budget for models is spent. Use your own key, choose the built-in model, or come back tomorrow."
    ),
    "model.rate_limit": "The model is busy right now. Try again in a moment, or choose another model.",
    "model.unsupported_model": "The provider does not offer this model. Choose another model.",
    "model.context_window_exceeded": (
        "The prompt is too long for the model, even without earlier turns and with a part of the passages. Shorten the "
        "question or the instructions, ask for fewer passages, or choose a model with a larger window."
    ),
    "model.prompt_too_long": (
        "The question and the instructions alone are too long for the window of this model. Shorten them, or choose a model "
        "with a larger window."
    ),
    "model.no_memory": (
        "The server of this model has too little memory for it. Choose a smaller model, or close what uses the memory "
        "there, then try again."
    ),
    "model.invalid_request": "The model refused the request. Change the settings, or choose another model.",
    "model.content_filter": "The provider's content filter stopped this. Ask in other words.",
    "model.not_configured": "This model has no key yet. Set its key and restart, or choose another model.",
    "model.connection": "The connection to the model broke. Try again, or choose another model.",
    "model.refused": (
        "The model's server{? ({server})?} could not be reached. Check that it runs, and its address, or choose "
        "another model."
    ),
    "model.unreachable": (
        "There was no safe way to the model's address{? ({server})?}. Check the network and the address, or "
        "choose another model."
    ),
    "model.connect_timeout": (
        "The model{? ({server})?} could not be reached in time. Try again, or choose another model."
    ),
    "model.wrong_address": (
        "At its address{? ({server})?} there is no model server, or not this model. Check the address, which "
        "often ends in /v1, and the model's name, or choose another model."
    ),
    "model.first_token_timeout": "The model did not begin to answer in time. Try again, or choose another model.",
    "model.idle_timeout": "The model fell silent in mid-answer. Try again, or choose another model.",
    "model.turn_timeout": "The answer took too long and was ended. Try again, or ask for less.",
    "model.server": "The model's provider had an error. Try again, or choose another model.",
    "model.cannot_stream": "The model does not stream its answers. Try again, or choose another model.",
    "model.bad_reply": "The model's reply could not be read. Try again, or choose another model.",
    "model.incomplete": "The model's reply ended too early. Try again, or choose another model.",
    "model.empty": "The model gave no answer. Try again, or choose another model.",
    "model.format": "The model did not keep to the format. Try again, or choose another model.",
    "model.cut_short": (
        "The model used up its tokens before it answered. Allow it more tokens, or choose another model."
    ),
    "model.repeats": "The model began to repeat itself and was ended. Try again, or choose another model.",
    "model.resting": "The model failed several times and rests for now. Try again soon, or choose another model.",
    "model.answer_limit": "The answer grew past its limit and was ended. Ask for less.",
    "model.unexpected": "The model failed in a way that has no name. Try again, or choose another model.",
    "file.unsupported": "Files of this type are not read. Send {formats}, source code or a zip.",
    "file.old_office": "This is an old Office file. Save it as DOCX, PPTX or XLSX and send that.",
    "file.no_ocr": "Text in pictures is not read here. Send the text itself, or install tesseract where Glassbox runs.",
    "file.unknown_encoding": "It cannot be told how the letters of this file are written. Save it as UTF-8 and send that.",
    "file.wrong_type": "The file is not what its name says. Give it its right ending and send it again.",
    "file.empty": "The file is empty. Choose one with text in it.",
    "file.no_text": "No text was found in the file. Choose one with text in it.",
    "file.scanned": "The file holds pictures of pages and no text. Run it through text recognition and send it again, or install tesseract where Glassbox runs.",
    "file.encrypted": "The file is locked with a password. Save it without one and send it again.",
    "file.broken": "The file is damaged. Open it in its own program, save it anew and send that.",
    "file.too_large": "The file is too large. Split it and send the parts.",
    "file.too_many_pages": "The file has too many pages. Split it and send the parts.",
    "file.too_much_text": "The file holds more than 20 million characters of text. Split it and send the parts.",
    "file.too_many_files": "The zip holds too many files. Split it and send the parts.",
    "file.bomb": "The file unpacks to far more than its size promises. Save it anew, or send it in another form.",
    "file.too_complex": "The file needs more memory than a file may take. Split it, or save it in a simpler form.",
    "file.timeout": "The file took too long to read. Split it, or save it in a simpler form.",
    "file.web_off": "Documents are not read from web addresses here. Download the document and send the file.",
    "file.web_address": (
        "This is no public web address. Give one that begins with https or http and that anybody can open, without a "
        "password and another port."
    ),
    "file.web_unreachable": "Nothing could be read at this address. Open it in a browser, and check that it is public.",
    "file.web_type": "This type of document is not read. Give the address of {formats} or source code.",
    "file.nested_zip": "The zip holds another zip. Unpack that one first and send the files themselves.",
    "file.zip_link": "The zip holds a link to another file. Put the file itself into the zip.",
    "file.zip_path": "The zip holds a path that leads out of it. Pack the files anew with plain names.",
    "file.no_room": "There is no room left for more documents. Remove some and send the file again.",
    "file.not_kept": "The file could not be kept. Try again; if it stays, check the disk and DATA_DIR.",
    "file.busy": "Those were many files in a short time. Wait a minute and send the file again.",
    "file.no_page": "There is no picture of this page. Open the document itself.",
    "file.internal": "Glassbox itself failed on this file. Send it again; if it stays, tell whoever runs Glassbox.",
    "fault.search": "The documents could not be searched. Try again; if it stays, restart Glassbox.",
    "fault.embedding": "The search model did not answer, so words alone were searched. Check its name.",
    "fault.index_taken": (
        "Another process uses the index below this DATA_DIR. Stop it, or set DATA_DIR to another folder."
    ),
    "fault.not_installed": "{setting} needs one more package: pip install {package}",
    "fault.store": (
        "The stored conversations could not be reached. Try again; if it stays, check the disk and DATA_DIR."
    ),
    "fault.internal": (
        "Glassbox itself failed here: it is neither your question nor the model. Try again; if it stays, tell "
        "whoever runs Glassbox to look for “our own fault” in its log."
    ),
    "trouble.moved_aside": (
        "The history could not be read. It was moved aside, to a dated file in DATA_DIR, and a new one has begun."
    ),
    "trouble.not_saved": (
        "Conversations cannot be saved right now: answers go on, but will be gone after a restart. Free disk "
        "space or make DATA_DIR writable; saving then goes on by itself."
    ),
}
