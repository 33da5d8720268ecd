"""How much of a suggestion is shown: as much as has mostly survived typing lately; pure.

What a person types tells of every text that was generated how far it was right, whether they saw it or not. `survival`
is the estimate made of that, `calibration` the one for texts whose model said how sure it was, `trials` follows texts
through typing, `parts` where a text may be cut, `trust` puts them together.
"""

from lsp_server.trust.trials import Trials
from lsp_server.trust.trust import Trust

__all__ = ["Trials", "Trust"]
