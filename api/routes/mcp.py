"""`/mcp`: the Model Context Protocol. The SDK reads and answers the requests."""

# No `from __future__ import annotations` here: FastAPI could not resolve the name of a dependency inside a function.

from fastapi import APIRouter, Response

from api.access import AUTHORISED
from api.mcp_server import McpResponse, McpServer
from api.operations import operation


def routes(server: McpServer) -> APIRouter:
    """Make the routes."""
    router = APIRouter(dependencies=[AUTHORISED])

    @router.get("/mcp", **operation("Listen in a session of MCP", gives="text/event-stream"))
    @router.post("/mcp", **operation("A message of MCP", gives="text/event-stream"))
    @router.delete("/mcp", **operation("End a session of MCP"))
    async def message() -> Response:
        return McpResponse(server)

    return router
