"""Secrets that are known by their form: keys of services, and what stands in URLs and headers; pure.

One expression for all. Each alternative's named group is the secret; what stands before it is public (a prefix that
the service's documentation gives) and is kept, so that the model still sees what it is. The lengths are far below the
real ones: a key that is being typed is masked from its first characters on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_KINDS: Final[dict[str, str]] = {
    "aws": r"(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA|A3T[A-Z0-9])(?=[A-Z0-9]*[0-9A-Z])[A-Z0-9]{4,}",
    "github": r"(?:gh[pousr]_|github_pat_)\w{4,}",
    "gitlab": r"(?:gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-|GR1348941)[\w\-.]{4,}",
    "slack": r"xox[abeoprs]-[\w\-]{4,}",
    "slack_app": r"xapp-[\w\-]{4,}",
    "stripe": r"(?:[srp]k_(?:live|test)_|whsec_)\w{4,}",
    "google": r"(?:AIza[\w\-]{6,}|GOCSPX-[\w\-]{4,}|ya29\.[\w\-.]{4,})",
    "openai": r"sk-(?:proj-|svcacct-|admin-|ant-|or-v1-)?[A-Za-z0-9][\w\-]{11,}",
    "anthropic": r"sk-ant-[\w\-]{4,}",
    "hugging_face": r"(?:hf_|api_org_)(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,}",
    "npm": r"npm_[A-Za-z0-9]{8,}",
    "pypi": r"pypi-Ag[\w\-]{4,}",
    "sendgrid": r"SG\.[\w\-]{6,}[\w\-.]*",
    "twilio": r"(?:SK|AC)(?=[a-z]*[0-9])[0-9a-z]{32}",
    "artifactory": r"(?:AKC(?=[A-Za-z]*[0-9])|AP[0-9A-F](?=[A-Za-z]*[0-9])(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z]))"
    r"[A-Za-z0-9]{8,}",
    "mailchimp": r"[0-9a-z]{32}-us[0-9]{1,2}",
    "shopify": r"shp(?:at|ca|pa|ss|tka)_[0-9A-Fa-f]{6,}",
    "digital_ocean": r"do[opr]_v1_[0-9a-f]{6,}",
    "databricks": r"dapi[0-9a-f]{12,}[\w\-]*",
    "telegram": r"[0-9]{8,10}:AA[\w\-]{16,}",
    "discord": r"[MNO][A-Za-z0-9]{23,27}\.[\w\-]{6}\.[\w\-]{20,}",
    "vault": r"hv[sbr]\.[\w\-]{6,}",
    "age": r"AGE-SECRET-KEY-1[0-9A-Z]{4,}",
    "grafana": r"(?:glsa|glc)_[\w\-=+/]{6,}",
    "atlassian": r"AT[AB]TT?[A-Za-z0-9\-_=]{20,}",
    "doppler": r"dp\.(?:pt|st|ct|sa|scim|audit)\.\w{6,}",
    "other": r"(?:lin_api_|NRAK-|PMAK-|HRKU-|dckr_pat_|rubygems_|pscale_\w+_|sntry[su]_|sq0[a-z]{3}-|dt0c01\.|pul-|"
    r"secret_ntn_|ntn_|tfp_|nfp_|fo1_|EAACEdEose|shippo_live_|key-(?=[0-9a-f]{8}))[\w\-.=]{6,}",
    "jwt": r"eyJ[\w\-]{8,}(?:\.[\w\-]*){0,2}",
}

_PREFIX: Final = re.compile(
    r"(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA|A3T|AKC|AP|GR1348941|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|xox[a-z]-|xapp-|[srp]k_(?:live|test)_|whsec_|AIza|"
    r"GOCSPX-|ya29\.|sk-(?:proj-|svcacct-|admin-|ant-|or-v1-)?|hf_|api_org_|npm_|pypi-Ag|SG\.|SK|AC|shp[a-z]{2,3}_|"
    r"do[opr]_v1_|dapi|hv[sbr]\.|AGE-SECRET-KEY-1|gl(?:sa|c)_|dp\.[a-z]{2,5}\.|eyJ|lin_api_|[A-Z]{4}-|[a-z]{3,8}_)"
)
"""The public start of a token."""

_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:" + "|".join(f"(?P<{name}>{text})" for name, text in _KINDS.items()) + ")"
)

_HINTS: Final = (
    "AKIA", "ASIA", "ABIA", "ACCA", "AIDA", "AROA", "A3T", "AKC", "AP", "-us", "GR1348941",
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",
    "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "glimt-", "glagent-", "gloas-", "xox", "xapp-", "k_live_",
    "k_test_", "whsec_", "AIza", "GOCSPX-", "ya29.", "sk-", "hf_", "api_org_", "npm_", "pypi-Ag", "SG.", "SK", "AC",
    "shp", "o_v1_", "p_v1_", "r_v1_", "dapi", ":AA", "hvs.", "hvb.", "hvr.", "AGE-SECRET", "glsa_", "glc_", "ATA",
    "ATB", "dp.", "lin_api_", "NRAK-", "PMAK-", "HRKU-", "dckr_", "rubygems_", "pscale_", "sntry", "sq0", "dt0c01",
    "pul-", "ntn_", "tfp_", "nfp_", "fo1_", "EAACE", "shippo_", "key-", "eyJ",
)  # fmt: skip
"""Looking for each of these is many times faster than the expression, and most lines have none of them."""

_AROUND: Final = re.compile(
    r"""
      (?:[A-Za-z][A-Za-z0-9+.\-]{1,20})?://[^\s:/@"'`<>\[\]{}$]{0,64}:(?!//)
        (?P<url>[^\s@/"'`<>{}$?\#]*[^\s@/"'`<>{}$?\#0-9][^\s@"'`<>{}$]*(?=@)|[0-9]+(?=@)|[^\s@/"'`<>{}$?\#,;)\\:]*[^\s@/"'`<>{}$?\#,;)\\:0-9.\]]\S{0,0})
    | (?i:\b(?:bearer|basic))\ +(?P<header>(?=\S{0,80}?(?:[0-9]|[a-z][A-Z]))[A-Za-z0-9+/_\-.=~]{8,})
    | hooks\.slack\.com/(?:services|workflows)/(?P<slack_hook>[\w/]{4,})
    | discord(?:app)?\.com/api/webhooks/(?P<discord_hook>[\w/\-]{4,})
    | \.webhook\.office\.com/webhookb2/(?P<teams_hook>[\w/\-@]{4,})
    | (?i:accountkey|sharedaccesskey|sharedsecret)=(?P<azure>[A-Za-z0-9+/=]{4,})
    | (?<=[?&;])(?i:sig|signature|password|passwd|pwd|token|secret|api_?key|key|access_token|auth|code|client_secret|
        x-amz-signature|x-amz-security-token)=\s?(?P<query>[^\s;&"'`<>{}$\[\]()]{4,})
    | (?i:password|pwd)=(?P<ado>[^\s;&"'`<>{}$\[\]()]{1,64})(?=;)
    | \bmysql\w*\ (?:[^\n]{0,80}?\ )?-p(?P<mysql>[^\s"'${}]{4,64})
    | \bauth\s?=\s?\(\s?["'][^"']{0,64}["'],\s?["'](?P<auth>[^"']{1,64})
    | (?:-u|--user)[ =]+[\w.\-@]{1,64}:(?P<curl>[^\s"'${}]{2,})
    """,
    re.VERBOSE,
)
_AROUND_HINTS: Final = ("://", "earer ", "asic ", "BEARER ", "BASIC ", "hooks.", "webhook", "=", "-u ", "--user", " -p")

Span = tuple[int, int]


def known(line: str) -> Iterator[Span]:
    """The spans of secrets in a line that are known by their form."""
    if any(hint in line for hint in _HINTS) or line.count(".") > 1:
        for found in _TOKEN.finditer(line):
            start, end = found.span()
            prefix = _PREFIX.match(line, start, end)
            yield (start if prefix is None else min(prefix.end(), end - 1)), end
    if any(hint in line for hint in _AROUND_HINTS):
        for found in _AROUND.finditer(line):
            if found.lastgroup is not None:
                yield found.span(found.lastgroup)
