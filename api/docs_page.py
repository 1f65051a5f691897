"""`/openapi.json` as a page to read, without a script. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from markupsafe import Markup

from api.page_style import base_style

Json = Mapping[str, Any]

STYLE = base_style("") + Markup("""
body { padding: clamp(16px, 4vw, 48px) 16px; background: var(--pane); }
main { max-width: 860px; margin: 0 auto; }
h1 { margin: 0; font-size: clamp(24px, 4vw, 32px); line-height: 1.2; }
h2 { margin: 36px 0 10px; font-size: 18px; }
h3 { margin: 18px 0 6px; font-size: 14px; color: var(--ink-2); }
p { margin: 8px 0; } header p { color: var(--ink-2); }
nav { display: flex; flex-wrap: wrap; gap: 6px 16px; margin-top: 14px; }
pre { margin: 6px 0; padding: 10px 14px; border-radius: 8px; background: var(--hover);
  overflow-x: auto; white-space: pre; }
details { margin: 8px 0; border: 1px solid var(--line-2); border-radius: 12px; background: var(--paper); }
summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; padding: 10px 16px; cursor: pointer;
  border-radius: 12px; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary b { min-width: 64px; padding: 0 8px; border-radius: 6px; background: var(--accent-soft);
  color: var(--accent-ink); font-size: 13px; text-align: center; }
summary code { font-weight: 600; } summary span { color: var(--ink-2); font-size: 14.5px; }
details > div { padding: 0 16px 14px; border-top: 1px solid var(--line-2); }
dl { margin: 0; } dt { margin-top: 10px; } dt code { font-weight: 600; }
dt span { color: var(--ink-2); font-size: 14px; }
dd { margin: 0; color: var(--ink-2); font-size: 15px; }
@media print { body { background: none; padding: 0; } }
""")
EMPTY = Markup("")


def docs_page(document: Json) -> str:
    """Return the page of a document, a group for each tag."""
    schemas = document["components"]["schemas"]
    base = document["servers"][0]["url"]
    operations = [(path, method, each) for path, item in document["paths"].items() for method, each in item.items()]
    tags = list(dict.fromkeys(each["tags"][0] for _, _, each in operations))
    operations.sort(key=lambda listed: tags.index(listed[2]["tags"][0]))
    groups = [
        Markup('<h2 id="{0}">{0}</h2>{1}').format(tag, _joined(_operation(base, schemas, *each) for each in listed))
        for tag, listed in groupby(operations, key=lambda listed: listed[2]["tags"][0])
    ]
    links = _joined(Markup('<a href="#{0}">{0}</a>').format(tag) for tag in tags)
    return Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} API</title>'
        '<meta name="viewport" content="width=device-width"><style>{style}</style></head><body><main>'
        "<header><h1>{title} API</h1><p>{summary} Every address below begins with <code>{base}</code>.</p>"
        '<p><a href="openapi.json">OpenAPI document</a> · <a href="agents.md">For agents</a> · '
        '<a href="./">Glassbox</a></p><nav aria-label="Groups">{links}</nav></header>{groups}</main></body></html>'
    ).format(
        title=document["info"]["title"],
        style=STYLE,
        summary=document["info"]["summary"],
        base=base,
        links=links,
        groups=_joined(groups),
    )


def _operation(base: str, schemas: Json, path: str, method: str, said: Json) -> Markup:
    parameters = [
        _item(each["name"], f"{each['in']}, {_type(each['schema'], schemas)}", each.get("description", ""))
        for each in said.get("parameters", ())
    ]
    return Markup(
        "<details><summary><b>{}</b><code>{}</code><span>{}</span></summary><div>{}{}{}{}</div></details>"
    ).format(
        method.upper(),
        path,
        said["summary"],
        _part("Parameters", Markup("<dl>{}</dl>").format(_joined(parameters)) if parameters else EMPTY),
        *_body(base, schemas, path, method, said.get("requestBody", {}).get("content", {})),
        _part("Answers", Markup("<dl>{}</dl>").format(_joined(_answers(said["responses"])))),
    )


def _body(base: str, schemas: Json, path: str, method: str, content: Json) -> tuple[Markup, Markup]:
    """Return the keys of a body and an example of it."""
    for kind, media in content.items():
        schema = _resolved(media["schema"], schemas)
        required = schema.get("required", ())
        keys = [
            _item(name, _type(each, schemas) + (", required" if name in required else ""), each.get("description", ""))
            for name, each in schema.get("properties", {}).items()
        ]
        body = _part(f"Body: {kind}", Markup("<dl>{}</dl>").format(_joined(keys)))
        if not (example := media.get("example")):
            return body, EMPTY
        command = (
            f"curl -N -X {method.upper()} {base}{path} \\\n"
            f"  -H 'Content-Type: application/json' \\\n  -d '{json.dumps(example, ensure_ascii=False)}'"
        )
        return body, _part("Example", Markup("<pre tabindex=0><code>{}</code></pre>").format(command))
    return EMPTY, EMPTY


def _answers(responses: Json) -> Iterable[Markup]:
    for status, each in responses.items():
        types = ", ".join(each.get("content", {}))
        yield _item(status, types, each["description"])


def _item(name: str, kind: str, meaning: str) -> Markup:
    return Markup("<dt><code>{}</code> <span>{}</span></dt><dd>{}</dd>").format(name, kind, meaning)


def _part(title: str, body: Markup) -> Markup:
    return Markup("<h3>{}</h3>{}").format(title, body) if body else EMPTY


def _type(schema: Json, schemas: Json) -> str:
    """Return a schema in words."""
    schema = _resolved(schema, schemas)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(each, schemas) for each in choices))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), schemas)}"
    bounds = [schema[name] for name in ("minimum", "maximum") if name in schema]
    return f"{schema.get('type', 'any')}{' {}–{}'.format(*bounds) if len(bounds) == 2 else ''}"


def _resolved(schema: Json, schemas: Json) -> Json:
    found: Json = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _joined(parts: Iterable[Markup]) -> Markup:
    return EMPTY.join(parts)
