"""axe-core on the page that a browser shows now."""

from axe_playwright_python.sync_playwright import Axe


def violations(page):
    """Give what axe-core finds, once the page has come completely, as text for a failure's message."""
    page.wait_for_load_state()
    found = Axe().run(page)
    assert found.response["passes"], "axe-core looked at nothing"
    return found.generate_report() if found.violations_count else ""
