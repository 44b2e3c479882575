"""What an API shows to whom: settings of its transports."""

from __future__ import annotations

from dataclasses import dataclass, field

from gql.server.console import Console
from gql.server.session_http import SignInWays
from gql.server.trusted import TrustedDocuments


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Settings of the transports.

    cors_origins: of web pages that may call it; `*`: any. graphiql: whether a browser is shown GraphiQL.
    rest: whether the REST routes are there.
    anonymous_introspection: whether the schema can be read without a token. trusted: the only documents that are
    executed; None: any. console: what is at `/`; None: nothing of its own. sign_in: how
    people sign in to it.
    """

    cors_origins: tuple[str, ...] = ()
    graphiql: bool = True
    rest: bool = True
    anonymous_introspection: bool = True
    trusted: TrustedDocuments | None = None
    console: Console | None = None
    sign_in: SignInWays = field(default_factory=SignInWays)
