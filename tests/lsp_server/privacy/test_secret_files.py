"""Files of credentials, by name and by content."""

from __future__ import annotations

import pytest

from lsp_server.privacy.secret_files import is_secret_name, is_secret_text


@pytest.mark.parametrize(
    "path",
    [
        ".env", "a/.env.local", "a/.ENV", "Prod.PEM", "id_rsa", "id_ed25519_work", "home/u/.ssh/config", ".npmrc",
        ".netrc", ".pypirc", "u/.kube/config", "u/.aws/credentials", "u/.docker/config.json",
        "infra/prod.tfstate", "infra/x.tfvars", "terraform.tfstate.backup",
        "u/.config/gcloud/application_default_credentials.json", "client_secret_1.json",
        "store.jks", "a.p12", "key.asc", ".git-credentials", "u/.gnupg/secring", "config/master.key",
    ],
)  # fmt: skip
def test_a_file_of_credentials_is_known_by_its_name(path: str) -> None:
    assert is_secret_name(path)


@pytest.mark.parametrize(
    "path", [".env.example", "id_rsa.pub", "environment.py", "keys.py", "env.ts", "kube/config.go"]
)
def test_a_file_that_only_sounds_like_one_is_not(path: str) -> None:
    assert not is_secret_name(path)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----\nMIIE",
        "# mine\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n",
        "PuTTY-User-Key-File-3: ssh-ed25519\n",
        "apiVersion: v1\nclusters:\n- cluster:\n    server: x\nkind: Config\nusers: []\n",
        "apiVersion: v1\nkind: Secret\ndata:\n  a: aHVudGVy\n",
        "registry=https://r.example\n//r.example/:_authToken=abc\n",
        "machine example.com login me password hunter2\n",
        "machine example.com\n  login me\n  password hunter2\n",
        "[default]\naws_access_key_id = A\naws_secret_access_key = B\n",
        "[distutils]\nindex-servers = pypi\n[pypi]\nusername: me\npassword: x\n",
        '{\n "type": "service_account",\n "private_key": "x"\n}',
        '{\n "version": 4,\n "terraform_version": "1.5.0",\n "serial": 3\n}',
        '{"auths": {"r.example": {"auth": "bWU6eA=="}}}',
        "$ANSIBLE_VAULT;1.1;AES256\n3562\n",
    ],
)
def test_a_file_of_credentials_is_known_by_its_content(text: str) -> None:
    assert is_secret_text(text)


@pytest.mark.parametrize(
    "text",
    [
        'KEY = "-----BEGIN PRIVATE KEY-----"\n',
        "def parse(machine, login):\n    password = machine.password\n",
        "kind: Deployment\nmetadata:\n  name: secret\n",
        'const kind = {"type": "service_account"};\n',
        'aws_secret_access_key = os.environ["A"]\n',
        "-----BEGIN CERTIFICATE-----\nMIIE\n",
    ],
)
def test_a_program_about_credentials_is_not_one(text: str) -> None:
    assert not is_secret_text(text)
