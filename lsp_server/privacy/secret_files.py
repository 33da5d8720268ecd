"""Which files hold credentials, by name and by what stands in their first lines; pure."""

from __future__ import annotations

import re
from typing import Final

from lsp_server.privacy.globs import matches

HEAD_CHARACTERS: Final = 4_096
"""Of a file, looked at: the formats below say what they are in their first lines."""

SECRET_FILES: Final = (
    ".env", ".env.*", "*.env", ".envrc", "!.env.example", "!.env.sample", "!.env.template", "!.env.dist",
    "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdb", "*.kdbx", "*.ppk", "*.asc", "*.gpg", "*.p8",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "!*.pub",
    ".netrc", "_netrc", ".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf", ".npmrc", ".yarnrc.yml", ".pypirc",
    ".htpasswd", ".git-credentials", ".dockercfg", ".dockerconfigjson", "**/.docker/config.json", ".s3cfg", ".boto",
    "**/.aws/credentials", "**/.aws/config", "**/.azure/*.json", "**/gcloud/*.json", "**/gcloud/credentials.db",
    "**/.ssh/*", "**/.gnupg/**", "**/.kube/config", "kubeconfig", "kubeconfig.*", "*.kubeconfig",
    "*.tfvars", "*.tfvars.json", "*.tfstate", "*.tfstate.*", ".terraformrc", "terraform.rc", "credentials.tfrc.json",
    "credentials.json", "credentials.ya?ml", "client_secret*.json", "service-account*.json", "service_account*.json",
    "application_default_credentials.json", "secrets.y*ml", "secrets.json", "secrets.toml", "*.secrets.y*ml",
    "credentials.y*ml", "credentials.toml", "**/.cargo/credentials", "**/.gem/credentials", "**/.m2/settings.xml",
    "**/config/master.key", "vault-password*", ".vault_pass*", ".vault-token", "*.ovpn", "*.agekey",
    "local.settings.json", "wp-config.php", "auth.json", "hosts.yml.enc", ".authinfo", "*.mobileconfig",
)  # fmt: skip
"""gitignore patterns of files that hold credentials: nothing of them is sent to any model."""

_CONTENTS: Final = {
    hint: re.compile(pattern, re.MULTILINE)
    for hint, pattern in {
        # PEM, OpenSSH and PGP private keys: the file is one.
        "PRIVATE KEY": r"^-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        "PuTTY": r"^PuTTY-User-Key-File-\d",
        "AGE-SECRET": r"^AGE-SECRET-KEY-1",
        # Kubernetes: the values of a Secret are base64, not encrypted.
        "kind: Secret": r"^kind: Secret[ ]*$",
        "kind: Config": r"^kind: Config[ ]*$",
        "_authToken": r"^(?://[^\s=]+:)?_authToken[ ]*=",
        "_auth": r"^(?://[^\s=]+:)?_auth[ ]*=",
        "_password": r"^(?://[^\s=]+:)?_password[ ]*=",
        "machine": r"^machine[ ]+\S+\s+(?:login|account|password)[ ]",
        "aws_secret": r"^\[[^\]\n]+\]\s*$[^\[]*^\s*aws_secret_access_key\s*=\s*\S",
        "[pypi]": r"^\[pypi\]\s*$(?=[\s\S]*^\s*password\s*[:=])",
        '"type"': r"""^\s*"type"\s*:\s*"(?:service_account|authorized_user|external_account)\"""",
        '"terraform_version"': r""""terraform_version"\s*:[\s\S]*"(?:lineage|serial)"\s*:""",
        '"auths"': r""""auths"\s*:\s*\{[\s\S]*"(?:auth|identitytoken)"\s*:""",
        "ANSIBLE_VAULT": r"^\$ANSIBLE_VAULT;",
    }.items()
}
"""Expressions over the head of a file, each by a text that is in whatever it finds: most files have none of them. A key
inside a program's string begins no line; it is masked there by `mask`."""


def is_secret_name(path: str) -> bool:
    """Whether the file at `path` (with forward slashes) holds credentials by its name, whatever its case."""
    return matches(SECRET_FILES, path) or matches(SECRET_FILES, path.lower())


def is_secret_text(head: str) -> bool:
    """Whether a text that begins with `head` is a file of credentials by its content."""
    head = head[:HEAD_CHARACTERS]
    return any(hint in head and contents.search(head) is not None for hint, contents in _CONTENTS.items())
