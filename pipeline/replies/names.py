"""The fields of a reply, and the names under which models write them. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

COMPLETED = "completed"

# What models call a field besides its own name; those of a program's other languages are answers in that language.
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
        "question": ("frage", "pregunta", "domanda", "pergunta", "vraag", "вопрос", "问题", "質問", "질문"),
        "passages": ("passagen",),
        COMPLETED: ("complete", "completion", "done", "end", "finished", "abgeschlossen", "completado", "terminé"),
    }
)
THINKING = frozenset({"thinking", "thought", "thoughts", "thought process"})  # of a JSON object's keys
_DECORATION = re.compile(r"^(?:the|your|my|output|final) (?=\w)")  # that some models put before a field's name
SIMILAR = 0.8  # from here on a name is one of ours with a slip


@dataclass(frozen=True)
class Fields:
    """What a reply holds: `answer` is the field that must be there, `aside` takes text that is no part of it."""

    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    answer: str = "answer"
    aside: str = "reasoning"
    _names: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = (*self.outputs, *self.inputs, COMPLETED)
        names = {alias: name for name in known for alias in ALIASES.get(name, ())}
        object.__setattr__(self, "_names", names | {_plain(name): name for name in known})

    def named(self, name: str, *, roughly: bool = True) -> str | None:
        """The field that a model means by `name`, None for one that nobody asked for."""
        plain = _plain(name)
        plain = plain if plain in self._names else _DECORATION.sub("", plain)
        if plain in self._names or not roughly or len(plain) < 5:
            return self._names.get(plain)
        near = difflib.get_close_matches(plain, self._names, n=1, cutoff=SIMILAR)
        return self._names[near[0]] if near else None

    def labels(self, only: Iterable[str] | None = None) -> tuple[str, ...]:
        """Every name of these fields (of all but `completed`), the longest first."""
        wanted = set(only if only is not None else (*self.outputs, *self.inputs))
        return tuple(sorted((label for label, name in self._names.items() if name in wanted), key=len, reverse=True))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).casefold().strip()
