# ruff: noqa: N999 - the name that gunicorn's users look for
"""Pages and API: one process per core or two, threads within, so that database connections are kept."""

import os

bind = os.environ.get("IRAPP_WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 30
graceful_timeout = 5
keepalive = 15
limit_request_line = 8190
max_requests = 0
preload_app = False  # a worker that is started again reads the code again
control_socket_disable = True  # on by default since 25: nobody here is to steer it from outside
accesslog = None
errorlog = "-"
