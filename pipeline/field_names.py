"""The fields of a reply, and the other names that models give them. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

COMPLETED = "completed"
THOUGHTS = frozenset(("reasoning", "thinking"))  # what a model writes for itself

# Other names for a field, among them those in the languages that models answer in.
ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "answer": (
            *("final answer", "response", "final response", "antwort", "réponse", "reponse", "respuesta", "risposta"),
            *("resposta", "antwoord", "odpowiedź", "svar", "cevap", "ответ", "答案", "回答", "答え", "답변", "الإجابة"),
        ),
        "reasoning": (
            *("rationale", "thought", "thoughts", "thought process"),
            *("begründung", "überlegung", "überlegungen", "raisonnement", "razonamiento", "ragionamento", "raciocínio"),
            *("redenering", "rozumowanie", "рассуждение", "推理", "推論", "理由", "추론"),
        ),
        "analysis": ("reasoning", "rationale", "analyse", "prüfung", "análisis", "analisi", "análise"),
        "findings": (
            "finding",
            "befund",
            "befunde",
            "feststellungen",
            "ergebnisse",
            "constats",
            "hallazgos",
            "risultati",
        ),
        "summary": ("zusammenfassung", "überblick", "overview", "résumé", "resumen", "riassunto", "resumo"),
        "key_figures": (
            "kennzahlen",
            "key figure",
            "key numbers",
            "figures",
            "zahlen",
            "chiffres clés",
            "cifras clave",
        ),
        "open_questions": ("offene fragen", "questions ouvertes", "preguntas abiertas", "domande aperte"),
        "question": ("frage", "pregunta", "domanda", "pergunta", "vraag", "вопрос", "问题", "質問", "질문"),
        "passages": ("passagen",),
        COMPLETED: ("complete", "completion", "done", "end", "finished", "abgeschlossen", "completado", "terminé"),
    }
)
# Other names for the fields in which DSPy's agent asks for a tool.
TOOL_ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "next_thought": ("thought", "thoughts"),
        "next_tool_name": ("tool", "tool name", "action", "next action", "next tool"),
        "next_tool_args": (
            "tool args",
            "tool input",
            "tool arguments",
            "action input",
            "arguments",
            "next tool arguments",
        ),
    }
)
THINKING = frozenset({"thinking", "thought", "thoughts", "thought process"})  # keys of a JSON object
_DECORATION = re.compile(r"^(?:the|your|my|output|final) (?=\w)")  # words that some models put before a field's name
SIMILAR = 0.8  # the least likeness (0 to 1) at which a name counts as a misspelt field


@dataclass(frozen=True)
class ReplyFields:
    """The fields of one reply: `answer` is the one that must be there, `aside` takes text that is not part of it."""

    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    answer: str = "answer"
    aside: str = "reasoning"
    _names: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = (*self.outputs, *self.inputs, COMPLETED)
        names = {alias: name for name in known for alias in (*ALIASES.get(name, ()), *TOOL_ALIASES.get(name, ()))}
        object.__setattr__(self, "_names", names | {_plain(name): name for name in known})

    def named(self, name: str, *, roughly: bool = True) -> str | None:
        """The field that a model means by `name`, None for an unknown one. `roughly` accepts a misspelt name."""
        plain = _plain(name)
        plain = plain if plain in self._names else _DECORATION.sub("", plain)
        if plain in self._names or not roughly or len(plain) < 5:
            return self._names.get(plain)
        near = difflib.get_close_matches(plain, self._names, n=1, cutoff=SIMILAR)
        return self._names[near[0]] if near else None

    def labels(self, only: Iterable[str] | None = None) -> tuple[str, ...]:
        """Every name of these fields (by default of all but `completed`), the longest first."""
        wanted = set(only if only is not None else (*self.outputs, *self.inputs))
        return tuple(sorted((label for label, name in self._names.items() if name in wanted), key=len, reverse=True))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).casefold().strip()
