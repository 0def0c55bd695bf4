"""Serve an aiohttp application from a thread of its own."""

import asyncio
import http.client
import json
import threading
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

from aiohttp import web

from deploy.embedded import ports


@contextmanager
def served(application):
    """Give the address; the server ends with the block."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(application)
    port = ports.free()
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", port).start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(runner.cleanup())
    loop.close()


def post(url, body):
    """Send bytes; give the status and the parsed answer."""
    target = urlsplit(url)
    with closing(http.client.HTTPConnection(target.hostname, target.port, timeout=10)) as connection:
        connection.request("POST", target.path, body)
        response = connection.getresponse()
        return response.status, json.load(response)
