"""Trusted documents: the only ones that an API executes, where it is given them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from gql.server.documents import TEXT_MAX_CHARS

DOCUMENTS_MAX: Final = 20_000
FILE_MAX_BYTES: Final = 64 * 1024 * 1024
_GRAPHQL_SUFFIXES: Final = frozenset({".graphql", ".gql"})
_APOLLO_FORMAT: Final = "apollo-persisted-query-manifest"


class TrustedDocumentsError(Exception):
    """The documents cannot be read; the message says which, and why."""


class TrustedDocuments:
    """Documents by their ids. texts: by id; each is found by the SHA-256 hash of its text too."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {**{document_hash(text): text for text in texts.values()}, **texts}
        self._known = frozenset(texts.values())

    def __contains__(self, text: str) -> bool:
        return text in self._known

    def __len__(self) -> int:
        return len(self._known)

    def with_texts(self, texts: Iterable[str]) -> TrustedDocuments:
        """Return these documents and others, which are found by their hashes."""
        return TrustedDocuments({**{document_hash(text): text for text in texts}, **self._texts})

    def get(self, document_id: str) -> str | None:
        """Return the document with that id; None: there is none."""
        return self._texts.get(document_id)


def trusted_documents_load(path: Path) -> TrustedDocuments:
    """Read documents: of a JSON file, or of all `.graphql`, `.gql` and `.json` files of a directory.

    A JSON file is an object of documents by id, or a manifest of Apollo's. Raises TrustedDocumentsError.
    """
    texts: dict[str, str] = {}
    for file in _files(path):
        for document_id, text in _documents(file):
            if texts.setdefault(document_id, text) != text:
                msg = f"{file}: the id {document_id!r} is that of another document already."
                raise TrustedDocumentsError(msg)
            if len(texts) > DOCUMENTS_MAX:
                msg = f"{path} has more than {DOCUMENTS_MAX} documents."
                raise TrustedDocumentsError(msg)
    if not texts:
        msg = f"{path} has no documents: nothing could be executed."
        raise TrustedDocumentsError(msg)
    return TrustedDocuments(texts)


def document_hash(text: str) -> str:
    """Return the SHA-256 hash of a document's text. Half a surrogate pair counts as it is."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix in {*_GRAPHQL_SUFFIXES, ".json"})
    else:
        yield path


def _documents(file: Path) -> Iterator[tuple[str, str]]:
    try:
        if file.stat().st_size > FILE_MAX_BYTES:
            msg = f"{file} is larger than {FILE_MAX_BYTES} bytes."
            raise TrustedDocumentsError(msg)
        text = file.read_text(encoding="utf-8")
        documents = [(document_hash(text), text)] if file.suffix in _GRAPHQL_SUFFIXES else _of_json(json.loads(text))
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}."
        raise TrustedDocumentsError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{file} is not JSON: {error}."
        raise TrustedDocumentsError(msg) from None
    for document_id, document in documents:
        if not isinstance(document_id, str) or not isinstance(document, str) or not document_id or not document:
            msg = f"{file} is neither an object of documents by id nor a manifest of Apollo's."
            raise TrustedDocumentsError(msg)
        if len(document) > TEXT_MAX_CHARS:
            msg = f"{file}: the document {document_id!r} has more than {TEXT_MAX_CHARS} characters."
            raise TrustedDocumentsError(msg)
        yield document_id, document


def _of_json(content: Any) -> list[tuple[Any, Any]]:
    if not isinstance(content, dict):
        return [(None, None)]
    if content.get("format") == _APOLLO_FORMAT:
        operations = content.get("operations")
        entries = operations if isinstance(operations, list) else [None]
        return [(entry.get("id"), entry.get("body")) if isinstance(entry, dict) else (None, None) for entry in entries]
    return list(content.items())
