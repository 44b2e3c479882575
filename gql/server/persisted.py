"""Documents sent by an id instead of their text: automatic persisted queries, and trusted documents.

Each organization has a store of its own: nobody learns from it what others execute, or drives theirs out of it.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final

from gql.access.principal import Principal
from gql.errors import ErrorCode
from gql.server.documents import TEXT_MAX_CHARS
from gql.server.preparation import Request, RequestError
from gql.server.trusted import TrustedDocuments, document_hash

# Of one organization, and of all of them, in one process.
ORGANIZATION_MAX_BYTES: Final = 4 * 1024 * 1024
ALL_MAX_BYTES: Final = 64 * 1024 * 1024
# Besides its text, of what a document takes.
_ENTRY_BYTES: Final = 300
# Clients look for the message as well as for the code.
_NOT_FOUND: Final = {"message": "PersistedQueryNotFound", "extensions": {"code": ErrorCode.PERSISTED_QUERY_NOT_FOUND}}
_UNTRUSTED: Final = {
    "message": "This API executes its trusted documents alone, and this is none of them.",
    "extensions": {"code": ErrorCode.UNTRUSTED_DOCUMENT},
}
_MISMATCH: Final = {
    "message": "The id is not the SHA-256 hash of the document.",
    "extensions": {"code": ErrorCode.BAD_USER_INPUT},
}


@dataclass(slots=True)
class _Store:
    """Documents of one organization, the least recently used first."""

    texts: OrderedDict[str, str] = field(default_factory=OrderedDict)
    nbytes: int = 0


class PersistedDocuments:
    """Finds documents by their ids. trusted: the only ones there are; None: those that callers have sent."""

    def __init__(self, trusted: TrustedDocuments | None = None) -> None:
        self._trusted = trusted
        self._stores: OrderedDict[int, _Store] = OrderedDict()
        self._nbytes = 0

    def resolve(self, request: Request, bearer: Principal | None) -> Request:
        """Return the request with its document.

        Raises RequestError: it is not found, it is not trusted, or its id is not its hash.
        """
        query = request.query
        if request.document_id is not None and not query:
            text = self._get(request.document_id, bearer)
            if text is None:
                raise RequestError([_NOT_FOUND])
            return replace(request, query=text)
        if self._trusted is not None and query not in self._trusted:
            raise RequestError([_UNTRUSTED], status=403)
        # One that is too long is refused as such.
        if request.document_id is not None and len(query) <= TEXT_MAX_CHARS:
            is_trusted_id = self._trusted is not None and self._trusted.get(request.document_id) == query
            if not is_trusted_id and document_hash(query) != request.document_id:
                raise RequestError([_MISMATCH])
        return request

    def remember(self, request: Request, bearer: Principal | None) -> None:
        """Store a document that has proved valid, for the organization of a caller who sent it with its hash."""
        if request.document_id is None or bearer is None or self._trusted is not None:
            return
        store = self._stores.setdefault(bearer.organization_id, _Store())
        self._stores.move_to_end(bearer.organization_id)
        if request.document_id not in store.texts:
            size = _size(request.query)
            store.texts[request.document_id] = request.query
            store.nbytes += size
            self._nbytes += size
        store.texts.move_to_end(request.document_id)
        while store.nbytes > ORGANIZATION_MAX_BYTES:
            self._forget_one(store)
        while self._nbytes > ALL_MAX_BYTES:
            organization_id, oldest = next(iter(self._stores.items()))
            self._forget_one(oldest)
            if not oldest.texts:
                del self._stores[organization_id]

    def _get(self, document_id: str, bearer: Principal | None) -> str | None:
        if self._trusted is not None:
            return self._trusted.get(document_id)
        store = None if bearer is None else self._stores.get(bearer.organization_id)
        if store is None or document_id not in store.texts:
            return None
        store.texts.move_to_end(document_id)
        return store.texts[document_id]

    def _forget_one(self, store: _Store) -> None:
        _, text = store.texts.popitem(last=False)
        size = _size(text)
        store.nbytes -= size
        self._nbytes -= size


def _size(text: str) -> int:
    return sys.getsizeof(text) + _ENTRY_BYTES
