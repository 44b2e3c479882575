"""Execute an operation with gql, a subscription over a WebSocket, and print each result as a line of JSON.

python gql_client.py URL TOKEN QUERY VARIABLES

It is the package `gql` of an environment of its own (.ci/run makes it), not the one of this project.
"""
# mypy: ignore-errors

import asyncio
import json
import sys

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import OperationType, get_operation_ast


async def main(url: str, token: str, query: str, variables: str) -> None:
    request = GraphQLRequest(query, variable_values=json.loads(variables))
    is_subscription = get_operation_ast(request.document).operation is OperationType.SUBSCRIPTION
    if is_subscription:
        transport = WebsocketsTransport(
            url=url.replace("http", "ws", 1), init_payload={"Authorization": f"Bearer {token}"}
        )
    else:
        transport = HTTPXAsyncTransport(url=url, headers={"Authorization": f"Bearer {token}"})
    # Each document is checked here, against the schema that the server tells.
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        try:
            if is_subscription:
                async for data in session.subscribe(request):
                    print(json.dumps({"data": data}), flush=True)
            else:
                print(json.dumps({"data": await session.execute(request)}))
        except TransportQueryError as error:
            print(json.dumps({"failed": str(error)}))
            sys.exit(1)


asyncio.run(main(*sys.argv[1:]))
