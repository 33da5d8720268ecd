"""What the model hub says of a repository: its GGUF files with sizes and SHA-256, its licence; every error a sentence.

With `download` the only room that touches the library `huggingface_hub`; HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE hold.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo

from lsp_server.models.choice import choose
from lsp_server.models.errors import ModelError
from lsp_server.models.licences import Licence, from_hub

ANSWER_TIMEOUT_S: Final = 30.0
TRANSPORT_ERROR: Final[type[Exception]] = next(
    base for base in HfHubHTTPError.__mro__ if base.__name__ == "HTTPError" and issubclass(base, Exception)
)
"""What the HTTP library under the hub's raises when a server cannot be reached or breaks off; its name changes."""
_HTTP_UNAUTHORIZED: Final = 401
_HTTP_FORBIDDEN: Final = 403
_HTTP_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Remote:
    """A GGUF file on the hub. `revision` is the commit, so that the file cannot change while it is fetched."""

    repo: str
    revision: str
    path: str
    bytes: int
    sha256: str
    url: str
    licence: Licence


def endpoint(environ: Mapping[str, str] | None = None) -> str:
    """The hub's address: HF_ENDPOINT, or the public one."""
    named = (os.environ if environ is None else environ).get("HF_ENDPOINT", "").rstrip("/")
    return named or constants.ENDPOINT


def look_up(repo: str, *, revision: str | None = None, file: str | None = None) -> Remote:
    """The file to take from `repo`: `file`, or the INT4 one. Raises ModelError."""
    where = endpoint()
    with sentences(repo, where):
        info = HfApi(endpoint=where).model_info(repo, revision=revision, files_metadata=True, timeout=ANSWER_TIMEOUT_S)
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    path = choose(list(siblings), file, repo)
    lfs = siblings[path].lfs
    if lfs is None or not info.sha:
        raise ModelError(f"{where} gives no SHA-256 for {path} in {repo}: it cannot be checked, so it is not fetched.")
    url = hf_hub_url(repo, path, revision=info.sha, endpoint=where)
    return Remote(repo, info.sha, path, int(lfs.size), str(lfs.sha256).lower(), url, _licence(info, f"{where}/{repo}"))


def _licence(info: ModelInfo, card: str) -> Licence:
    data: Any = info.card_data
    said: dict[str, object] = data.to_dict() if data is not None else {}
    tag, name, link = (str(said.get(key) or "") for key in ("license", "license_name", "license_link"))
    if not tag:
        tag = next((text.partition(":")[2] for text in info.tags or () if text.startswith("license:")), "")
    return from_hub(tag, name, link if "://" in link else "", card)


@contextlib.contextmanager
def sentences(repo: str, where: str) -> Iterator[None]:
    """Turn whatever the hub library raises into a ModelError of one sentence."""
    try:
        yield
    except GatedRepoError:
        raise ModelError(
            f"{repo} is gated: accept its terms at {where}/{repo} with your account, set HF_TOKEN to a token of that "
            "account and run the command again."
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"There is no repository {repo} at {where}, or it is private: check its name; if private, set HF_TOKEN."
        ) from None
    except RevisionNotFoundError:
        raise ModelError(f"The version of {repo} that the catalogue names is gone: give OWNER/REPO instead.") from None
    except RemoteEntryNotFoundError:
        raise ModelError(f"The file is no longer in {repo}: run the command again.") from None
    except OfflineModeIsEnabled:
        raise ModelError("HF_HUB_OFFLINE forbids downloads: unset it, then run the command again.") from None
    except HFValidationError:
        raise ModelError(f"{repo} is not the name of a repository: it is OWNER/REPO.") from None
    except HfHubHTTPError as error:
        raise ModelError(_http_sentence(error.response.status_code, repo, where)) from None
    except OSError as error:
        raise ModelError(_system_sentence(error, where)) from None
    except TRANSPORT_ERROR as error:
        raise ModelError(
            f"{where} cannot be reached, or broke off ({str(error) or type(error).__name__}): check the network, and "
            "HF_ENDPOINT if you set it, then run the command again; it goes on where it stopped."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{where} does not answer as a model hub: check HF_ENDPOINT.") from None


def _http_sentence(status: int, repo: str, where: str) -> str:
    if status == _HTTP_UNAUTHORIZED:
        return f"{where} refuses the token: check HF_TOKEN."
    if status == _HTTP_FORBIDDEN:
        return f"{where} does not let you read {repo}: accept its terms there, and check HF_TOKEN."
    if status == _HTTP_TOO_MANY:
        return f"{where} has had too many requests from here: wait some minutes, or set HF_TOKEN."
    return f"{where} answers with HTTP status {status}: run the command again later; it goes on where it stopped."


def _system_sentence(error: OSError, where: str) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full: free some space, then run the command again; it goes on where it stopped."
    if error.errno is None:  # the library's own check of the length
        return f"The file from {where} ended too early: run the command again; it goes on where it stopped."
    place = f" {error.filename}" if error.filename else ""
    return f"The file{place} cannot be written: {error.strerror or error}."
