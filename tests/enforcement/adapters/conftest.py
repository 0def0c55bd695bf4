import pytest


@pytest.fixture(scope="package")
def model_requests():
    return []


@pytest.fixture(scope="package")
def hub(tmp_path_factory):
    from tests.enforcement.hub_process import HubProcess

    process = HubProcess(tmp_path_factory.mktemp("hub")).start()
    yield process
    process.end()


@pytest.fixture(scope="package")
def upstream(model_requests):
    """The demo model, slow enough that a stream can be watched."""
    from tests.deploy.serving import served
    from tests.enforcement.adapters.proxy import recorded

    with served(recorded(model_requests)) as address:
        yield address


@pytest.fixture(scope="package")
def proxy(hub, upstream, tmp_path_factory):
    from tests.enforcement.adapters.proxy import LITELLM, Proxy

    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: make litellm")
    running = Proxy(tmp_path_factory.mktemp("litellm"), upstream, hub)
    try:
        yield running.start()
    finally:
        running.end()
