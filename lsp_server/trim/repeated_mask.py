"""A model repeats the mask that stands for a secret in what it was sent: nobody wants that in a file."""

from __future__ import annotations

from lsp_server.privacy.mask import repeats_mask
from lsp_server.trim.view import View


def without_repeated_mask(text: str, view: View) -> str:
    """ "" if there is a mask in the text that the person's own text does not have."""
    context = view.context
    return "" if repeats_mask(text, context.before + context.typed + context.tail + context.after) else text
