"""The field below the models for the visitor's own key. `own_key.js` keeps the key, and no server stores it."""

from __future__ import annotations

from markupsafe import Markup

from i18n import text
from pipeline.models.visitor_keys import MOST_CHARS


def sign_in() -> Markup:
    """Return the link that begins to sign in; in a frame it opens a tab, since no provider may be framed."""
    return Markup(
        '<p class="account"><a class="button" href="login/huggingface" data-leaves>{}</a><span>{}</span></p>'
    ).format(text("account.sign_in"), text("account.about"))


def signed_in(name: str) -> Markup:
    """Return who is signed in, and the link that signs out."""
    return Markup(
        '<p class="account"><span>{} <b dir="auto">{}</b></span><a class="button" href="logout">{}</a></p>'
    ).format(text("account.signed_in"), name, text("account.sign_out"))


def own_key() -> Markup:
    """Return the field, hidden until a model that takes a key is chosen."""
    return Markup(
        '<div class="own-key" hidden><label for="model-key">{label}</label>'
        '<input id="model-key" type="password" autocomplete="off" spellcheck="false" maxlength="{most}" '
        'aria-describedby="model-key-about" data-1p-ignore data-lpignore="true">'
        '<p class="kept" hidden><span>{kept}</span>'
        '<button type="button" data-act="forget-key">{forget}</button></p>'
        '<p class="about" id="model-key-about"><span class="provider">{about}</span>'
        '<span class="server" hidden>{about_server}</span></p></div>'
    ).format(
        label=text("own_key.label"),
        most=MOST_CHARS,
        kept=text("own_key.kept"),
        forget=text("own_key.forget"),
        about=text("own_key.about"),
        about_server=text("own_key.about_server"),
    )
