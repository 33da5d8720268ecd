"""Signatures by language, and the definitions that patterns find."""

from __future__ import annotations

import pytest

from lsp_server.workspace.declarations import MAX_SIGNATURE, declarations
from lsp_server.workspace.definitions import definitions

PYTHON = '''\
import os

LIMIT: Final = 12

class Store(Base):
    """Keeps things."""

    size: int = 0

    def __init__(self, path: str) -> None:
        self.path = path

    def _private(self) -> None: ...

    async def get(self, key: str, *, default: int = 0) -> int:
        return 1

def load(path: str, limit: int = LIMIT) -> Store:
    """Load it."""
    return Store(path)
'''
TYPESCRIPT = """\
export interface Options { retries: number; label?: string }
export class Client {
  private token: string;
  constructor(options: Options) { this.token = ""; }
  async get(path: string): Promise<Response> { return fetch(path); }
}
export const connect = async (url: string): Promise<Client> => {
  return new Client({ retries: 1 });
};
export function parse(text: string): Options { return JSON.parse(text); }
"""
GO = """\
package store

type Store struct {
	Path string
	size int
}

func Open(path string, limit int) (*Store, error) {
	return &Store{path, limit}, nil
}

func (s *Store) Get(key string) int {
	return s.size
}
"""
RUST = """\
pub struct Store {
    pub path: String,
}

pub fn open(path: &str, limit: usize) -> Result<Store, Error> {
    Ok(Store { path: path.into() })
}

pub trait Source {
    fn next(&mut self) -> Option<u8>;
}
"""
C = """\
#define LIMIT 12
typedef struct store { int size; } store_t;
struct point { int x; int y; };
int store_open(const char *path, int limit)
{
    return 0;
}
"""


def declared(language: str, text: str, *names: str) -> list[str]:
    return [each.text for each in declarations(language, "a", text, names)]


@pytest.mark.parametrize(
    ("language", "text", "name", "signature"),
    [
        ("python", PYTHON, "load", "def load(path: str, limit: int = LIMIT) -> Store:\n"),
        ("python", PYTHON, "LIMIT", "LIMIT: Final = 12\n"),
        ("typescript", TYPESCRIPT, "parse", "function parse(text: string): Options\n"),
        ("go", GO, "Open", "func Open(path string, limit int) (*Store, error)\n"),
        ("go", GO, "Get", "func (s *Store) Get(key string) int\n"),
        ("rust", RUST, "open", "pub fn open(path: &str, limit: usize) -> Result<Store, Error>\n"),
        ("c", C, "store_open", "int store_open(const char *path, int limit)\n"),
    ],
)
def test_a_function_is_declared_without_its_body(language: str, text: str, name: str, signature: str) -> None:
    assert declared(language, text, name) == [signature]


def test_a_class_is_declared_with_the_signatures_of_its_public_members() -> None:
    assert declared("python", PYTHON, "Store") == [
        "class Store(Base):\n"
        "    size: int = 0\n"
        "    def __init__(self, path: str) -> None:\n"
        "    async def get(self, key: str, *, default: int = 0) -> int:\n"
    ]


def test_types_of_other_languages_have_their_members() -> None:
    (client,) = declared("typescript", TYPESCRIPT, "Client")
    assert "async get(path: string): Promise<Response>" in client
    assert "fetch" not in client
    (store,) = declared("go", GO, "Store")
    assert "Path string" in store
    (source,) = declared("rust", RUST, "Source")
    assert "fn next(&mut self) -> Option<u8>;" in source


def test_a_constant_function_is_declared_by_its_first_line() -> None:
    (connect,) = declared("typescript", TYPESCRIPT, "connect")
    assert connect.startswith("export const connect = async (url: string): Promise<Client> =>")
    assert "retries" not in connect


def test_lines_count_from_zero() -> None:
    (found,) = declarations("python", "a.py", PYTHON, ["load"])
    assert PYTHON.split("\n")[found.line].startswith("def load")


def test_an_endless_class_is_bounded() -> None:
    text = "class Big:\n" + "".join(f"    def method_{number}(self): ...\n" for number in range(5_000))
    (big,) = declared("python", text, "Big")
    assert len(big) <= MAX_SIGNATURE + 1
    assert "method_0" in big


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("python", PYTHON, {"LIMIT", "Store", "load"}),
        ("typescript", TYPESCRIPT, {"Options", "Client", "connect", "parse"}),
        ("go", GO, {"Store", "Open", "Get"}),
        ("rust", RUST, {"Store", "open", "Source"}),
        ("c", C, {"LIMIT", "store", "point", "store_open"}),
    ],
)
def test_patterns_find_what_is_defined_at_the_top_level(language: str, text: str, names: set[str]) -> None:
    assert {name for name, _ in definitions(language, text)} == names


def test_a_long_line_of_words_takes_no_time_to_look_through() -> None:
    assert list(definitions("c", "word " * 20_000)) == []
