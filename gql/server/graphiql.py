"""GraphiQL, with everything it loads beside it: it works without the internet."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gql.server.sample_queries import samples

ASSETS = Path(__file__).parent / "static"

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Argus</title>
<link rel="stylesheet" href="static/vendor/graphiql.min.css">
<link rel="stylesheet" href="static/graphiql.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="graphiql" class="loading">Loading GraphiQL</div>
<script type="application/json" id="samples">{samples}</script>
<script src="static/vendor/react.production.min.js"></script>
<script src="static/vendor/react-dom.production.min.js"></script>
<script src="static/vendor/graphiql.min.js"></script>
<script src="static/vendor/graphql-ws.min.js"></script>
<script src="static/graphiql.js"></script>
</body>
</html>
"""
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-ancestors 'none'"
)


def is_wanted(request: Request) -> bool:
    """Whether a GET comes from a person's browser: it asks for HTML before anything else."""
    first = request.headers.get("accept", "").split(",", 1)[0].split(";", 1)[0].strip().lower()
    return first == "text/html"


def page() -> Response:
    """Return the page."""
    return HTMLResponse(_html(), headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})


@cache
def _html() -> str:
    collection = json.dumps([asdict(sample) for sample in samples()])
    # Nothing in the JSON may end the element that contains it.
    return _PAGE.replace("{samples}", collection.replace("<", "\\u003c"))
