"""`/agents.md`: how an agent that knows our address alone gets an answer with citations. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

TEMPLATE = """\
# Glassbox

Glassbox answers questions from its documents. `[n]` in an answer cites the passage with that number.

## Ask

```bash
curl -s {base}/gradio_api/run/ask{bearer} -H 'Content-Type: application/json' \\
  -d '{{"data": ["How fine do I grind for espresso?"]}}'
```

`data[0]` of the reply: `answer` (Markdown with `[n]`), `reasoning`, `sources` (each `number`, `title`, `section`,
`text`, `document`, `page`, `cited`, and `url`, which opens the passage), `warnings`, `model`, `turn_id`,
`conversation_id`. Show the `url` of what you cite. An answer may take a minute. To go on with a conversation send its
id as the second argument: `{{"data": ["And for filter coffee?", "the conversation_id"]}}`.

The same with all options, and streamed unless `stream` is false (`fields.answer` and `passages` of the reply):

```bash
curl -s {base}/api/turns{bearer} -H 'Content-Type: application/json' \\
  -d '{{"question": "How fine do I grind for espresso?", "stream": false}}'
```

## Search without an answer

```bash
curl -s{bearer} '{base}/api/search?q=grind+size'
```

## Models and access

{models}
{access}
Errors are JSON with a text. 429 has `Retry-After` in seconds. The header `X-Visitor` (16 to 128 of A–Z a–z 0–9 _ -, a
secret of yours) keeps your conversations to yourself; `Idempotency-Key` makes a request safe to repeat.

## Everything else

- {base}/openapi.json: every route ({base}/docs to read)
- {base}/gradio_api/info: the endpoints `/ask` and `/search` for `gradio_client`
{protocols}"""


def agents_page(
    base_url: str, models: Sequence[str], default: str, paths: Collection[str], *, needs_token: bool = False
) -> str:
    """Return the page for this address. `paths` are those of our routes."""
    others = [f"`{each}`" for each in models if each != default]
    protocols = (
        ("/v1/chat/completions", "/v1: OpenAI's protocol, for any of its clients as `base_url`"),
        ("/mcp", "/mcp: MCP over streamable HTTP"),
    )
    return TEMPLATE.format(
        base=base_url,
        bearer=' -H "Authorization: Bearer $API_TOKEN"' if needs_token else "",
        models=f"The model is `{default}`"
        + (f"; `model` also takes {', '.join(others)} ({base_url}/api/models)." if others else "."),
        access="Requests need the token of the host: `Authorization: Bearer …`."
        if needs_token
        else "No key is needed.",
        protocols="".join(f"- {base_url}{said}\n" for path, said in protocols if path in paths),
    )
