"""The language that an answer is written in, as a part of the instructions. Pure."""

from __future__ import annotations

from types import MappingProxyType

OF_THE_QUESTION = "the language of the question"  # as the default instructions say it

NAMES = MappingProxyType(
    {
        "ar": "Arabic",
        "cs": "Czech",
        "da": "Danish",
        "de": "German",
        "el": "Greek",
        "en": "English",
        "es": "Spanish",
        "fi": "Finnish",
        "fr": "French",
        "hi": "Hindi",
        "hu": "Hungarian",
        "it": "Italian",
        "ja": "Japanese",
        "ko": "Korean",
        "nl": "Dutch",
        "no": "Norwegian",
        "pl": "Polish",
        "pt": "Portuguese",
        "ro": "Romanian",
        "ru": "Russian",
        "sv": "Swedish",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "zh": "Chinese",
    }
)


def instructions_in(language: str, instructions: str) -> str:
    """The instructions with the language to answer in; unchanged for "auto"."""
    if language == "auto":
        return instructions
    name = NAMES.get(language, f"the language with the code “{language}”")
    if OF_THE_QUESTION in instructions:
        return instructions.replace(OF_THE_QUESTION, name)
    return f"{instructions}\nAnswer in {name}."
